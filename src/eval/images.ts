/**
 * Images: their ids, and the order of these.
 */
import { describe, type Place, rangeError, typeError } from "../validate.ts";

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
