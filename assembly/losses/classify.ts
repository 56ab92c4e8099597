// deno-lint-ignore-file verbatim-module-syntax -- classes are type arguments, and every loss gets the same arguments

// The loop that the classification losses share: blocks through the shared passes, then the loss's own arithmetic over the
// mirrored pair (see mirror.ts), then weights, sums and stores.

import { ELEMENT_WEIGHT, LossCall, NO_WEIGHT } from "./call";
import { ANY, ONE, ONE_AND_HALF, timesOrZero, TWO, ZERO } from "./mirror";
import { BLOCK, expPass, log1pPass, powerPass } from "./passes";

const LINE: i32 = BLOCK * 4 + 64;
const E = memory.data(LINE, 16);
const L = memory.data(LINE, 16);
const P = memory.data(LINE, 16);
const V = memory.data(LINE, 16);
const G = memory.data(LINE, 16);
/** Value and gradient of a label's element. */
const ALONE = memory.data(32, 16);
/** Vectors of ones, and of the least magnitude: products with denormals cost a trap of the CPU. */
const ONES = memory.data<f32>([1, 1, 1, 1]);
const LEAST = memory.data<f32>([1e-30, 1e-30, 1e-30, 1e-30]);
/** The target of every element of a label target but the labels' own: never written. */
const ZEROS = memory.data(LINE, 16);

export function classify<K extends LossCall>(call: usize, exponent: bool): void {
  const k = changetype<K>(call);
  for (let done = 0; done < k.count; done += BLOCK) {
    const count = min(BLOCK, k.count - done);
    const x = k.pred + (<usize> done << 2);
    const y = k.target != 0 ? k.target + (<usize> done << 2) : ZEROS;
    expPass(x, E, count, k.reach);
    log1pPass(E, L, count);
    if (exponent && k.exponentKind == ANY) {
      basePass<K>(k, x, y, count);
      powerPass(P, count, <f64> k.exponent);
    }
    lossPass<K>(k, x, y, count, exponent);
    if (k.labels != 0) labelPass<K>(k, done, count, exponent);
    if (k.weightKind != NO_WEIGHT) weighPass(k, done, count);
    finishBlock(k, done, count);
  }
}

function basePass<K extends LossCall>(k: K, x: usize, y: usize, count: i32): void {
  const one = v128.load(ONES);
  const bytes = <usize> count << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(P + i, baseOf<K>(k, v128.load(x + i), v128.load(y + i), v128.load(E + i), one));
  }
}

/** What is raised to the exponent. */
// @ts-ignore: decorator
@inline
function baseOf<K extends LossCall>(k: K, x: v128, y: v128, e: v128, one: v128): v128 {
  const big = f32x4.div(one, f32x4.add(one, e));
  return k.base(mirrored(x, k.target4(y), one), f32x4.mul(e, big), big);
}

/** One loop for each exponent, so that none is decided inside. */
// @ts-ignore: decorator
@inline
function lossPass<K extends LossCall>(k: K, x: usize, y: usize, count: i32, exponent: bool): void {
  if (exponent) {
    const kind = k.exponentKind;
    if (kind == TWO) return loop<K>(TWO, k, x, y, count);
    if (kind == ONE) return loop<K>(ONE, k, x, y, count);
    if (kind == ONE_AND_HALF) return loop<K>(ONE_AND_HALF, k, x, y, count);
    if (kind == ANY) return loop<K>(ANY, k, x, y, count);
  }
  loop<K>(ZERO, k, x, y, count);
}

// @ts-ignore: decorator
@inline
function loop<K extends LossCall>(kind: i32, k: K, x: usize, y: usize, count: i32): void {
  const bytes = <usize> count << 2;
  // In locals before the loop: newer V8 rebuilds a splat at every use.
  const one = v128.load(ONES);
  const least = v128.load(LEAST);
  if (k.grad != 0) {
    for (let i: usize = 0; i < bytes; i += 16) blockStep<K>(kind, k, x, y, i, one, least, true);
  } else {
    for (let i: usize = 0; i < bytes; i += 32) {
      blockStep<K>(kind, k, x, y, i, one, least, false);
      blockStep<K>(kind, k, x, y, i + 16, one, least, false);
    }
  }
}

/** Four elements of the block. */
// @ts-ignore: decorator
@inline
function blockStep<K extends LossCall>(
  kind: i32,
  k: K,
  x: usize,
  y: usize,
  i: usize,
  one: v128,
  least: v128,
  gradient: bool,
): void {
  const any = kind == ANY ? v128.load(P + i) : one;
  const logit = v128.load(x + i);
  const target = v128.load(y + i);
  step<K>(kind, k, logit, target, v128.load(E + i), v128.load(L + i), any, one, least, gradient, V + i, G + i);
}

/** v, and g with a gradient, of four elements. */
// @ts-ignore: decorator
@inline
function step<K extends LossCall>(
  kind: i32,
  k: K,
  x: v128,
  y: v128,
  e: v128,
  l: v128,
  any: v128,
  one: v128,
  least: v128,
  gradient: bool,
  v: usize,
  g: usize,
): void {
  const t = mirrored(x, k.target4(y), one);
  const big = f32x4.div(one, f32x4.add(one, e));
  const small = f32x4.mul(e, big);
  const ce = f32x4.add(l, timesOrZero(t, f32x4.pmax(f32x4.abs(x), least)));
  v128.store(v, k.value(kind, y, t, small, big, ce, any));
  if (gradient) v128.store(g, unmirrored(x, k.gradient(kind, y, t, small, big, ce, any)));
}

/** The target of the mirrored logit. */
// @ts-ignore: decorator
@inline
function mirrored(x: v128, y: v128, one: v128): v128 {
  return v128.bitselect(f32x4.sub(one, y), y, f32x4.ge(x, f32x4.splat(0)));
}

/** A gradient in the mirrored logit as one in x. */
// @ts-ignore: decorator
@inline
function unmirrored(x: v128, grad: v128): v128 {
  const positive = f32x4.ge(x, f32x4.splat(0));
  return v128.xor(grad, v128.and(positive, i32x4.splat(0x80000000)));
}

/** Computes each row's label anew with its own target, where the block holds it. */
function labelPass<K extends LossCall>(k: K, done: i32, count: i32, exponent: bool): void {
  const firstRow = done / k.columns;
  const lastRow = (done + count - 1) / k.columns;
  for (let row = firstRow; row <= lastRow; row++) {
    const label = load<i32>(k.labels + (<usize> row << 2));
    if (label < 0 || label >= k.columns) continue;
    const at = row * k.columns + label - done;
    if (at < 0 || at >= count) continue;
    const score: f32 = k.scores != 0 ? load<f32>(k.scores + (<usize> row << 2)) : 1;
    labelElement<K>(k, done, at, score, exponent);
  }
}

/** The element alone, in all lanes; the first is taken over. */
function labelElement<K extends LossCall>(k: K, done: i32, at: i32, score: f32, exponent: bool): void {
  const i = <usize> at << 2;
  const x = v128.load32_splat(k.pred + (<usize> done << 2) + i);
  const y = f32x4.splat(score);
  const e = v128.load32_splat(E + i);
  const l = v128.load32_splat(L + i);
  const one = v128.load(ONES);
  const kind = exponent ? k.exponentKind : ZERO;
  let any = one;
  if (kind == ANY) {
    v128.store(P, baseOf<K>(k, x, y, e, one));
    powerPass(P, 4, <f64> k.exponent);
    any = v128.load(P);
  }
  const gradient = k.grad != 0;
  step<K>(kind, k, x, y, e, l, any, one, v128.load(LEAST), gradient, ALONE, ALONE + 16);
  store<f32>(V + i, load<f32>(ALONE));
  if (gradient) store<f32>(G + i, load<f32>(ALONE, 16));
}

function weighPass(k: LossCall, done: i32, count: i32): void {
  if (k.weightKind == ELEMENT_WEIGHT) {
    const weights = k.weight + (<usize> done << 2);
    weighElements(V, weights, count);
    if (k.grad != 0) weighElements(G, weights, count);
    return;
  }
  let i = 0;
  while (i < count) {
    const row = (done + i) / k.columns;
    const end = min(count, (row + 1) * k.columns - done);
    const weight = load<f32>(k.weight + (<usize> row << 2));
    weighRow(V + (<usize> i << 2), weight, end - i);
    if (k.grad != 0) weighRow(G + (<usize> i << 2), weight, end - i);
    i = end;
  }
}

function weighElements(values: usize, weights: usize, count: i32): void {
  const bytes = <usize> count << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(values + i, f32x4.mul(v128.load(values + i), v128.load(weights + i)));
  }
}

/** The next row begins within the last vector. */
// @ts-ignore: decorator
@inline
function weighRow(values: usize, weight: f32, count: i32): void {
  const factor = f32x4.splat(weight);
  const end = values + (<usize> count << 2);
  for (; values + 16 <= end; values += 16) v128.store(values, f32x4.mul(v128.load(values), factor));
  for (; values < end; values += 4) store<f32>(values, load<f32>(values) * weight);
}

/** Adds the block to the sum, and stores what is asked for. */
function finishBlock(k: LossCall, done: i32, count: i32): void {
  const offset = <usize> done << 2;
  if (k.grad != 0) scaleInto(k.grad + offset, G, count, k.gradScale);
  if (k.values == 0) {
    k.sum += sumOf(V, count);
  } else if (k.labels == 0) {
    scaleInto(k.values + offset, V, count, k.valueScale);
  } else {
    addRows(k, done, count);
  }
}

export function scaleInto(dst: usize, src: usize, count: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  // What would come out as a denormal comes out as 0: it costs a trap of the CPU.
  const least = f32x4.splat(<f32> 1.18e-38 / abs(scale));
  const bytes = <usize> count << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    const v = v128.load(src + i);
    v128.store(dst + i, f32x4.mul(v128.andnot(v, f32x4.lt(f32x4.abs(v), least)), factor));
  }
}

/** Row sums: a row that goes on in the next block is added to there. `values` enters as zeros. */
function addRows(k: LossCall, done: i32, count: i32): void {
  let i = 0;
  while (i < count) {
    const row = (done + i) / k.columns;
    const end = min(count, (row + 1) * k.columns - done);
    const at = k.values + (<usize> row << 2);
    const sum = sumOf(V + (<usize> i << 2), end - i);
    store<f32>(at, load<f32>(at) + <f32> (sum * <f64> k.valueScale));
    i = end;
  }
}

/** Sum of at most a block: float32 lanes over 64 elements at a time, float64 above. */
export function sumOf(src: usize, count: i32): f64 {
  let sum: f64 = 0;
  let i = 0;
  for (; i + 64 <= count; i += 64) {
    let s0 = f32x4.add(v128.load(src), v128.load(src, 16));
    let s1 = f32x4.add(v128.load(src, 32), v128.load(src, 48));
    let s2 = f32x4.add(v128.load(src, 64), v128.load(src, 80));
    let s3 = f32x4.add(v128.load(src, 96), v128.load(src, 112));
    s0 = f32x4.add(s0, f32x4.add(v128.load(src, 128), v128.load(src, 144)));
    s1 = f32x4.add(s1, f32x4.add(v128.load(src, 160), v128.load(src, 176)));
    s2 = f32x4.add(s2, f32x4.add(v128.load(src, 192), v128.load(src, 208)));
    s3 = f32x4.add(s3, f32x4.add(v128.load(src, 224), v128.load(src, 240)));
    sum += sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
    src += 256;
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
