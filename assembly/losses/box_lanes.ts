// Geometry of four pairs of boxes, for the box losses (box_loss.ts): each coordinate in a vector of its own.

import { select, storeTransposed } from "../lanes";

/** By lane: ones if the gradient of a pair is to be done in float64. */
export const HARD = memory.data(16, 16);
/** What products of a pair that fits are under. */
const LIMIT: f32 = 1.329228e36; // 2^120
/** V8 rebuilds a splat at every use, in five instructions. A load is one if its place is one constant, as TABLE + 4: an offset is one more. */
const NUMBERS = memory.data<f32>([1, 0.5, 2, -0.0, LIMIT]);

/** The losses of four pairs of boxes; with `gradient`, their gradients to `to`. */
// @ts-ignore: decorator
@inline
export function costOf<K>(
  k: K,
  gradient: bool,
  to: usize,
  scale: v128,
  eps: v128,
  pred: usize,
  target: usize,
): v128 {
  const p0 = v128.load(pred);
  const p1 = v128.load(pred, 16);
  const p2 = v128.load(pred, 32);
  const p3 = v128.load(pred, 48);
  const p01 = v128.shuffle<f32>(p0, p1, 0, 4, 1, 5);
  const p23 = v128.shuffle<f32>(p2, p3, 0, 4, 1, 5);
  const q01 = v128.shuffle<f32>(p0, p1, 2, 6, 3, 7);
  const q23 = v128.shuffle<f32>(p2, p3, 2, 6, 3, 7);
  const t0 = v128.load(target);
  const t1 = v128.load(target, 16);
  const t2 = v128.load(target, 32);
  const t3 = v128.load(target, 48);
  const t01 = v128.shuffle<f32>(t0, t1, 0, 4, 1, 5);
  const t23 = v128.shuffle<f32>(t2, t3, 0, 4, 1, 5);
  const u01 = v128.shuffle<f32>(t0, t1, 2, 6, 3, 7);
  const u23 = v128.shuffle<f32>(t2, t3, 2, 6, 3, 7);
  return k.cost(
    gradient, to, scale, eps,
    v128.shuffle<f64>(p01, p23, 0, 2),
    v128.shuffle<f64>(p01, p23, 1, 3),
    v128.shuffle<f64>(q01, q23, 0, 2),
    v128.shuffle<f64>(q01, q23, 1, 3),
    v128.shuffle<f64>(t01, t23, 0, 2),
    v128.shuffle<f64>(t01, t23, 1, 3),
    v128.shuffle<f64>(u01, u23, 0, 2),
    v128.shuffle<f64>(u01, u23, 1, 3),
  );
}

// @ts-ignore: decorator
@inline
export function one(): v128 {
  return v128.load32_splat(NUMBERS);
}

// @ts-ignore: decorator
@inline
export function half(): v128 {
  return v128.load32_splat(NUMBERS + 4);
}

// @ts-ignore: decorator
@inline
export function two(): v128 {
  return v128.load32_splat(NUMBERS + 8);
}

// @ts-ignore: decorator
@inline
export function signBit(): v128 {
  return v128.load32_splat(NUMBERS + 12);
}

/** The value, NaN where a product of the pair is not far from overflow: each `cost` reports its span, the largest. */
// @ts-ignore: decorator
@inline
export function within(span: v128, value: v128): v128 {
  return v128.or(value, f32x4.ge(span, v128.load32_splat(NUMBERS + 16)));
}

/** max(high - low, 0). */
// @ts-ignore: decorator
@inline
export function extent(low: v128, high: v128): v128 {
  return f32x4.pmax(f32x4.sub(high, low), f32x4.splat(0));
}

// @ts-ignore: decorator
@inline
export function overlap(low: v128, high: v128, targetLow: v128, targetHigh: v128): v128 {
  return extent(f32x4.pmax(low, targetLow), f32x4.pmin(high, targetHigh));
}

// @ts-ignore: decorator
@inline
export function cover(low: v128, high: v128, targetLow: v128, targetHigh: v128): v128 {
  return extent(f32x4.pmin(low, targetLow), f32x4.pmax(high, targetHigh));
}

/** Between the centres. Sums of coordinates would lose bits that their differences keep. */
// @ts-ignore: decorator
@inline
export function offset(low: v128, high: v128, targetLow: v128, targetHigh: v128): v128 {
  const sum = f32x4.add(f32x4.sub(low, targetLow), f32x4.sub(high, targetHigh));
  return f32x4.mul(sum, half());
}

/** Exactly the area of the prediction where that holds the target. */
// @ts-ignore: decorator
@inline
export function union(area: v128, targetArea: v128, intersection: v128): v128 {
  return f32x4.add(area, f32x4.sub(targetArea, intersection));
}

// @ts-ignore: decorator
@inline
export function sumOfSquares(a: v128, b: v128): v128 {
  return f32x4.add(f32x4.mul(a, a), f32x4.mul(b, b));
}

/**
 * (U - I + eps) / (U + eps), which is 1 - IoU, by the distances of the edges: of it no bit is lost next to 0. Only for IoU over
 * 1/2: terms cancel of boxes that are crossed.
 */
// @ts-ignore: decorator
@inline
export function gapOf(
  w: v128, h: v128, targetW: v128, targetH: v128, overlapY: v128,
  lowX: v128, highX: v128, lowY: v128, highY: v128, eps: v128, inverse: v128,
): v128 {
  const apartX = f32x4.add(f32x4.abs(lowX), f32x4.abs(highX));
  const apartY = f32x4.add(f32x4.abs(lowY), f32x4.abs(highY));
  const beside = f32x4.mul(f32x4.add(w, targetW), apartY);
  const changes = f32x4.mul(f32x4.sub(w, targetW), f32x4.sub(h, targetH));
  const twice = f32x4.mul(f32x4.add(beside, changes), half());
  return f32x4.mul(f32x4.add(f32x4.add(f32x4.mul(apartX, overlapY), twice), eps), inverse);
}

/** What of the prediction's extent lies outside the target's. `low` and `high` are its edges less the target's. */
// @ts-ignore: decorator
@inline
export function outside(low: v128, high: v128): v128 {
  return f32x4.sub(f32x4.pmax(high, f32x4.splat(0)), f32x4.pmin(low, f32x4.splat(0)));
}

/** What of the target's extent lies outside the prediction's. */
// @ts-ignore: decorator
@inline
export function missed(low: v128, high: v128): v128 {
  return f32x4.sub(f32x4.pmax(low, f32x4.splat(0)), f32x4.pmin(high, f32x4.splat(0)));
}

/**
 * Slope of 1 - IoU by a low edge inside the target: (the other axis's overlap) (target area + eps + other size · outside) /
 * whole^2, 0 where the boxes do not meet.
 */
// @ts-ignore: decorator
@inline
export function innerSlope(
  otherOverlap: v128, meets: v128, targetWhole: v128,
  otherSize: v128, outside: v128, inverse: v128,
): v128 {
  const inside = f32x4.add(targetWhole, f32x4.mul(otherSize, outside));
  return v128.and(f32x4.mul(f32x4.mul(otherOverlap, inverse), f32x4.mul(inside, inverse)), meets);
}

/** Ones where a slope needs float64: edges that are equal, and predictions without area. */
// @ts-ignore: decorator
@inline
export function isHard(lowX: v128, highX: v128, lowY: v128, highY: v128, area: v128): v128 {
  const zero = f32x4.splat(0);
  const equal = v128.or(f32x4.eq(f32x4.mul(lowX, highX), zero), f32x4.eq(f32x4.mul(lowY, highY), zero));
  return v128.or(equal, f32x4.eq(area, zero));
}

/** Ones where a box is inverted. Its size is not the difference of its edges, and its centre may be far off the cover. */
// @ts-ignore: decorator
@inline
export function areInverted(
  x1: v128, y1: v128, x2: v128, y2: v128,
  targetX1: v128, targetY1: v128, targetX2: v128, targetY2: v128,
): v128 {
  const own = v128.or(f32x4.sub(x2, x1), f32x4.sub(y2, y1));
  const other = v128.or(f32x4.sub(targetX2, targetX1), f32x4.sub(targetY2, targetY1));
  return i32x4.shr_s(v128.or(own, other), 31);
}

/** x - y - (the rounded difference). */
// @ts-ignore: decorator
@inline
function rest(x: v128, y: v128, difference: v128): v128 {
  const taken = f32x4.sub(x, difference);
  return f32x4.add(f32x4.sub(x, f32x4.add(difference, taken)), f32x4.sub(taken, y));
}

/** Size less the target's, of which no bit is lost however little is left. */
// @ts-ignore: decorator
@inline
export function exactChange(low: v128, high: v128, x1: v128, x2: v128, targetX1: v128, targetX2: v128): v128 {
  const rests = f32x4.sub(rest(x2, targetX2, high), rest(x1, targetX1, low));
  return f32x4.add(f32x4.sub(high, low), rests);
}

/** Twice the offset, of which no bit is lost however little is left. */
// @ts-ignore: decorator
@inline
export function exactOffset(low: v128, high: v128, x1: v128, x2: v128, targetX1: v128, targetX2: v128): v128 {
  const rests = f32x4.add(rest(x2, targetX2, high), rest(x1, targetX1, low));
  return f32x4.add(f32x4.add(high, low), rests);
}

/** NaN in the lanes of the mask, which are then done in float64. */
// @ts-ignore: decorator
@inline
function marked(slope: v128, hard: v128): v128 {
  v128.store(HARD, v128.or(v128.load(HARD), hard));
  return v128.or(slope, hard);
}

/** Gradients of four pairs; `hard` ones are done in float64. */
// @ts-ignore: decorator
@inline
export function storeCorners(dst: usize, scale: v128, hard: v128, x1: v128, y1: v128, x2: v128, y2: v128): void {
  storeTransposed(
    dst,
    marked(f32x4.mul(x1, scale), hard),
    f32x4.mul(y1, scale),
    f32x4.mul(x2, scale),
    f32x4.mul(y2, scale),
  );
}

/** The same by the slopes of their low edges and of both edges. */
// @ts-ignore: decorator
@inline
export function storeSlopes(
  dst: usize, scale: v128, hard: v128, lowX: v128, highX: v128, lowY: v128, highY: v128,
  innerX: v128, outerX: v128, innerY: v128, outerY: v128,
): void {
  const zero = f32x4.splat(0);
  // V8 has three instructions for a negation.
  const minus = f32x4.sub(zero, scale);
  storeTransposed(
    dst,
    marked(f32x4.mul(select(innerX, outerX, f32x4.gt(lowX, zero)), scale), hard),
    f32x4.mul(select(innerY, outerY, f32x4.gt(lowY, zero)), scale),
    f32x4.mul(select(innerX, outerX, f32x4.lt(highX, zero)), minus),
    f32x4.mul(select(innerY, outerY, f32x4.lt(highY, zero)), minus),
  );
}

/** The same with slopes of both edges, through the centre. */
// @ts-ignore: decorator
@inline
export function storeCentredSlopes(
  dst: usize, scale: v128, hard: v128, lowX: v128, highX: v128, lowY: v128, highY: v128,
  innerX: v128, outerX: v128, innerY: v128, outerY: v128,
  centreX: v128, centreY: v128, summed: bool = false, terms: v128 = f32x4.splat(0),
): void {
  const zero = f32x4.splat(0);
  const x1 = f32x4.add(centreX, select(innerX, outerX, f32x4.gt(lowX, zero)));
  const y1 = f32x4.add(centreY, select(innerY, outerY, f32x4.gt(lowY, zero)));
  const x2 = f32x4.sub(centreX, select(innerX, outerX, f32x4.lt(highX, zero)));
  const y2 = f32x4.sub(centreY, select(innerY, outerY, f32x4.lt(highY, zero)));
  if (summed) {
    // Where terms of unlike kind cancel in every member, rounding is left.
    const alongX = f32x4.pmax(f32x4.abs(x1), f32x4.abs(x2));
    const alongY = f32x4.pmax(f32x4.abs(y1), f32x4.abs(y2));
    const largest = f32x4.pmax(alongX, alongY);
    hard = v128.or(hard, f32x4.gt(terms, f32x4.add(largest, largest)));
  }
  storeCorners(dst, scale, hard, x1, y1, x2, y2);
}

/** The larger sum of the slopes of a low edge by IoU and by size. */
// @ts-ignore: decorator
@inline
export function termsOf(innerX: v128, sizeX: v128, innerY: v128, sizeY: v128): v128 {
  return f32x4.pmax(f32x4.add(innerX, f32x4.abs(sizeX)), f32x4.add(innerY, f32x4.abs(sizeY)));
}
