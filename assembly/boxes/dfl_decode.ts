// Expectation of the softmax over the bins of each box side.
//
// Softmax needs no maximum subtracted while exp and the sums stay in range. Where they do not, the logits are shifted by
// their maximum; that is decided anchor by anchor, so that no neighbour and no cut of the input changes a bit.
//
// The sum weighted by the bin is a sum of suffix sums: additions alone, whose errors are small where the mean is. Bins are added
// up by fours and eights first: in one long row of additions, what each loses to a large sum would pass the bound (measured for 64
// bins: 1.1e-6 of the range; so it is 3.5e-7).

import { laneMask, madd, storeTransposed, sumOfFour, sumRows } from "../lanes";
import { EXP_MIN, inSoftmaxRange, isSoundSum, softmaxExp, underPeak } from "../math";

/** Floats of a block of exponentials: small enough for the first-level cache. */
const BLOCK: i32 = 2048;
/** Anchors of a channels-first tile. */
const TILE: i32 = 128;
const MAX_BINS: i32 = 64;
const EXP = memory.data(<i32> (MAX_BINS * TILE * 4 + 64), 16);

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
    const safe = softmaxExp(src, 0, EXP, 0, 1, (floats + 15) & ~15);
    let exps = EXP;
    for (let i = 0; i < anchors; i++) {
      const usable = safe || isInRange(src, width);
      if (!usable || !decodeAnchor(exps, bins, first, step, dst)) {
        expShifted(src, bins);
        decodeAnchor(SHIFTED, bins, first, step, dst);
      }
      src += <usize> width << 2;
      exps += <usize> width << 2;
      dst += 16;
    }
  }
}

function isInRange(row: usize, width: i32): bool {
  const end = row + (<usize> width << 2);
  let inside = i32x4.splat(-1);
  for (; row < end; row += 16) inside = v128.and(inside, inSoftmaxRange(v128.load(row)));
  return v128.all_true<i32>(inside);
}

const SHIFTED = memory.data(<i32> (4 * MAX_BINS * 4), 16);

/** SHIFTED = exp(x - max) for the four sides of one anchor. */
function expShifted(row: usize, bins: i32): void {
  let to = SHIFTED;
  for (let side = 0; side < 4; side++) {
    let peak = -Infinity as f32;
    for (let i = 0; i < bins; i++) {
      const x = load<f32>(row + (<usize> i << 2));
      if (x > peak) peak = x;
    }
    for (let i = 0; i < bins; i++) {
      const x = load<f32>(row + (<usize> i << 2));
      // Infinite logits have their limit: shares of the largest.
      store<f32>(to, x == peak ? 0 : max(x - peak, EXP_MIN));
      to += 4;
    }
    row += <usize> bins << 2;
  }
  softmaxExp(SHIFTED, 0, SHIFTED, 0, 1, (4 * bins + 15) & ~15);
}

/**
 * dst = first + step * expectation for four sides of `bins` exponentials each, one lane a side. Returns whether the sums can
 * be trusted.
 */
function decodeAnchor(exps: usize, bins: i32, first: f32, step: f32, dst: usize): bool {
  const side = <usize> bins << 2;
  const whole = exps + (<usize> (bins & ~15) << 2);
  let at = exps + (<usize> ((bins + 3) & ~3) << 2);
  // By lane, from the last bins down: a is the sum so far, b that weighted by the vector, c by the four vectors.
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  if (at > whole) {
    at -= 16;
    const mask = laneMask(bins - (<i32> (at - exps) >> 2));
    a0 = v128.and(v128.load(at), mask);
    a1 = v128.and(v128.load(at + side), mask);
    a2 = v128.and(v128.load(at + 2 * side), mask);
    a3 = v128.and(v128.load(at + 3 * side), mask);
  }
  let b0 = f32x4.splat(0);
  let b1 = b0;
  let b2 = b0;
  let b3 = b0;
  while (at > whole) {
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
  let c0 = f32x4.splat(0);
  let c1 = c0;
  let c2 = c0;
  let c3 = c0;
  while (at > exps) {
    at -= 64;
    c0 = f32x4.add(c0, a0);
    c1 = f32x4.add(c1, a1);
    c2 = f32x4.add(c2, a2);
    c3 = f32x4.add(c3, a3);
    a0 = f32x4.add(a0, sumOfFour(at, 16));
    a1 = f32x4.add(a1, sumOfFour(at + side, 16));
    a2 = f32x4.add(a2, sumOfFour(at + 2 * side, 16));
    a3 = f32x4.add(a3, sumOfFour(at + 3 * side, 16));
    b0 = f32x4.add(b0, placeOfFour(at, 16));
    b1 = f32x4.add(b1, placeOfFour(at + side, 16));
    b2 = f32x4.add(b2, placeOfFour(at + 2 * side, 16));
    b3 = f32x4.add(b3, placeOfFour(at + 3 * side, 16));
  }
  const iota = f32x4(0, 1, 2, 3);
  const four = f32x4.splat(4);
  const weighted = sumRows(
    madd(madd(c0, four, b0), four, f32x4.mul(a0, iota)),
    madd(madd(c1, four, b1), four, f32x4.mul(a1, iota)),
    madd(madd(c2, four, b2), four, f32x4.mul(a2, iota)),
    madd(madd(c3, four, b3), four, f32x4.mul(a3, iota)),
  );
  const sum = sumRows(a0, a1, a2, a3);
  v128.store(dst, valueOf(weighted, sum, first, step));
  return v128.all_true<i32>(isSoundSum(sum));
}

/** first + step * weighted / sum. */
// @ts-ignore: decorator
@inline
function valueOf(weighted: v128, sum: v128, first: f32, step: f32): v128 {
  return f32x4.add(f32x4.splat(first), f32x4.mul(f32x4.splat(step), f32x4.div(weighted, sum)));
}

const SIDES = memory.data(<i32> (4 * TILE * 4), 16);
const SOUND = memory.data(<i32> (TILE * 4), 16);
const KEEP = memory.data(<i32> (TILE * 4), 16);
const FIRST_TRY = memory.data(<i32> (TILE * 4), 16);

/** src (4 * bins, count), rows `rowStride` bytes apart → dst (count, 4). Rows may be read 60 bytes past their end. */
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
      decodeTile(rows, rowStride, (anchors + 15) & ~15, bins, first, step, SIDES + (<usize> (side * TILE) << 2));
      rows += rowStride * <usize> bins;
    }
    storeSides(anchors, dst);
    dst += <usize> anchors << 4;
  }
}

/** dst (columns): one side of a tile. What the padding holds costs time at worst. */
function decodeTile(
  src: usize,
  rowStride: usize,
  columns: i32,
  bins: i32,
  first: f32,
  step: f32,
  dst: usize,
): void {
  const stride = <usize> columns << 2;
  const safe = softmaxExp(src, rowStride, EXP, stride, bins, columns);
  const sound = reduceTile(stride, bins, first, step, dst);
  if (safe && sound) return;
  if (!safe) narrowSound(src, rowStride, stride, bins);
  memory.copy(KEEP, SOUND, stride);
  memory.copy(FIRST_TRY, dst, stride);
  shiftTile(src, rowStride, stride, bins);
  softmaxExp(EXP, stride, EXP, stride, bins, columns);
  reduceTile(stride, bins, first, step, dst);
  for (let i: usize = 0; i < stride; i += 16) {
    v128.store(dst + i, v128.bitselect(v128.load(FIRST_TRY + i), v128.load(dst + i), v128.load(KEEP + i)));
  }
}

/** dst = first + step * expectation of the tile's exponentials; SOUND and the result tell whose sums can be trusted. */
function reduceTile(stride: usize, bins: i32, first: f32, step: f32, dst: usize): bool {
  const eight = f32x4.splat(8);
  let all = i32x4.splat(-1);
  for (let i: usize = 0; i < stride; i += 16) {
    const start = EXP + i;
    const whole = start + stride * <usize> (bins & ~7);
    let at = start + stride * <usize> bins;
    // Weighted by the bin's place in its eight, and by the number of its eight.
    let sum = f32x4.splat(0);
    let within = sum;
    let eights = sum;
    while (at > whole) {
      at -= stride;
      within = f32x4.add(within, sum);
      sum = f32x4.add(sum, v128.load(at));
    }
    while (at > start) {
      at -= 8 * stride;
      const low = sumOfFour(at, stride);
      const high = sumOfFour(at + 4 * stride, stride);
      const places = f32x4.add(placeOfFour(at, stride), placeOfFour(at + 4 * stride, stride));
      eights = f32x4.add(eights, sum);
      sum = f32x4.add(sum, f32x4.add(low, high));
      within = f32x4.add(within, madd(high, f32x4.splat(4), places));
    }
    const sound = isSoundSum(sum);
    v128.store(SOUND + i, sound);
    all = v128.and(all, sound);
    v128.store(dst + i, valueOf(madd(eights, eight, within), sum, first, step));
  }
  return v128.all_true<i32>(all);
}

/** e1 + 2 e2 + 3 e3. */
// @ts-ignore: decorator
@inline
function placeOfFour(at: usize, stride: usize): v128 {
  const last = v128.load(at + 3 * stride);
  const high = f32x4.add(v128.load(at + 2 * stride), last);
  return f32x4.add(f32x4.add(v128.load(at + stride), last), f32x4.add(high, high));
}

/** SOUND: only where each of the anchor's own logits is within the range of exp. */
function narrowSound(src: usize, rowStride: usize, stride: usize, bins: i32): void {
  for (let bin = 0; bin < bins; bin++) {
    for (let i: usize = 0; i < stride; i += 16) {
      v128.store(SOUND + i, v128.and(v128.load(SOUND + i), inSoftmaxRange(v128.load(src + i))));
    }
    src += rowStride;
  }
}

/** EXP = x - max over the bins, for a whole tile. */
function shiftTile(src: usize, rowStride: usize, stride: usize, bins: i32): void {
  for (let i: usize = 0; i < stride; i += 16) {
    let peak = f32x4.splat(-Infinity);
    let from = src + i;
    for (let bin = 0; bin < bins; bin++) {
      // pmax drops a NaN of its second operand.
      peak = f32x4.pmax(peak, v128.load(from));
      from += rowStride;
    }
    from = src + i;
    let to = EXP + i;
    for (let bin = 0; bin < bins; bin++) {
      v128.store(to, underPeak(v128.load(from), peak));
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
