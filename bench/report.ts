/** What the bench prints. A missed target and a differing result are also counted, for the last line. */
import type { Spread } from "./statistics.ts";

const NAME_WIDTH = 38;

export class Report {
  missed = 0;
  differing = 0;

  heading(text: string): void {
    console.log(`\n${text}`);
  }

  line(name: string, text: string): void {
    console.log(`  ${name.padEnd(NAME_WIDTH)} ${text}`);
  }

  time(name: string, time: Spread): void {
    this.line(name, milliseconds(time));
  }

  ratio(
    name: string,
    time: Spread,
    ratio: Spread,
    target: number | undefined,
  ): void {
    const verdict = target === undefined ? "" : this.#judge(ratio.median >= target, `≥ ${target}×`);
    this.line(
      `  against ${name}`,
      `${milliseconds(time)}  ${times(ratio)}${verdict}`,
    );
  }

  /** A figure that is right or not. */
  check(name: string, text: string, holds: boolean, wanted: string): void {
    this.line(name, `${text}${this.#judge(holds, wanted)}`);
  }

  skipped(name: string, reason: string): void {
    this.line(
      `  against ${name}`,
      `skipped: ${reason.split(/\n| imported from /)[0]}`,
    );
  }

  differs(name: string, difference: string): void {
    this.differing++;
    this.line(
      `  against ${name}`,
      `NOT TIMED, its result differs: ${difference}`,
    );
  }

  #judge(holds: boolean, wanted: string): string {
    if (!holds) this.missed++;
    return `   target ${wanted}  ${holds ? "ok" : "MISSED"}`;
  }
}

function milliseconds({ low, median, high }: Spread): string {
  return `${significant(median).padStart(7)} ms ${`[${significant(low)} – ${significant(high)}]`.padEnd(17)}`;
}

function times({ low, median, high }: Spread): string {
  return `${significant(median).padStart(6)}× ${`[${significant(low)} – ${significant(high)}]`.padEnd(17)}`;
}

/** Three significant digits without an exponent. */
function significant(value: number): string {
  const digits = 2 - Math.floor(Math.log10(Math.max(value, 1e-9)));
  return value.toFixed(Math.min(Math.max(digits, 0), 6));
}
