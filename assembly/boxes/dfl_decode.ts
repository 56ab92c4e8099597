// Expectation of the softmax over the bins of each box side.
//
// Softmax needs no maximum subtracted while every logit is small enough for exp: a range check decides (per anchor for
// rows, per tile for channels), and what lies outside is shifted by its maximum first. The sum weighted by the bin is a sum
// of suffix sums: additions alone.

import { laneMask, madd, storeTransposed, sumRows } from "../lanes";
import { EXP_MIN, EXP_SAFE, expRows } from "../math";

/** Floats of a block of exponentials: small enough for the first-level cache. */
const BLOCK: i32 = 2048;
/** Anchors of a channels-first tile. */
const TILE: i32 = 128;
const MAX_BINS: i32 = 64;
const EXP = memory.data(<i32> (MAX_BINS * TILE * 4 + 64), 16);
const PEAK = memory.data(<i32> (TILE * 4), 16);
const SIDES = memory.data(<i32> (4 * TILE * 4), 16);

/** src (count, 4 * bins) → dst (count, 4): first + step * expectation. */
export function dfl_decode_rows(
  src: usize,
  count: i32,
  bins: i32,
  first: f32,
  step: f32,
  dst: usize,
): void {
  const width = bins << 2;
  const perBlock = max(1, BLOCK / width);
  for (let done = 0; done < count; done += perBlock) {
    const anchors = min(perBlock, count - done);
    const floats = anchors * width;
    expRows(src, 0, EXP, 0, 1, (floats + 15) & ~15);
    let row = src;
    let exps = EXP;
    for (let i = 0; i < anchors; i++) {
      if (!isSafe(row, width)) expShifted(row, bins, exps);
      v128.store(dst, f32x4.add(f32x4.splat(first), f32x4.mul(f32x4.splat(step), expectation(exps, bins))));
      row += <usize> width << 2;
      exps += <usize> width << 2;
      dst += 16;
    }
    src += <usize> floats << 2;
  }
}

/** Are all logits of the row within the range of exp? NaN counts as safe: it stays NaN. */
// @ts-ignore: decorator

function isSafe(row: usize, width: i32): bool {
  const end = row + (<usize> width << 2);
  let m = f32x4.splat(0);
  for (; row < end; row += 16) m = f32x4.pmax(m, f32x4.abs(v128.load(row)));
  return !v128.any_true(f32x4.gt(m, f32x4.splat(EXP_SAFE)));
}

/** exps = exp(x - max) for the four sides of one anchor. Infinite logits have their limit: shares of the largest. */
function expShifted(row: usize, bins: i32, exps: usize): void {
  for (let side = 0; side < 4; side++) {
    let peak: f32 = -f32.MAX_VALUE;
    for (let i = 0; i < bins; i++) {
      const x = min(load<f32>(row + (<usize> i << 2)), f32.MAX_VALUE);
      if (x > peak) peak = x;
    }
    for (let i = 0; i < bins; i++) {
      const x = max(min(load<f32>(row + (<usize> i << 2)), f32.MAX_VALUE), -f32.MAX_VALUE);
      store<f32>(SHIFTED + (<usize> (side * bins + i) << 2), max(x - peak, EXP_MIN));
    }
    row += <usize> bins << 2;
  }
  // The block's neighbours stand right behind: exponentiate aside, then copy only this anchor's.
  expRows(SHIFTED, 0, SHIFTED, 0, 1, (4 * bins + 15) & ~15);
  memory.copy(exps, SHIFTED, <usize> bins << 4);
}
const SHIFTED = memory.data(<i32> (4 * MAX_BINS * 4), 16);

/** Expectation of the bin index for four sides of `bins` exponentials each; lane = side. */
// @ts-ignore: decorator

function expectation(exps: usize, bins: i32): v128 {
  const side = <usize> bins << 2;
  const lastVector = (bins - 1) & ~3;
  const mask = laneMask(bins - lastVector);
  let at = exps + (<usize> lastVector << 2);
  // Suffix sums by lane, from the last bins down: a is the sum so far, b the sum of the a before it.
  let a0 = v128.and(v128.load(at), mask);
  let a1 = v128.and(v128.load(at + side), mask);
  let a2 = v128.and(v128.load(at + 2 * side), mask);
  let a3 = v128.and(v128.load(at + 3 * side), mask);
  let b0 = f32x4.splat(0);
  let b1 = b0;
  let b2 = b0;
  let b3 = b0;
  while (at > exps) {
    at -= 16;
    b0 = f32x4.add(b0, a0);
    b1 = f32x4.add(b1, a1);
    b2 = f32x4.add(b2, a2);
    b3 = f32x4.add(b3, a3);
    a0 = f32x4.add(a0, v128.load(at));
    a1 = f32x4.add(a1, v128.load(at + side));
    a2 = f32x4.add(a2, v128.load(at + 2 * side));
    a3 = f32x4.add(a3, v128.load(at + 3 * side));
  }
  const iota = f32x4(0, 1, 2, 3);
  const four = f32x4.splat(4);
  const weighted = sumRows(
    madd(b0, four, f32x4.mul(a0, iota)),
    madd(b1, four, f32x4.mul(a1, iota)),
    madd(b2, four, f32x4.mul(a2, iota)),
    madd(b3, four, f32x4.mul(a3, iota)),
  );
  return f32x4.div(weighted, sumRows(a0, a1, a2, a3));
}

/** src (4 * bins, count), rows `rowStride` bytes apart → dst (count, 4). Source rows may be read 60 bytes past their end. */
export function dfl_decode_channels(
  src: usize,
  rowStride: usize,
  count: i32,
  bins: i32,
  first: f32,
  step: f32,
  dst: usize,
): void {
  for (let done = 0; done < count; done += TILE) {
    const anchors = min(TILE, count - done);
    let rows = src + (<usize> done << 2);
    for (let side = 0; side < 4; side++) {
      decodeTile(rows, rowStride, anchors, bins, first, step, SIDES + (<usize> (side * TILE) << 2));
      rows += rowStride * <usize> bins;
    }
    storeSides(anchors, dst);
    dst += <usize> anchors << 4;
  }
}

function decodeTile(
  src: usize,
  rowStride: usize,
  anchors: i32,
  bins: i32,
  first: f32,
  step: f32,
  dst: usize,
): void {
  const columns = (anchors + 15) & ~15;
  const stride = <usize> columns << 2;
  if (isTileSafe(src, rowStride, bins, anchors)) {
    expRows(src, rowStride, EXP, stride, bins, columns);
  } else {
    shiftTile(src, rowStride, bins, columns);
    expRows(EXP, stride, EXP, stride, bins, columns);
  }
  const scale = f32x4.splat(step);
  const start = f32x4.splat(first);
  for (let i: usize = 0; i < stride; i += 16) {
    let at = EXP + i + stride * <usize> (bins - 1);
    let sum = v128.load(at);
    let weighted = f32x4.splat(0);
    while (at > EXP + i) {
      at -= stride;
      weighted = f32x4.add(weighted, sum);
      sum = f32x4.add(sum, v128.load(at));
    }
    v128.store(dst + i, f32x4.add(start, f32x4.mul(scale, f32x4.div(weighted, sum))));
  }
}

/** As `isSafe`, for the anchors of a tile; the last vector may look past them, at worst for a needless shift. */
// @ts-ignore: decorator

function isTileSafe(src: usize, rowStride: usize, bins: i32, anchors: i32): bool {
  const bytes = <usize> anchors << 2;
  let m = f32x4.splat(0);
  for (let bin = 0; bin < bins; bin++) {
    for (let i: usize = 0; i < bytes; i += 16) m = f32x4.pmax(m, f32x4.abs(v128.load(src + i)));
    src += rowStride;
  }
  return !v128.any_true(f32x4.gt(m, f32x4.splat(EXP_SAFE)));
}

/** EXP = x - max over the bins, for a whole tile. */
function shiftTile(src: usize, rowStride: usize, bins: i32, columns: i32): void {
  const most = f32x4.splat(f32.MAX_VALUE);
  const least = f32x4.splat(-f32.MAX_VALUE);
  const stride = <usize> columns << 2;
  for (let i: usize = 0; i < stride; i += 16) {
    let peak = least;
    let from = src + i;
    for (let bin = 0; bin < bins; bin++) {
      peak = f32x4.pmax(peak, f32x4.min(v128.load(from), most));
      from += rowStride;
    }
    v128.store(PEAK + i, peak);
    from = src + i;
    let to = EXP + i;
    for (let bin = 0; bin < bins; bin++) {
      const x = f32x4.max(f32x4.min(v128.load(from), most), least);
      v128.store(to, f32x4.max(f32x4.sub(x, peak), f32x4.splat(EXP_MIN)));
      from += rowStride;
      to += stride;
    }
  }
}

/** dst (anchors, 4) from the four side rows of a tile. */
function storeSides(anchors: i32, dst: usize): void {
  const row: usize = <usize> TILE << 2;
  let at = SIDES;
  let i = 0;
  for (; i + 4 <= anchors; i += 4) {
    storeTransposed(dst, v128.load(at), v128.load(at + row), v128.load(at + 2 * row), v128.load(at + 3 * row));
    at += 16;
    dst += 64;
  }
  for (; i < anchors; i++) {
    for (let side: usize = 0; side < 4; side++) store<f32>(dst + (side << 2), load<f32>(at + side * row));
    at += 4;
    dst += 16;
  }
}
