/**
 * Reads parameters from a query string; the error of a wrong one names it, and so does that of one that nobody reads.
 */
import { badRequest } from "./problem.ts";

export class Query {
  readonly #texts: Map<string, string>;

  constructor(params: URLSearchParams) {
    this.#texts = new Map(params);
    for (const name of params.keys()) {
      if (params.getAll(name).length > 1) throw badRequest(name, `${name} is given more than once`);
    }
  }

  /** Throws if there is a parameter that was not read. */
  finish(): void {
    const [unknown] = this.#texts.keys();
    if (unknown !== undefined) throw badRequest(unknown, `there is no parameter ${unknown} here`);
  }

  text(name: string): string | undefined {
    const text = this.#texts.get(name);
    this.#texts.delete(name);
    return text;
  }

  number(name: string, low: number, high: number): number | undefined {
    return this.#read(name, `a number from ${low} to ${high}`, (text) => {
      const value = toNumber(text);
      return value >= low && value <= high ? value : undefined;
    });
  }

  integer(name: string, low: number, high: number): number | undefined {
    return this.#read(name, `a whole number from ${low} to ${high}`, (text) => {
      const value = toNumber(text);
      return Number.isInteger(value) && value >= low && value <= high ? value : undefined;
    });
  }

  boolean(name: string): boolean | undefined {
    const word = this.choice(name, ["true", "false"]);
    return word === undefined ? undefined : word === "true";
  }

  choice<T extends string>(name: string, words: readonly T[]): T | undefined {
    return this.#read(name, words.join(" or "), (text) => words.find((word) => word === text));
  }

  /** Finite numbers with commas between them. */
  numbers(name: string, wanted: string, fits: (values: number[]) => boolean): number[] | undefined {
    return this.#read(name, wanted, (text) => {
      const values = text.split(",").map(toNumber);
      return values.every(Number.isFinite) && fits(values) ? values : undefined;
    });
  }

  #read<T>(name: string, wanted: string, parse: (text: string) => T | undefined): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value === undefined) throw badRequest(name, `${name} is ${JSON.stringify(text)}; wanted ${wanted}`);
    return value;
  }
}

/** NaN for what is no number; an empty text is none, though `Number` makes it 0. */
function toNumber(text: string): number {
  return text.trim() === "" ? NaN : Number(text);
}
