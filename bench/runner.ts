/**
 * Measures ours against peers, pair by pair: ours, peer, ours, peer … so that whatever else the machine does hits both.
 */
import type { Report } from "./report.ts";
import type { Floor } from "./results.ts";
import { type Spread, spread } from "./statistics.ts";

/** Something to time; it may be asynchronous. */
export interface Entrant<T> {
  readonly name: string;
  run(): T | Promise<T>;
  /** For what measures itself: milliseconds of each of so many calls. */
  clock?(calls: number): Promise<number>;
}

/** Somebody else's way to the same result, and how many times faster ours should be. */
export interface Rival<T> extends Entrant<T> {
  readonly target?: number;
}

/** A peer that cannot run here. */
export interface Absent {
  readonly name: string;
  readonly absent: string;
}

export interface Race<T> {
  readonly ours: Entrant<T>;
  readonly rivals: readonly (Rival<T> | Absent)[];
  /** What is different between two results, or null. */
  difference(ours: T, theirs: T): string | null;
}

/** How long everything takes. */
export interface Pace {
  readonly warmUpMs: number;
  /** Calls of one measurement go on for about so long: what the other left of the caches is made good early in it. */
  readonly batchMs: number;
  readonly pairs: { readonly least: number; readonly most: number };
  /** No new pair begins after so long, once the least number is done. */
  readonly budgetMs: number;
}

export const THOROUGH: Pace = {
  warmUpMs: 200,
  batchMs: 5,
  pairs: { least: 3, most: 51 },
  budgetMs: 1500,
};
export const QUICK: Pace = {
  warmUpMs: 60,
  batchMs: 5,
  pairs: { least: 1, most: 15 },
  budgetMs: 300,
};

/** For the check: every ratio that falls short is measured again, so few pairs do. */
export const CHECK: Pace = {
  warmUpMs: 50,
  batchMs: 4,
  pairs: { least: 5, most: 15 },
  budgetMs: 200,
};
/** A call that takes less than this share of the best so far is of better compiled code. */
const MARKEDLY = 0.9;
/** How often the check measures what falls short. */
const TRIES = 4;

export class Runner {
  readonly pace: Pace;
  readonly report: Report;
  readonly #floor: Floor;

  /** With a floor, ratios are held to it instead of to their targets. */
  constructor(pace: Pace, report: Report, floor: Floor = () => undefined) {
    this.pace = pace;
    this.report = report;
    this.#floor = floor;
  }

  /** Ours alone, then a line for each rival whose result agrees. */
  async race<T>({ ours, rivals, difference }: Race<T>): Promise<void> {
    this.report.time(ours.name, await this.time(ours));
    for (const rival of rivals) {
      if ("absent" in rival) {
        this.report.absent(rival.name, rival.absent);
        continue;
      }
      const different = difference(await ours.run(), await rival.run());
      if (different === null) await this.#duel(ours, rival);
      else this.report.differs(rival.name, different);
    }
  }

  /** Milliseconds of one call. */
  async time<T>(entrant: Entrant<T>): Promise<Spread> {
    const calls = await this.#warmUp(entrant);
    const samples: number[] = [];
    await this.#repeat(async () => {
      samples.push(await timeCalls(entrant, calls));
    });
    return spread(samples);
  }

  async #duel<T>(ours: Entrant<T>, rival: Rival<T>): Promise<void> {
    const floor = this.#floor(this.report.title, ours.name, rival.name);
    let { time, ratio } = await this.compare(ours, rival);
    for (let tries = 1; floor !== undefined && ratio.median < floor && tries < TRIES; tries++) {
      ({ time, ratio } = await this.compare(ours, rival));
    }
    this.report.ratio(rival.name, time, ratio, floor ?? rival.target);
  }

  /** Time of the other, and how many times longer it takes than ours. */
  async compare<T>(
    ours: Entrant<T>,
    rival: Entrant<T>,
  ): Promise<{ time: Spread; ratio: Spread }> {
    const ourCalls = await this.#warmUp(ours);
    const theirCalls = await this.#warmUp(rival);
    const theirTimes: number[] = [];
    const ratios: number[] = [];
    await this.#repeat(async () => {
      const our = await timeCalls(ours, ourCalls);
      const their = await timeCalls(rival, theirCalls);
      theirTimes.push(their);
      ratios.push(their / our);
    });
    return { time: spread(theirTimes), ratio: spread(ratios) };
  }

  /**
   * Runs until the compilers have settled: the time to warm up begins anew with each call that is markedly faster than all
   * before, up to ten times. Returns how many calls make a batch.
   */
  async #warmUp<T>(entrant: Entrant<T>): Promise<number> {
    const { warmUpMs, batchMs } = this.pace;
    const start = performance.now();
    let faster = start;
    let best = Infinity;
    do {
      const time = await timeCalls(entrant, 1);
      if (time < MARKEDLY * best) faster = performance.now();
      best = Math.min(best, time);
    } while (performance.now() < Math.min(faster + warmUpMs, start + 10 * warmUpMs));
    return Math.max(1, Math.ceil(batchMs / best));
  }

  async #repeat(measure: () => Promise<void>): Promise<void> {
    const { pairs, budgetMs } = this.pace;
    const end = performance.now() + budgetMs;
    for (
      let i = 0;
      i < pairs.most && (i < pairs.least || performance.now() < end);
      i++
    ) await measure();
  }
}

/** Milliseconds of each of so many calls. */
async function timeCalls<T>(
  entrant: Entrant<T>,
  calls: number,
): Promise<number> {
  if (entrant.clock !== undefined) return await entrant.clock(calls);
  const start = performance.now();
  for (let i = 0; i < calls; i++) {
    const result = entrant.run();
    // Awaiting what is not a promise would cost the quick ones a turn of the queue.
    if (result instanceof Promise) await result;
  }
  return (performance.now() - start) / calls;
}
