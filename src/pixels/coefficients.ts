/**
 * Coefficients of resizing, as OpenCV has them for bytes: whole numbers of 11 bits. Every device uses these tables.
 */
import { roundHalfToEven } from "./geometry.ts";

/** Sum of an output pixel's coefficients. */
export const UNIT = 2048;

/** What the output pixels of one axis are made of: pixel i of `taps` neighbours from first[i] on. */
export interface Taps {
  readonly taps: number;
  readonly first: Int32Array;
  /** (out, taps). */
  readonly coefficients: Int16Array;
}

/** Bilinear, half-pixel centres. Outside, the edge's pixel counts for what is missing: see `clamped`. */
export function bilinearTaps(from: number, to: number): Taps {
  // The reciprocal of a quotient, and floats: other roundings move coefficients.
  const step = 1 / (to / from);
  const first = new Int32Array(to);
  const coefficients = new Int16Array(2 * to);
  for (let i = 0; i < to; i++) {
    const centre = Math.fround((i + 0.5) * step - 0.5);
    first[i] = Math.floor(centre);
    const fraction = Math.fround(centre - first[i]);
    coefficients[2 * i] = roundHalfToEven(Math.fround(1 - fraction) * UNIT);
    coefficients[2 * i + 1] = roundHalfToEven(fraction * UNIT);
  }
  return { taps: 2, first, coefficients };
}

/** The same sums over pixels that are there: coefficients of those that are not go to the edge's. */
export function clamped({ taps, first, coefficients }: Taps, length: number): Taps {
  const within = { taps, first: new Int32Array(first.length), coefficients: new Int16Array(coefficients.length) };
  const last = Math.max(0, length - taps);
  for (let i = 0; i < first.length; i++) {
    const start = Math.min(Math.max(first[i], 0), last);
    within.first[i] = start;
    for (let k = 0; k < taps; k++) {
      const at = Math.min(Math.max(first[i] + k, 0), length - 1);
      within.coefficients[taps * i + at - start] += coefficients[taps * i + k];
    }
  }
  return within;
}
