// deno-lint-ignore-file verbatim-module-syntax -- classes are type arguments, and every loss gets the same arguments

// The loop that the box losses share: four pairs of boxes at a time, their coordinates in one vector each. A loss is a class
// with two methods; its parameters are its fields (generated/loss_blocks.ts).
//
// - `cost` returns the values of four pairs and, with `gradient`, stores their gradients by `storeCorners`, `storeSlopes` or
//   `storeCentredSlopes`: `scale` times the slopes of an edge inside and outside the target. It returns its value through
//   `within(span, value)`, where span is a product of the pair that is the largest where one leaves float32's range (an area, a
//   sum of squares). It marks lanes as hard by `isHard`, and by `areInverted` where the cover counts. Sizes by `extent` keep NaN.
// - `exact` returns the value of one pair in float64 and adds its slopes to the pair (box_pair.ts). It serves the pairs that
//   `cost` left as NaN or marked, and all where eps is out of range.
//
// A loss with a field `innerRatio` gets the inner term (inner_iou.ts) behind the loop and adds it in `exact`.
//
// On each axis a loss sees the prediction's size, the overlap with the target, the cover (the extent of both together) and
// the offset of the centres. Slopes are sums of terms that do not cancel; which one counts depends on whether an edge lies
// inside the target's extent or outside. See box_pair.ts, which does the pairs that float32 does not hold. pmin and pmax keep
// NaN where it is the first operand, so the sizes carry it into every value.
//
// `cost` takes the boxes as eight vectors because AssemblyScript has no value structs. Measured on Node 20: an @unmanaged Pair
// in memory costs 4 to 31 % of the time (IoU's sum takes 2.04 ns a pair instead of 1.56, CIoU with gradient 10.74 instead of
// 9.93), module globals cost 12 to 110 % (GIoU's sum takes 4.21 instead of 2.01). WGSL has structs: the same geometry
// reads more easily in src/webgpu/shaders/box_geometry.ts.

import { costOf, HARD, one } from "./box_lanes";
import { BoxPair } from "./box_pair";
import { addInnerTerms } from "./inner_iou";
import { LossBlock } from "../generated/loss_blocks";
import { NO_WEIGHT } from "./weights";
import { scaleInto, sumOf } from "./classify";
import { BLOCK } from "./passes";

/** Values of a block, for the losses of rotated boxes and keypoints too. */
export const VALUES = memory.data(BLOCK * 4 + 64, 16);
const PAIR = memory.data(offsetof<BoxPair>(), 16);

/** Between these, eps keeps quotients of the pairs that fit finite, and is no size of its own. */
const MIN_EPS: f32 = 1e-20;
const MAX_EPS: f32 = 1e30;
/** Keeps quotients from 0 / 0 in float64, where eps is 0. */
const EXACT_EPS: f64 = 1e-120;

export function boxLoss<K extends LossBlock>(call: usize): void {
  const k = changetype<K>(call);
  const rows = k.count >> 2;
  let done = 0;
  // Called in two places, or it would be inlined, which costs a quarter of the speed: V8 then runs out of registers.
  for (; done + BLOCK <= rows; done += BLOCK) block<K>(k, done, BLOCK);
  if (done < rows) block<K>(k, done, rows - done);
}

function block<K extends LossBlock>(k: K, first: i32, count: i32): void {
  const fits = k.eps >= MIN_EPS && k.eps <= MAX_EPS;
  const at = <usize> first << 4;
  const pred = k.pred + at;
  const target = k.target + at;
  const to: usize = k.grad == 0 ? 0 : k.grad + at;
  const weights: usize = k.weightKind == NO_WEIGHT ? 0 : k.weight + (at >> 2);
  v128.store(HARD, i32x4.splat(0));
  if (to != 0) loop<K>(k, true, pred, target, weights, to, count);
  else loop<K>(k, false, pred, target, weights, to, count);
  if (isDefined(k.innerRatio)) {
    const gamma: f32 = isDefined(k.gamma) ? k.gamma : 0;
    if (k.innerRatio != 1) addInnerTerms(pred, target, weights, VALUES, to, count, k.innerRatio, gamma, k.eps, k.factor);
  }
  let sum = sumOf(VALUES, count);
  if (!fits || isNaN(sum) || v128.any_true(v128.load(HARD))) {
    exactPairs<K>(k, pred, target, weights, to, count, fits);
    sum = sumOf(VALUES, count);
  }
  if (k.values == 0) k.sum += sum;
  else scaleInto(k.values + (<usize> first << 2), VALUES, count, k.factor);
}

/** Values and, with `gradient`, gradients of `count` pairs. What float32 does not hold is NaN: a value, or a gradient's first. */
// @ts-ignore: decorator
@inline
function loop<K extends LossBlock>(
  k: K,
  gradient: bool,
  pred: usize,
  target: usize,
  weights: usize,
  to: usize,
  count: i32,
): void {
  const eps = f32x4.splat(k.eps);
  const scale = f32x4.splat(k.factor);
  for (let i = 0; i < count; i += 4) {
    const weight = weights != 0 ? v128.load(weights + (<usize> i << 2)) : one();
    const at = <usize> i << 4;
    const value = costOf<K>(k, gradient, to + at, f32x4.mul(scale, weight), eps, pred + at, target + at);
    v128.store(VALUES + (<usize> i << 2), f32x4.mul(value, weight));
  }
}

/** What is NaN of `count` pairs, or all, in float64. */
// @ts-ignore: decorator
@inline
function exactPairs<K extends LossBlock>(
  k: K,
  pred: usize,
  target: usize,
  weights: usize,
  to: usize,
  count: i32,
  fits: bool,
): void {
  const pair = changetype<BoxPair>(PAIR);
  pair.eps = max(<f64> k.eps, EXACT_EPS);
  pair.innerRatio = isDefined(k.innerRatio) ? k.innerRatio : 1;
  for (let i = 0;; i++) {
    i = nextHard(i, count, to, fits);
    if (i >= count) return;
    const at = <usize> i << 4;
    pair.read(pred + at, target + at);
    storeExact(pair, k.exact(pair), i, weights, to, k.factor, fits);
  }
}

/** The first pair from `i` on that is done in float64; `count` where there is none. */
function nextHard(i: i32, count: i32, to: usize, fits: bool): i32 {
  while (i < count && fits && !isNaN(load<f32>(VALUES + (<usize> i << 2)))) {
    if (to != 0 && isNaN(load<f32>(to + (<usize> i << 4)))) break;
    i++;
  }
  return i;
}

/** Stores a pair's value and gradient. */
function storeExact(pair: BoxPair, value: f64, i: i32, weights: usize, to: usize, scale: f32, fits: bool): void {
  const at = <usize> i << 2;
  const weight: f32 = weights == 0 ? 1 : load<f32>(weights + at);
  // The value of a pair of which only the gradient did not fit is the same without a gradient.
  if (!fits || isNaN(load<f32>(VALUES + at))) {
    store<f32>(VALUES + at, <f32> (value > f32.MAX_VALUE ? f32.MAX_VALUE : value) * weight);
  }
  if (to != 0) pair.store(to + (at << 2), value, scale * weight);
}
