/**
 * Images: their ids, the order of these, and their sizes.
 */
import { describe, integer, listOf, type Place, rangeError, typeError } from "../validate.ts";

/** An id: a number or a text; 7 and "7" are two. */
export function idOf(place: Place, value: unknown): number | string {
  if (typeof value === "string") return value;
  if (typeof value !== "number") throw typeError(place, describe(value), "a number or a string");
  if (!Number.isFinite(value)) throw rangeError(place, value, "a finite number");
  return value;
}

/** Numbers rise and come before texts, which are in the order of their code units. */
export function byId(a: number | string, b: number | string): number {
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What run lengths can count. */
const MOST_PIXELS = 2 ** 31 - 1;

/** [height, width] in pixels, copied. */
export function readSize({ op, argument }: Place, value: unknown): readonly [number, number] {
  const pair = listOf(value);
  if (pair?.length !== 2) throw typeError({ op, argument }, describe(value), "[height, width]");
  const [height, width] = pair.map((side, i) => integer({ op, argument: `${argument}[${i}]` }, side, 1, MOST_PIXELS));
  if (height * width > MOST_PIXELS) {
    throw rangeError({ op, argument }, `[${height}, ${width}]`, "at most 2³¹ − 1 pixels");
  }
  return [height, width];
}
