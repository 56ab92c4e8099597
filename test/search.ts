/** Searches for inputs on which an operation is worst: random starts, then small steps from the worst of them. */
import type { Random } from "./random.ts";

export interface Search {
  /** Inputs of a round, and how many rounds. */
  readonly width: number;
  readonly rounds: number;
  /** A new input, and one near another. */
  start(r: Random): number[];
  near(input: readonly number[], r: Random): number[];
  /** Errors of inputs, as shares of their bounds. */
  errors(inputs: readonly number[][]): number[] | Promise<number[]>;
}

interface Worst {
  readonly error: number;
  readonly input: number[];
}

/** The worst error found, and its input. */
export async function worstOf({ width, rounds, start, near, errors }: Search, r: Random): Promise<Worst> {
  let best: Worst[] = [];
  for (let round = 0; round < rounds; round++) {
    const inputs = Array.from({ length: width }, (_, i) => {
      // A third starts anew, so that no hill holds the search.
      return best.length === 0 || i % 3 === 0 ? start(r) : near(best[r.integer(best.length)].input, r);
    });
    const found = (await errors(inputs)).map((error, i) => ({
      error: Number.isNaN(error) ? Infinity : error,
      input: inputs[i],
    }));
    best = [...best, ...found].sort((a, b) => b.error - a.error).slice(0, 12);
  }
  return best[0];
}
