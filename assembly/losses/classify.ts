// deno-lint-ignore-file verbatim-module-syntax -- classes are type arguments, and every loss gets the same arguments

// The loop that the classification losses share: blocks through the shared passes, then the loss's own arithmetic over the
// mirrored pair (see mirror.ts), then weights, sums and stores.
//
// Most blocks are near: no logit in them is so large that a part of the loss is infinite or a denormal. If only a sum and
// gradients are wanted, a near block needs no guards and goes straight to the sum (`fastBlock`). Every other block takes
// `slowBlock`, which gives the same bits.

import { madd } from "../lanes";
import { ElementLossBlock } from "../generated/loss_blocks";
import { ELEMENT_WEIGHT, NO_WEIGHT } from "./weights";
import { ANY, mirrored, ONE, ONE_AND_HALF, TWO, unmirrored, ZERO } from "./mirror";
import { BLOCK, expPass, guardedLogisticPass, logisticPass, MAGNITUDE, powerPass } from "./passes";

/** Elements of labels that are computed together. */
const LABELS: i32 = 64;
const LINE: i32 = BLOCK * 4 + 64;
/** The lines of the passes: those of a block and, from LINE on, those of the elements of labels. */
const A = memory.data(LINE + LABELS * 4, 16);
const S = memory.data(LINE + LABELS * 4, 16);
const L = memory.data(LINE + LABELS * 4, 16);
const P = memory.data(LINE + LABELS * 4, 16);
const V = memory.data(LINE + LABELS * 4, 16);
const MIN_NORMAL: f32 = 1.18e-38;
/** Of the elements of labels: logits, targets, gradients and where they stand in the block. */
const LABEL_X = memory.data(LABELS * 4, 16);
const LABEL_Y = memory.data(LABELS * 4, 16);
const LABEL_GRAD = memory.data(LABELS * 4, 16);
const LABEL_PLACES = memory.data(LABELS * 4, 16);
const ONES = memory.data<f32>([1, 1, 1, 1]);
/** The target of every element of a label target but the labels' own: never written. */
const ZEROS = memory.data(LINE, 16);

export function classify<K extends ElementLossBlock>(call: usize, exponent: bool): void {
  const k = changetype<K>(call);
  const direct = k.weightKind == NO_WEIGHT && k.values == 0 && !(exponent && k.exponentKind == ANY);
  for (let done = k.first; done < k.count; done += BLOCK) {
    const count = min(BLOCK, k.count - done);
    const x = k.pred + (<usize> done << 2);
    const y = k.target != 0 ? k.target + (<usize> done << 2) : ZEROS;
    // What follows the end of a shorter block must not decide.
    const near = expPass(x, A, S, count, k.near) && count == BLOCK;
    if (near) {
      logisticPass(S, L, count);
    } else {
      guardedLogisticPass(x, S, L, count);
    }
    if (near && direct) fastBlock<K>(k, x, y, done, exponent);
    else slowBlock<K>(k, x, y, done, count, exponent);
  }
}

// In its own function the loops come out 8 % slower.
// @ts-ignore: decorator
@inline
function fastBlock<K extends ElementLossBlock>(k: K, x: usize, y: usize, done: i32, exponent: bool): void {
  const found = k.labels != 0 ? labelPass<K>(k, done, BLOCK, exponent, true) : 0;
  fastLoops<K>(k, x, y, done, exponent);
  if (k.grad != 0) storeSlopes(k.grad + (<usize> done << 2), found);
}

/** Where the label's element of a row stands behind `done`; -1 where the label is no class. */
// @ts-ignore: decorator
@inline
function labelAt(k: ElementLossBlock, row: i32, done: i32): i32 {
  const label = load<i32>(k.labels + (<usize> row << 2));
  return label < 0 || label >= k.columns ? -1 : row * k.columns + label - done;
}

function slowBlock<K extends ElementLossBlock>(k: K, x: usize, y: usize, done: i32, count: i32, exponent: bool): void {
  if (exponent && k.exponentKind == ANY) powersPass<K>(k, x, y, 0, count);
  const to = k.grad + (<usize> done << 2);
  if (exponent && k.exponentKind == TWO) slowLoop<K, u64>(TWO, k, x, y, to, 0, count, exponent, false);
  else slowLoop<K, u8>(exponent ? k.exponentKind : ZERO, k, x, y, to, 0, count, exponent, false);
  if (k.labels != 0) labelPass<K>(k, done, count, exponent, false);
  if (k.weightKind != NO_WEIGHT) weighPass(k, done, count);
  finishBlock(k, done, count);
}

/** P: the bases raised to the exponent. */
function powersPass<K extends ElementLossBlock>(k: K, x: usize, y: usize, from: usize, count: i32): void {
  const one = v128.load(ONES);
  const end = from + (<usize> count << 2);
  for (let i = from; i < end; i += 16) {
    v128.store(P + i, baseOf<K>(k, v128.load(x + i), v128.load(y + i), v128.load(S + i), one));
  }
  powerPass(P + from, count, k.power);
}

/** What is raised to the exponent. */
// @ts-ignore: decorator
@inline
function baseOf<K extends ElementLossBlock>(k: K, x: v128, y: v128, small: v128, one: v128): v128 {
  return k.base(mirrored(x, k.target4(y), k.rest4(y, one)), small, f32x4.sub(one, small));
}

/**
 * One loop for each exponent, and with and without gradients, so that nothing is decided inside. Types stand for the two:
 * of loops that differ in an argument the optimizer makes one again, which decides inside and takes 17 % longer.
 */
// @ts-ignore: decorator
@inline
function fastLoops<K extends ElementLossBlock>(k: K, x: usize, y: usize, done: i32, exponent: bool): void {
  if (!exponent) return fastLoopOf<K, u8>(k, x, y, done);
  const kind = k.exponentKind;
  if (kind == TWO) fastLoopOf<K, u64>(k, x, y, done);
  else if (kind == ONE) fastLoopOf<K, u16>(k, x, y, done);
  else if (kind == ONE_AND_HALF) fastLoopOf<K, u32>(k, x, y, done);
  else fastLoopOf<K, u8>(k, x, y, done);
}

// @ts-ignore: decorator
@inline
function fastLoopOf<K extends ElementLossBlock, Kind>(k: K, x: usize, y: usize, done: i32): void {
  if (k.grad != 0) fastLoop<K, Kind, u16>(k, x, y, k.grad + (<usize> done << 2));
  else fastLoop<K, Kind, u8>(k, x, y, 0);
}

/** A whole block: adds to the sum, float32 lanes over 64 elements at a time; scaled gradients go `to` where they belong. */
// @ts-ignore: decorator
@inline
function fastLoop<K extends ElementLossBlock, Kind, Gradient>(k: K, x: usize, y: usize, to: usize): void {
  // In locals before the loop: newer V8 rebuilds a splat at every use.
  const one = v128.load(ONES);
  let sum: f64 = 0;
  for (let i: usize = 0; i < <usize> BLOCK * 4; i += 256) {
    let lanes = f32x4.splat(0);
    for (let j: usize = i; j < i + 256; j += 16) {
      // ZERO, ONE, ONE_AND_HALF, TWO for 1, 2, 4 and 8 bytes.
      const kind: i32 = ctz<i32>(sizeof<Kind>());
      const gradient = sizeof<Gradient>() == 2;
      const l = v128.load(L + j);
      const small = v128.load(S + j);
      const a = v128.load(A + j);
      const logit = v128.load(x + j);
      const target = v128.load(y + j);
      const loss = step<K>(
        kind, k, logit, target, a, small, l, one, one, one, one, one, false, false, true, gradient, to + j,
      );
      lanes = f32x4.add(lanes, loss);
    }
    sum += sumLanes(lanes);
  }
  k.sum += sum;
}

/** Values to V, to be weighted and scaled; scaled gradients to `to`. Lines are read and written from the byte `from` on. */
function slowLoop<K extends ElementLossBlock, Kind>(
  other: i32,
  k: K,
  x: usize,
  y: usize,
  to: usize,
  from: usize,
  count: i32,
  exponent: bool,
  own: bool,
): void {
  const end = from + (<usize> count << 2);
  const one = v128.load(ONES);
  const magnitude = v128.load32_splat(MAGNITUDE);
  const tiny = flushLimit(k.factor);
  const reach = f32x4.splat(k.reach);
  for (let i = from; i < end; i += 16) {
    const kind = sizeof<Kind>() == 8 ? TWO : other;
    const any = kind == ANY ? v128.load(P + i) : one;
    const logit = v128.load(x + i);
    const target = v128.load(y + i);
    const small = v128.load(S + i);
    const a = v128.load(A + i);
    const l = v128.load(L + i);
    const loss = step<K>(
      kind, k, logit, target, a, small, l, any, one, magnitude, tiny, reach, exponent, own, false, k.grad != 0, to + i,
    );
    v128.store(V + i, loss);
  }
}

/** The losses of four elements, their scaled gradients to `g`; in slow blocks 0 if under `tiny`. `own`: those of labels. */
// @ts-ignore: decorator
@inline
function step<K extends ElementLossBlock>(
  kind: i32,
  k: K,
  x: v128,
  y: v128,
  a: v128,
  small: v128,
  l: v128,
  any: v128,
  one: v128,
  magnitude: v128,
  tiny: v128,
  reach: v128,
  exponent: bool,
  own: bool,
  near: bool,
  gradient: bool,
  g: usize,
): v128 {
  const big = f32x4.sub(one, small);
  const t = mirrored(x, k.target4(y), k.rest4(y, one));
  if (!near) {
    // 0 log 0 = 0: infinite logits cost nothing where their target is 0.
    const certain = f32x4.eq(t, f32x4.splat(0));
    if (exponent) {
      // The loss would be no normal number, and products on the way to it denormals, which cost a trap of the CPU.
      const nothing = k.counted(own, v128.and(certain, f32x4.gt(a, reach)), y);
      small = v128.andnot(small, nothing);
      l = v128.andnot(l, nothing);
    }
    a = v128.andnot(a, certain);
  }
  const ce = madd(t, a, l);
  if (gradient) {
    const slope = unmirrored(x, k.gradient(kind, own, y, t, small, big, ce, any, near));
    v128.store(g, f32x4.mul(near ? slope : flushed(slope, magnitude, tiny), k.factor4()));
  }
  return k.value(kind, own, y, t, small, big, ce, any, near);
}

/** What would come out as a denormal after a product with `scale` is less than this: it costs a trap of the CPU. */
// @ts-ignore: decorator
@inline
function flushLimit(scale: f32): v128 {
  return f32x4.splat(MIN_NORMAL / abs(scale));
}

/** 0 where |v| is at most `least`, which is infinite for a scale of 0: no loss times that is NaN. */
// @ts-ignore: decorator
@inline
function flushed(v: v128, magnitude: v128, least: v128): v128 {
  return v128.andnot(v, f32x4.le(v128.and(v, magnitude), least));
}

/**
 * Computes the elements of the rows' labels that the block holds, with the labels' own targets. In a slow block, after the
 * other elements: the results replace those of target 0. In a fast block (`near`), before the others: the losses go to the sum,
 * and the lines of the passes are set so that the elements add 0. The gradients wait in V, their places in P; returns their
 * number.
 */
function labelPass<K extends ElementLossBlock>(k: K, done: i32, count: i32, exponent: bool, near: bool): i32 {
  let found = 0;
  const end = (done + count - 1) / k.columns + 1;
  for (let row = done / k.columns; row < end; row += LABELS) {
    const labels = collectLabels(k, row, min(row + LABELS, end), done, count);
    if (exponent && k.exponentKind == ANY) powersPass<K>(k, LABEL_X - LINE, LABEL_Y - LINE, LINE, labels);
    const kind = exponent ? k.exponentKind : ZERO;
    slowLoop<K, u8>(kind, k, LABEL_X - LINE, LABEL_Y - LINE, LABEL_GRAD - LINE, LINE, labels, exponent, true);
    found = takeLabels(k, labels, done, near, found);
  }
  return found;
}

/** Copies the elements of the rows' labels to the lines of labels; returns their number. */
function collectLabels(k: ElementLossBlock, row: i32, end: i32, done: i32, count: i32): i32 {
  let labels = 0;
  for (; row < end; row++) {
    const at = labelAt(k, row, done);
    if (at < 0 || at >= count) continue;
    const from = <usize> at << 2;
    const to = <usize> labels << 2;
    store<f32>(LABEL_X + to, load<f32>(k.pred + (<usize> done << 2) + from));
    store<f32>(LABEL_Y + to, k.scores != 0 ? load<f32>(k.scores + (<usize> row << 2)) : 1);
    store<i32>(LABEL_PLACES + to, <i32> from);
    store<f32>(A + LINE + to, load<f32>(A + from));
    store<f32>(S + LINE + to, load<f32>(S + from));
    store<f32>(L + LINE + to, load<f32>(L + from));
    labels++;
  }
  return labels;
}

/** Takes the results of labels as `labelPass` says; returns how many gradients wait. */
function takeLabels(k: ElementLossBlock, labels: i32, done: i32, near: bool, found: i32): i32 {
  for (let i: usize = 0; i < <usize> labels << 2; i += 4) {
    const place = load<i32>(LABEL_PLACES + i);
    const loss = load<f32>(V + LINE + i);
    const slope = load<f32>(LABEL_GRAD + i);
    if (near) {
      const to = <usize> found << 2;
      k.sum += <f64> loss;
      store<i32>(P + to, place);
      store<f32>(V + to, slope);
      store<f32>(A + place, 0);
      store<f32>(S + place, 0);
      store<f32>(L + place, 0);
      found++;
    } else {
      store<f32>(V + place, loss);
      if (k.grad != 0) store<f32>(k.grad + (<usize> done << 2) + place, slope);
    }
  }
  return found;
}

/** The gradients of a fast block's labels. */
function storeSlopes(to: usize, count: i32): void {
  for (let i: usize = 0; i < <usize> count << 2; i += 4) store<f32>(to + load<i32>(P + i), load<f32>(V + i));
}

/** Weights values and gradients. */
function weighPass(k: ElementLossBlock, done: i32, count: i32): void {
  const grad: usize = k.grad == 0 ? 0 : k.grad + (<usize> done << 2);
  if (k.weightKind == ELEMENT_WEIGHT) {
    const weights = k.weight + (<usize> done << 2);
    weighElements(V, weights, count);
    if (grad != 0) weighElements(grad, weights, count);
    return;
  }
  let i = 0;
  while (i < count) {
    const row = (done + i) / k.columns;
    const end = min(count, (row + 1) * k.columns - done);
    const weight = load<f32>(k.weight + (<usize> row << 2));
    weighRow(V + (<usize> i << 2), weight, end - i);
    if (grad != 0) weighRow(grad + (<usize> i << 2), weight, end - i);
    i = end;
  }
}

function weighElements(values: usize, weights: usize, count: i32): void {
  const bytes = <usize> count << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(values + i, weighed(v128.load(values + i), v128.load(weights + i)));
  }
}

/** A weight of 0 leaves nothing of an infinite loss; NaN stays. */
// @ts-ignore: decorator
@inline
export function weighed(v: v128, weight: v128): v128 {
  const nothing = v128.and(f32x4.eq(weight, f32x4.splat(0)), f32x4.eq(v, v));
  return v128.andnot(f32x4.mul(v, weight), nothing);
}

/** The next row begins within the last vector. */
// @ts-ignore: decorator
@inline
function weighRow(values: usize, weight: f32, count: i32): void {
  const factor = f32x4.splat(weight);
  const end = values + (<usize> count << 2);
  for (; values + 16 <= end; values += 16) v128.store(values, weighed(v128.load(values), factor));
  for (; values < end; values += 4) {
    store<f32>(values, f32x4.extract_lane(weighed(v128.load32_splat(values), factor), 0));
  }
}

/** Adds the block to the sum, or stores its values. */
function finishBlock(k: ElementLossBlock, done: i32, count: i32): void {
  if (k.values == 0) {
    k.sum += sumOf(V, count);
  } else if (k.labels == 0) {
    scaleInto(k.values + (<usize> done << 2), V, count, k.factor);
  } else {
    addRows(k, done, count);
  }
}

export function scaleInto(dst: usize, src: usize, count: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  const magnitude = v128.load32_splat(MAGNITUDE);
  const least = flushLimit(scale);
  const bytes = <usize> count << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(dst + i, f32x4.mul(flushed(v128.load(src + i), magnitude, least), factor));
  }
}

/** Row sums: a row that goes on in the next block is added to there. `values` enters as zeros. */
function addRows(k: ElementLossBlock, done: i32, count: i32): void {
  let i = 0;
  while (i < count) {
    const row = (done + i) / k.columns;
    const end = min(count, (row + 1) * k.columns - done);
    const at = k.values + (<usize> row << 2);
    const sum = sumOf(V + (<usize> i << 2), end - i);
    // As a weight of 0, a scale of 0 leaves nothing of an infinite loss.
    const scaled = k.factor == 0 && sum == sum ? 0 : sum * <f64> k.factor;
    store<f32>(at, load<f32>(at) + <f32> scaled);
    i = end;
  }
}

/** Sum of at most a block, as `fastLoop` does it: float32 lanes over 64 elements at a time, float64 above. */
export function sumOf(src: usize, count: i32): f64 {
  let sum: f64 = 0;
  let i = 0;
  // Four at a time, so that none waits for its own sums.
  for (; i + 256 <= count; i += 256) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let j: usize = 0; j < 256; j += 16) {
      s0 = f32x4.add(s0, v128.load(src + j));
      s1 = f32x4.add(s1, v128.load(src + j, 256));
      s2 = f32x4.add(s2, v128.load(src + j, 512));
      s3 = f32x4.add(s3, v128.load(src + j, 768));
    }
    sum = sum + sumLanes(s0) + sumLanes(s1) + sumLanes(s2) + sumLanes(s3);
    src += 1024;
  }
  for (; i < count; i++) {
    sum += <f64> load<f32>(src);
    src += 4;
  }
  return sum;
}

// @ts-ignore: decorator
@inline
function sumLanes(v: v128): f64 {
  const low = f64x2.promote_low_f32x4(v);
  const high = f64x2.promote_low_f32x4(v128.shuffle<f64>(v, v, 1, 1));
  const both = f64x2.add(low, high);
  return f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
}
