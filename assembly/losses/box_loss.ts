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

/** What `cost` compares with `LIMIT`: the largest of its products. */
const SPAN = memory.data(16, 16);
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
  for (let done = 0; done < rows; done += BLOCK) {
    const count = min(BLOCK, rows - done);
    if (k.grad != 0) block<K>(k, done, count, true);
    else block<K>(k, done, count, false);
    if (k.values == 0) k.sum += sumOf(VALUES, count);
    else scaleInto(k.values + (<usize> done << 2), VALUES, count, k.valueScale);
  }
}

// @ts-ignore: decorator
@inline
function block<K extends LossCall>(k: K, done: i32, count: i32, gradient: bool): void {
  const weighted = k.weightKind != NO_WEIGHT;
  for (let i = 0; i < count; i += 4) {
    const row = <usize> (done + i);
    let pred = k.pred + (row << 4);
    let target = k.target + (row << 4);
    let eps = f32x4.pmax(f32x4.splat(k.low), v128.load32_splat(NUMBERS, 28));
    const weight = weighted ? v128.load(k.weight + (row << 2)) : one();
    let scale = f32x4.mul(f32x4.splat(k.gradScale), weight);
    while (true) {
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
      const value = k.cost(
        gradient,
        k.grad + (row << 4),
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
      v128.store(VALUES + (<usize> i << 2), f32x4.mul(value, weight));
      if (v128.all_true<i32>(f32x4.lt(v128.load(SPAN), v128.load32_splat(NUMBERS, 24))) || pred == NEAR_PRED) break;
      bringNear(pred, target);
      pred = NEAR_PRED;
      target = NEAR_TARGET;
      const factor = v128.load(NEAR_FACTOR);
      scale = f32x4.mul(scale, factor);
      eps = f32x4.pmax(f32x4.mul(f32x4.mul(eps, factor), factor), v128.load32_splat(NUMBERS, 28));
    }
  }
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
    const fits = load<f32>(SPAN + (i >> 2)) < LIMIT;
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
  v128.store(SPAN, span);
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
