// Exponentials of distributions, a tile at a time and transposed: the lanes of a vector are four distributions.

import { sumOfFour } from "../lanes";
import { softmaxExp, underPeak } from "../math";

/** Distributions of a tile. */
export const TILE: i32 = 16;
/** Bytes from one bin of a tile to the next. */
export const STRIDE: usize = <usize> TILE << 2;
const MAX_BINS: i32 = 64;
const LOGITS = memory.data(<i32> (MAX_BINS * TILE * 4), 16);
/** (bins, TILE): the logits less the largest of their distribution. */
export const SHIFTED = memory.data(<i32> (MAX_BINS * TILE * 4), 16);
/** (bins, TILE): exp of those. */
export const EXP = memory.data(<i32> (MAX_BINS * TILE * 4), 16);

/** Fills SHIFTED and EXP from up to TILE distributions; value (i, bin) stands at src + i * rowStride + bin * binStride. */
export function softmaxTile(src: usize, rowStride: usize, binStride: usize, rows: i32, bins: i32): void {
  loadTile(src, rowStride, binStride, rows, bins);
  shiftTile(bins);
  softmaxExp(SHIFTED, STRIDE, EXP, STRIDE, bins, TILE);
}

/** LOGITS (bins, TILE); lanes past the last distribution keep what they had. */
function loadTile(src: usize, rowStride: usize, binStride: usize, rows: i32, bins: i32): void {
  for (let i = 0; i < rows; i++) {
    let from = src + <usize> i * rowStride;
    let to = LOGITS + (<usize> i << 2);
    for (let bin = 0; bin < bins; bin++) {
      store<f32>(to, load<f32>(from));
      from += binStride;
      to += STRIDE;
    }
  }
}

/** SHIFTED = x - max over the bins. */
function shiftTile(bins: i32): void {
  for (let i: usize = 0; i < STRIDE; i += 16) {
    let peak = f32x4.splat(-Infinity);
    for (let bin = 0; bin < bins; bin++) {
      // pmax drops a NaN of its second operand.
      peak = f32x4.pmax(peak, v128.load(LOGITS + i + <usize> bin * STRIDE));
    }
    for (let bin = 0; bin < bins; bin++) {
      const at = i + <usize> bin * STRIDE;
      v128.store(SHIFTED + at, underPeak(v128.load(LOGITS + at), peak));
    }
  }
}

/** Sum over the bins of four distributions of a tile, whose exponentials begin at `at`: no term has many additions behind it. */
export function sumOfBins(at: usize, bins: i32): v128 {
  const end = at + <usize> bins * STRIDE;
  const whole = at + <usize> (bins & ~7) * STRIDE;
  let sum = f32x4.splat(0);
  for (let tail = whole; tail < end; tail += STRIDE) sum = f32x4.add(sum, v128.load(tail));
  for (; at < whole; at += 8 * STRIDE) {
    sum = f32x4.add(sum, f32x4.add(sumOfFour(at, STRIDE), sumOfFour(at + 4 * STRIDE, STRIDE)));
  }
  return sum;
}
