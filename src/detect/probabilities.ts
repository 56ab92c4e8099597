/**
 * Scores that a head says are probabilities: what lies outside [0, 1] shows that they are logits.
 */
import { LEAST_PROBABILITY, MOST_PROBABILITY } from "../heads/values.ts";
import type { HeadSpec } from "../types.ts";
import { type Place, rangeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";

/** Rows of values in linear memory. */
export interface Values {
  readonly pointer: number;
  /** Bytes from one row to the next. */
  readonly stride: number;
  readonly rows: number;
  readonly columns: number;
}

/** Refuses a value outside; NaN is none. */
export function checkProbabilities(
  { memory }: WasmBackend,
  place: Place,
  head: HeadSpec,
  { pointer, stride, rows, columns }: Values,
): void {
  const { floats } = memory;
  for (let row = 0; row < rows; row++) {
    const first = (pointer + row * stride) >>> 2;
    for (let i = first; i < first + columns; i++) checkProbability(place, head, floats[i]);
  }
}

/** Refuses a value outside. */
export function checkProbability(place: Place, head: HeadSpec, value: number): void {
  if (value < LEAST_PROBABILITY || value > MOST_PROBABILITY) throw scoreError(place, head, value);
}

export function scoreError({ op, argument }: Place, { name }: Pick<HeadSpec, "name">, value: number): RangeError {
  const wanted = `probabilities, from 0 to 1, for head ${name}; raw logits are scores: "logits"`;
  return rangeError({ op, argument: `a score in ${argument}` }, Number(value.toPrecision(7)), wanted);
}
