// deno-lint-ignore-file verbatim-module-syntax -- classes are type arguments, and every loss gets the same arguments

// The loop that the box losses share: four pairs of boxes at a time, their coordinates in one vector each. A loss's
// class has `cost`: the value of four pairs; with `gradient` it leaves the derivatives too. `low` of the call is eps.
//
// On each axis a loss sees the prediction's size, the overlap with the target, the cover (the extent of both together)
// and the offset of the centres. Zero extents have zero slope. pmin and pmax keep NaN where it is the first operand, so
// the sizes carry it into every value, and a value that is NaN makes its own gradients so.

import { storeTransposed } from "../lanes";
import { LossCall, NO_WEIGHT } from "./call";
import { scaleInto, sumOf } from "./classify";
import { BLOCK } from "./passes";

const VALUES = memory.data(BLOCK * 4 + 64, 16);

/** By lane: was all that `tellSpan` was told under `LIMIT`? */
const FITS = memory.data(16, 16);
const LIMIT: f32 = 1.329228e36; // 2^120

/** Four pairs, those over LIMIT brought down to where their products are finite, and each one's factor. */
const NEAR_PRED = memory.data(64, 16);
const NEAR_TARGET = memory.data(64, 16);
const NEAR_FACTOR = memory.data(16, 16);
/** The biased exponent to which the largest coordinate of such a pair is brought. */
const NEAR: i32 = 127 + 40;

/** The least eps: what is over it keeps quotients of finite boxes finite. */
const LEAST_EPS: f32 = 1e-20;
/** What a distance's share of the diagonal is at most, so that its slope does not overflow. */
const MOST_DISTANCE: f32 = 1e27;

/** V8 rebuilds a splat at every use, in five instructions; a load is one. */
const NUMBERS = memory.data<f32>([1, 0.5, -0.5, 2, -2, -0.0, LIMIT, LEAST_EPS, MOST_DISTANCE]);

export function boxLoss<K extends LossCall>(call: usize): void {
  const k = changetype<K>(call);
  const rows = k.count >> 2;
  const eps = f32x4.splat(k.low);
  for (let done = 0; done < rows; done += BLOCK) {
    const count = min(BLOCK, rows - done);
    const at = <usize> done << 4;
    const to: usize = k.grad == 0 ? 0 : k.grad + at;
    const weights: usize = k.weightKind == NO_WEIGHT ? 0 : k.weight + (at >> 2);
    if (!block<K>(k, k.pred + at, k.target + at, weights, to, VALUES, count, eps, one())) {
      farBlock<K>(k, k.pred + at, k.target + at, weights, to, count, eps);
    }
    if (k.values == 0) k.sum += sumOf(VALUES, count);
    else scaleInto(k.values + (<usize> done << 2), VALUES, count, k.valueScale);
  }
}

/** Values and, unless `to` is 0, gradients of `count` pairs; whether no product left the range. */
function block<K extends LossCall>(
  k: K,
  pred: usize,
  target: usize,
  weights: usize,
  to: usize,
  values: usize,
  count: i32,
  eps: v128,
  factor: v128,
): bool {
  v128.store(FITS, i32x4.splat(-1));
  if (to != 0) loop<K>(k, true, pred, target, weights, to, values, count, eps, factor);
  else loop<K>(k, false, pred, target, weights, to, values, count, eps, factor);
  return v128.all_true<i32>(v128.load(FITS));
}

// @ts-ignore: decorator
@inline
function loop<K extends LossCall>(
  k: K,
  gradient: bool,
  pred: usize,
  target: usize,
  weights: usize,
  to: usize,
  values: usize,
  count: i32,
  eps: v128,
  factor: v128,
): void {
  const least = f32x4.pmax(eps, v128.load32_splat(NUMBERS, 28));
  const scale = f32x4.mul(f32x4.splat(k.gradScale), factor);
  for (let i = 0; i < count; i += 4) {
    const weight = weights != 0 ? v128.load(weights + (<usize> i << 2)) : one();
    const at = <usize> i << 4;
    const value = costOf<K>(k, gradient, to + at, f32x4.mul(scale, weight), least, pred + at, target + at);
    v128.store(values + (<usize> i << 2), f32x4.mul(value, weight));
  }
}

/** The block again, four pairs at a time, those over LIMIT brought down to where their products are finite. */
function farBlock<K extends LossCall>(
  k: K,
  pred: usize,
  target: usize,
  weights: usize,
  to: usize,
  count: i32,
  eps: v128,
): void {
  for (let i = 0; i < count; i += 4) {
    const at = <usize> i << 4;
    const values = VALUES + (at >> 2);
    const own: usize = weights == 0 ? 0 : weights + (at >> 2);
    const grad: usize = to == 0 ? 0 : to + at;
    if (block<K>(k, pred + at, target + at, own, grad, values, 4, eps, one())) continue;
    bringNear(pred + at, target + at);
    const factor = v128.load(NEAR_FACTOR);
    block<K>(k, NEAR_PRED, NEAR_TARGET, own, grad, values, 4, f32x4.mul(f32x4.mul(eps, factor), factor), factor);
  }
}

/** The losses of four pairs of boxes; with `gradient`, their gradients to `to`. */
// @ts-ignore: decorator
@inline
function costOf<K extends LossCall>(
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
    gradient,
    to,
    scale,
    eps,
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

/** A power of two for each pair over LIMIT. A loss has no unit: only eps and the gradients change with the factor. */
function bringNear(pred: usize, target: usize): void {
  for (let i: usize = 0; i < 64; i += 16) {
    const p = v128.load(pred + i);
    const t = v128.load(target + i);
    const both = i32x4.max_s(f32x4.abs(p), f32x4.abs(t));
    const half = i32x4.max_s(both, v128.shuffle<i32>(both, both, 2, 3, 2, 3));
    const largest = max(i32x4.extract_lane(half, 0), i32x4.extract_lane(half, 1));
    const power = largest >> 23;
    const fits = load<i32>(FITS + (i >> 2)) != 0;
    const factor: f32 = fits ? 1 : reinterpret<f32>((NEAR + 127 - power) << 23);
    v128.store(NEAR_PRED + i, f32x4.mul(p, f32x4.splat(factor)));
    v128.store(NEAR_TARGET + i, f32x4.mul(t, f32x4.splat(factor)));
    store<f32>(NEAR_FACTOR + (i >> 2), factor);
  }
}

// @ts-ignore: decorator
@inline
export function one(): v128 {
  return v128.load32_splat(NUMBERS);
}

// @ts-ignore: decorator
@inline
export function half(): v128 {
  return v128.load32_splat(NUMBERS, 4);
}

// @ts-ignore: decorator
@inline
function minusHalf(): v128 {
  return v128.load32_splat(NUMBERS, 8);
}

// @ts-ignore: decorator
@inline
export function two(): v128 {
  return v128.load32_splat(NUMBERS, 12);
}

// @ts-ignore: decorator
@inline
export function minusTwo(): v128 {
  return v128.load32_splat(NUMBERS, 16);
}

// @ts-ignore: decorator
@inline
export function signBit(): v128 {
  return v128.load32_splat(NUMBERS, 20);
}

/** Every `cost` tells the largest of its products, of which no other quantity is far from overflow. */
// @ts-ignore: decorator
@inline
export function tellSpan(span: v128): void {
  v128.store(FITS, v128.and(v128.load(FITS), f32x4.lt(span, v128.load32_splat(NUMBERS, 24))));
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
export function union(w: v128, h: v128, targetW: v128, targetH: v128, intersection: v128): v128 {
  return f32x4.add(f32x4.mul(w, h), f32x4.sub(f32x4.mul(targetW, targetH), intersection));
}

// @ts-ignore: decorator
@inline
export function sumOfSquares(a: v128, b: v128): v128 {
  return f32x4.add(f32x4.mul(a, a), f32x4.mul(b, b));
}

/** rho^2 / diagonal, which only inverted boxes bring over 1. */
// @ts-ignore: decorator
@inline
export function distanceRatio(square: v128, diagonal: v128): v128 {
  return f32x4.pmin(f32x4.div(square, diagonal), v128.load32_splat(NUMBERS, 32));
}

/** d(1 - IoU) / d overlap is -(the other axis's overlap) times this: (1 + IoU) / whole; 0 where the boxes are apart. */
// @ts-ignore: decorator
@inline
export function overlapSlope(iou: v128, inverse: v128, intersection: v128): v128 {
  return whereOver0(intersection, f32x4.add(inverse, f32x4.mul(iou, inverse)));
}

/** `slope` where the extent is over 0, else 0. */
// @ts-ignore: decorator
@inline
export function whereOver0(extent: v128, slope: v128): v128 {
  return v128.and(slope, f32x4.gt(extent, f32x4.splat(0)));
}

/** 1 where a > b, 1/2 where they are equal, else 0. */
// @ts-ignore: decorator
@inline
export function above(a: v128, b: v128): v128 {
  const twice = i32x4.add(f32x4.gt(a, b), f32x4.ge(a, b));
  return f32x4.mul(f32x4.convert_i32x4_s(twice), minusHalf());
}

/** a where share is 1, b where it is 0. */
// @ts-ignore: decorator
@inline
function mix(share: v128, a: v128, b: v128): v128 {
  return f32x4.add(f32x4.mul(share, a), f32x4.mul(f32x4.sub(one(), share), b));
}

/** Slope of the low edge: `own` is that through centre and size, `within` and `around` those to overlap and cover. */
// @ts-ignore: decorator
@inline
export function lowSlope(low: v128, targetLow: v128, own: v128, within: v128, around: v128): v128 {
  return f32x4.sub(own, mix(above(low, targetLow), within, around));
}

// @ts-ignore: decorator
@inline
export function highSlope(high: v128, targetHigh: v128, own: v128, within: v128, around: v128): v128 {
  return f32x4.add(own, mix(above(high, targetHigh), around, within));
}

/** Scales, and makes all NaN where the value is. */
// @ts-ignore: decorator
@inline
export function storeGradient(dst: usize, scale: v128, value: v128, x1: v128, y1: v128, x2: v128, y2: v128): void {
  const factor = f32x4.add(scale, f32x4.sub(value, value));
  storeTransposed(dst, f32x4.mul(x1, factor), f32x4.mul(y1, factor), f32x4.mul(x2, factor), f32x4.mul(y2, factor));
}
