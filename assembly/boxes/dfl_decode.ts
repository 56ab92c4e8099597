// Expectation of the softmax over the bins of each box side.
//
// Softmax needs no maximum subtracted while exp and the sums stay in range. Where they do not, the logits are shifted by
// their maximum; that is decided anchor by anchor, so that no neighbour and no cut of the input changes a bit.
//
// Bins are counted from a middle one, and added up from both ends towards it: of as many additions, none has more than half of
// the others behind it, and what they lose is multiplied by half the range at most (worst of 2 to 64 bins: 3e-7 of the range; from
// one end 1.1e-6). A sum weighted by the bin is a sum of sums.

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
  const lastVector = (bins - 1) & ~3;
  const middle = ((bins + 3) >> 3) << 2;
  const centre = exps + (<usize> middle << 2);
  const mask = laneMask(bins - lastVector);
  let at = exps + (<usize> lastVector << 2);
  // By lane, from the last bins down to the middle: a is the sum so far, b the sum of the a before it.
  let a0 = v128.and(v128.load(at), mask);
  let a1 = v128.and(v128.load(at + side), mask);
  let a2 = v128.and(v128.load(at + 2 * side), mask);
  let a3 = v128.and(v128.load(at + 3 * side), mask);
  let b0 = f32x4.splat(0);
  let b1 = b0;
  let b2 = b0;
  let b3 = b0;
  while (at > centre) {
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
  // From the first bins up to the middle: c is the sum so far, and counts against b.
  let c0 = f32x4.splat(0);
  let c1 = c0;
  let c2 = c0;
  let c3 = c0;
  for (at = exps; at < centre; at += 16) {
    c0 = f32x4.add(c0, v128.load(at));
    c1 = f32x4.add(c1, v128.load(at + side));
    c2 = f32x4.add(c2, v128.load(at + 2 * side));
    c3 = f32x4.add(c3, v128.load(at + 3 * side));
    b0 = f32x4.sub(b0, c0);
    b1 = f32x4.sub(b1, c1);
    b2 = f32x4.sub(b2, c2);
    b3 = f32x4.sub(b3, c3);
  }
  a0 = f32x4.add(a0, c0);
  a1 = f32x4.add(a1, c1);
  a2 = f32x4.add(a2, c2);
  a3 = f32x4.add(a3, c3);
  const iota = f32x4(0, 1, 2, 3);
  const four = f32x4.splat(4);
  const weighted = sumRows(
    madd(b0, four, f32x4.mul(a0, iota)),
    madd(b1, four, f32x4.mul(a1, iota)),
    madd(b2, four, f32x4.mul(a2, iota)),
    madd(b3, four, f32x4.mul(a3, iota)),
  );
  const sum = sumRows(a0, a1, a2, a3);
  v128.store(dst, valueOf(weighted, sum, middle, first, step));
  return v128.all_true<i32>(isSoundSum(sum));
}

/** first + step * (middle + weighted / sum). */
// @ts-ignore: decorator
@inline
function valueOf(weighted: v128, sum: v128, middle: i32, first: f32, step: f32): v128 {
  const mean = f32x4.add(f32x4.splat(<f32> middle), f32x4.div(weighted, sum));
  return f32x4.add(f32x4.splat(first), f32x4.mul(f32x4.splat(step), mean));
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
  const four = f32x4.splat(4);
  const middle = (bins >> 3) << 2;
  let all = i32x4.splat(-1);
  for (let i: usize = 0; i < stride; i += 16) {
    const start = EXP + i;
    const centre = start + stride * <usize> middle;
    const whole = start + stride * <usize> (bins & ~3);
    let sum = f32x4.splat(0);
    // Weighted by the bin's place in its four, and by the number of its four.
    let within = sum;
    let fours = sum;
    let at = start + stride * <usize> bins;
    while (at > whole) {
      at -= stride;
      within = f32x4.add(within, sum);
      sum = f32x4.add(sum, v128.load(at));
    }
    while (at > centre) {
      at -= 4 * stride;
      fours = f32x4.add(fours, sum);
      sum = f32x4.add(sum, sumOfFour(at, stride));
      within = f32x4.add(within, placeOfFour(at, stride));
    }
    let below = f32x4.splat(0);
    for (at = start; at < centre; at += 4 * stride) {
      below = f32x4.add(below, sumOfFour(at, stride));
      fours = f32x4.sub(fours, below);
      within = f32x4.add(within, placeOfFour(at, stride));
    }
    sum = f32x4.add(sum, below);
    const sound = isSoundSum(sum);
    v128.store(SOUND + i, sound);
    all = v128.and(all, sound);
    v128.store(dst + i, valueOf(madd(fours, four, within), sum, middle, first, step));
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
