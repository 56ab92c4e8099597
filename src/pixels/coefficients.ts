/**
 * Coefficients of resizing, as OpenCV has them for bytes. Whole numbers, so that every device makes the same bytes of them.
 */
import type { Placed } from "./geometry.ts";
import { roundHalfToEven } from "./geometry.ts";
import type { CheckedInput } from "./input.ts";

/** How bytes are resized; "bilinear-area" is what OpenCV makes of INTER_AREA where not both sides shrink. */
export type Method = CheckedInput["resize"] | "bilinear-area";

/** What an output pixel of one axis is made of: `taps` neighbours from first[i] on. The first or last of them may be outside. */
export interface Taps {
  readonly taps: number;
  readonly first: Int32Array;
  /** (length, taps), 2048 together. */
  readonly coefficients: Int16Array;
}

/** The pixels that each output pixel of one axis covers. */
export interface Cells {
  /** Exponent of a whole pixel's weight, 2^shift. */
  readonly shift: number;
  /** The first pixel that is covered whole, and how many are. */
  readonly first: Int32Array;
  readonly whole: Int32Array;
  /** Weights of the pixel before these, and of the one after. */
  readonly before: Int32Array;
  readonly after: Int32Array;
}

/** How an image becomes one of the placed size. */
export function methodOf(resize: CheckedInput["resize"], image: Size, placed: Placed): Method {
  if (resize !== "area") return resize;
  const shrinks = image.width >= placed.width && image.height >= placed.height;
  if (!shrinks) return "bilinear-area";
  // Means of four, halves up: so OpenCV has them, and so bilinear makes them.
  const halves = image.width === 2 * placed.width && image.height === 2 * placed.height;
  return halves ? "bilinear" : "area";
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Pixels of one axis that a result has as they are: the first of them, and how far they stand apart. */
export interface Pick {
  readonly first: number;
  readonly step: number;
}

/** The pixels that are the middle of an odd number each, or all: then neighbours have no weight. Null where they have some. */
export function pickOf(method: Method, from: number, to: number): Pick | null {
  const step = from / to;
  const isPick = step === 1 || (step % 2 === 1 && (method === "bilinear" || method === "bicubic"));
  return isPick ? { first: (step - 1) / 2, step } : null;
}

const UNIT = 2048;

/** Neighbours along an axis of `from` pixels that becomes one of `to`. */
export function tapsOf(method: Exclude<Method, "area">, from: number, to: number): Taps {
  const taps = method === "bicubic" ? 4 : 2;
  const first = new Int32Array(to);
  const coefficients = new Int16Array(taps * to);
  const place = method === "bilinear-area" ? areaPlace : centrePlace;
  const share = method === "bicubic" ? cubicShare : linearShare;
  for (let i = 0; i < to; i++) {
    const at = place(i, to / from);
    const pixel = Math.floor(at);
    first[i] = pixel - (taps / 2 - 1);
    for (let k = 0; k < taps; k++) {
      coefficients[taps * i + k] = roundHalfToEven(share(Math.fround(at - pixel), k) * UNIT);
    }
  }
  return { taps, first, coefficients };
}

/**
 * An output pixel's centre in pixels of the source. OpenCV divides by the ratio's reciprocal and keeps a float: other roundings
 * give other coefficients.
 */
function centrePlace(i: number, ratio: number): number {
  return Math.fround((i + 0.5) * (1 / ratio) - 0.5);
}

/** The pixel that an output pixel begins in, and with it the part of the output pixel behind it. */
function areaPlace(i: number, ratio: number): number {
  const pixel = Math.floor(i * (1 / ratio));
  const behind = Math.fround(i + 1 - (pixel + 1) * ratio);
  return behind <= 0 ? pixel : pixel + behind - Math.floor(behind);
}

function linearShare(x: number, k: number): number {
  return k === 0 ? Math.fround(1 - x) : x;
}

/** Keys' cubic convolution with a = −0.75, of neighbours at the distances 1 + x, x, 1 − x and 2 − x. */
function cubicShare(x: number, k: number): number {
  const a = -0.75;
  const distance = Math.abs(x + 1 - k);
  if (distance <= 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
  return ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a;
}

/** The same sums over neighbours that are there: coefficients of those outside go to the edge's pixel. */
export function clamped({ taps, first, coefficients }: Taps, from: number): Taps {
  const within = { taps, first: new Int32Array(first.length), coefficients: new Int16Array(coefficients.length) };
  const last = Math.max(0, from - taps);
  for (let i = 0; i < first.length; i++) {
    const start = Math.min(Math.max(first[i], 0), last);
    within.first[i] = start;
    for (let k = 0; k < taps; k++) {
      const at = Math.min(Math.max(first[i] + k, 0), from - 1);
      within.coefficients[taps * i + at - start] += coefficients[taps * i + k];
    }
  }
  return within;
}

/** Pixels that a cell may cover along one axis. A weight of 4096, for both axes, times a byte has 32 bits. */
export const MOST_COVERED = 4095;

/** Parts of a pixel that OpenCV leaves out. */
const NOTHING = 1e-3;

/** Cells along an axis of `from` pixels that becomes one of `to`, which is not longer and at least a 4095th. */
export function cellsOf(from: number, to: number): Cells {
  const size = 1 / (to / from);
  const shift = Math.max(0, Math.floor(Math.log2(MOST_COVERED / size)));
  const [first, whole, before, after] = [0, 1, 2, 3].map(() => new Int32Array(to));
  for (let i = 0; i < to; i++) {
    const [start, end] = [i * size, i * size + size];
    const last = Math.min(Math.floor(end), from - 1);
    first[i] = Math.min(Math.ceil(start), last);
    whole[i] = last - first[i];
    const [head, tail] = [first[i] - start, Math.min(end - last, 1, from - start)];
    before[i] = head > NOTHING ? Math.round(head * 2 ** shift) : 0;
    after[i] = tail > NOTHING ? Math.round(tail * 2 ** shift) : 0;
  }
  return { shift, first, whole, before, after };
}
