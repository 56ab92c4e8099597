/** What the bench prints, and keeps for RESULTS.md. A missed target and a differing result are also counted. */
import type { Figure, Race } from "./results.ts";
import { significant, type Spread, spread } from "./statistics.ts";

const NAME_WIDTH = 38;
const CELL_WIDTH = 30;

export class Report {
  missed = 0;
  differing = 0;
  readonly races: Race[] = [];
  readonly figures: Figure[] = [];
  readonly #skipped = new Set<string>();
  /** Of each peer's times, from the 10th to the 90th percentile, as a share of their median. */
  readonly #variations: number[] = [];
  #title = "";
  #columns: readonly string[] = [];

  get title(): string {
    return this.#title;
  }

  /** How much the peers' times vary, in the median of all races: what the machine does beside. */
  get noise(): number {
    return spread(this.#variations).median;
  }

  get skipped(): string[] {
    return [...this.#skipped];
  }

  /** Of what follows; "family: what is measured". */
  heading(title: string): void {
    this.#title = title;
    console.log(`\n${title}`);
  }

  line(name: string, text: string): void {
    console.log(`  ${name.padEnd(NAME_WIDTH)} ${text}`);
  }

  /** A line that is kept. */
  figure(name: string, text: string): void {
    this.figures.push({ title: this.#title, name, text });
    this.line(name, text);
  }

  /** Names of what the cells of the rows that follow are. */
  columns(names: readonly string[]): void {
    this.#columns = names;
    this.#cells("", names);
  }

  row(name: string, cells: readonly string[]): void {
    const named = cells.map((cell, i) => cell === "–" ? null : `${this.#columns[i]} ${cell}`);
    this.figures.push({ title: this.#title, name, text: named.filter((text) => text !== null).join(", ") });
    this.#cells(name, cells);
  }

  #cells(name: string, cells: readonly string[]): void {
    this.line(name, cells.map((cell) => cell.padEnd(CELL_WIDTH)).join("").trimEnd());
  }

  /** Ours, to which the ratios that follow belong. */
  time(ours: string, time: Spread): void {
    this.races.push({ title: this.#title, ours, ms: rounded(time.median), rivals: [] });
    this.line(ours, milliseconds(time));
  }

  ratio(
    name: string,
    time: Spread,
    ratio: Spread,
    target: number | undefined,
  ): void {
    const { low, median, high } = ratio;
    this.#variations.push((time.high - time.low) / time.median);
    this.races.at(-1)?.rivals.push({
      name,
      ms: rounded(time.median),
      ratio: { low: rounded(low), median: rounded(median), high: rounded(high) },
    });
    const verdict = target === undefined ? "" : this.#judge(median >= target, `≥ ${target}×`);
    this.line(
      `  against ${name}`,
      `${milliseconds(time)}  ${times(ratio)}${verdict}`,
    );
  }

  /** A figure that is right or not. */
  check(name: string, text: string, holds: boolean, wanted: string): void {
    this.figures.push({ title: this.#title, name, text });
    this.line(name, `${text}${this.#judge(holds, wanted)}`);
  }

  /** A share of what is possible, as a number too. Without a target it is judged by nothing. */
  share(name: string, text: string, share: number, target: number | undefined): void {
    this.figures.push({ title: this.#title, name, text, share: rounded(share), ...(target && { target }) });
    const verdict = target === undefined ? "" : this.#judge(share >= target, `≥ ${100 * target} %`);
    this.line(name, `${text}${verdict}`);
  }

  absent(name: string, reason: string): void {
    const text = reason.split(/\n| imported from /)[0];
    this.#skipped.add(`${name}: ${text}`);
    this.line(`  against ${name}`, `skipped: ${text}`);
  }

  /** Names peers that have no such operation; nothing is kept of them. */
  without(names: readonly string[]): void {
    if (names.length > 0) this.line("  not there", names.join(", "));
  }

  differs(name: string, difference: string): void {
    this.differing++;
    this.#skipped.add(`${name}: in "${this.#title}" its result differs, ${difference}`);
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

/** Enough for a table, and short in a file. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
