/**
 * Checks of the rows of annotations and results: an error says of which row, and of which member.
 */
import { describe, listOf, type Place, rangeError, typeError } from "../validate.ts";

/** A row of a list: cocoEvaluate: results[3]. */
export interface Row {
  readonly op: string;
  readonly list: string;
  readonly index: number;
}

/** cocoEvaluate: results[3].score. */
export function placeOf({ op, list, index }: Row, member: string): Place {
  return { op, argument: `${list}[${index}].${member}` };
}

/** A list of objects, each of which is read once, by who asks for it. */
export function objectsOf(place: Place, value: unknown): Readonly<Record<string, unknown>>[] {
  const rows = listOf(value);
  if (rows === null) throw typeError(place, describe(value), "an array");
  rows.forEach((row, i) => {
    if (typeof row === "object" && row !== null && !Array.isArray(row)) return;
    throw typeError({ op: place.op, argument: `${place.argument}[${i}]` }, describe(row), "an object");
  });
  return rows as Readonly<Record<string, unknown>>[];
}

export function finiteOf(row: Row, member: string, value: unknown): number {
  if (typeof value !== "number") throw typeError(placeOf(row, member), describe(value), "a number");
  if (!Number.isFinite(value)) throw rangeError(placeOf(row, member), value, "a finite number");
  return value;
}

/** As many finite numbers, copied. */
export function numbersOf(row: Row, member: string, value: unknown, length: number, meaning: string): number[] {
  const numbers = listOf(value);
  if (numbers?.length !== length) throw typeError(placeOf(row, member), describe(value), meaning);
  for (let i = 0; i < length; i++) {
    if (!Number.isFinite(numbers[i])) finiteOf(row, `${member}[${i}]`, numbers[i]);
  }
  return numbers as number[];
}

/** Refuses a box without area. */
export function positiveSides(row: Row, box: readonly number[], meaning: string, member = "bbox"): void {
  if (box[2] > 0 && box[3] > 0) return;
  throw rangeError(placeOf(row, member), `[${box.join(", ")}]`, `${meaning}, with width and height over 0`);
}
