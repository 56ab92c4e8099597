// Exponentials of distributions, a tile at a time and transposed: the lanes of a vector are four distributions.

import { EXP_MIN, softmaxExp } from "../math";

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

/** SHIFTED = x - max over the bins; infinite logits as the largest finite ones. */
function shiftTile(bins: i32): void {
  const most = f32x4.splat(f32.MAX_VALUE);
  const least = f32x4.splat(-f32.MAX_VALUE);
  for (let i: usize = 0; i < STRIDE; i += 16) {
    let peak = least;
    for (let bin = 0; bin < bins; bin++) {
      peak = f32x4.pmax(peak, f32x4.min(v128.load(LOGITS + i + <usize> bin * STRIDE), most));
    }
    for (let bin = 0; bin < bins; bin++) {
      const at = i + <usize> bin * STRIDE;
      const x = f32x4.max(f32x4.min(v128.load(LOGITS + at), most), least);
      v128.store(SHIFTED + at, f32x4.max(f32x4.sub(x, peak), f32x4.splat(EXP_MIN)));
    }
  }
}
