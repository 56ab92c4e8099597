// deno-lint-ignore-file verbatim-module-syntax -- classes are type arguments, and every loss gets the same arguments

// -(w_i log S_i + w_{i+1} log S_{i+1}) for each row of bins, with S the softmax and w the label's shares of its two bins.
//
// A row is shifted by its maximum; the terms other than the maximum are summed apart, so that log1p keeps a loss near 0.
// One row's arithmetic is short: what costs is the exponential, which runs over blocks of rows.

import { laneMask } from "../lanes";
import { EXP_MIN, log4, softmaxExp } from "../math";
import { LossCall, NO_WEIGHT } from "./call";
import { sumOf } from "./classify";

/** Floats of a block of rows, and the most rows in it. */
const BLOCK: i32 = 2048;
const MAX_BINS: i32 = 64;
const MAX_ROWS: i32 = BLOCK / 2;
const SHIFTED = memory.data(<i32> (BLOCK * 4 + MAX_BINS * 8), 16);
const EXPS = memory.data(<i32> (BLOCK * 4 + MAX_BINS * 8), 16);
/** Of each row of a block: its loss, and before that the part of it that is linear in the logits. */
const LOSSES = memory.data(<i32> (MAX_ROWS * 4 + 64), 16);
/** Of each row: its largest logit as it came, NaN aside. */
const PEAKS = memory.data(<i32> (MAX_ROWS * 4 + 64), 16);
/** Of each row: the sum of its terms but for one that is 1. */
const RESTS = memory.data(<i32> (MAX_ROWS * 4 + 64), 16);

/**
 * `low` is the value of the first bin, `inverse` one over the step, `scale` how far (in bins) a label may be outside the
 * bins by rounding. The first row whose label is further out is left in `option`, counted from 1, and ends the call.
 */
export function distribution_focal_loss(call: usize): void {
  const k = changetype<LossCall>(call);
  const bins = k.columns;
  const rows = k.count / bins;
  const perBlock = BLOCK / bins;
  const whole = <usize> (bins & ~3) << 2;
  const tail = laneMask(bins & 3);
  for (let done = 0; done < rows; done += perBlock) {
    const count = min(perBlock, rows - done);
    const logits = k.pred + (<usize> (done * bins) << 2);
    for (let row = 0; row < count; row++) {
      const at = <usize> (row * bins) << 2;
      shiftRow(logits + at, whole, tail, SHIFTED + at, PEAKS + (<usize> row << 2));
    }
    softmaxExp(SHIFTED, 0, EXPS, 0, 1, (count * bins + 15) & ~15);
    for (let row = 0; row < count; row++) {
      const at = <usize> (row * bins) << 2;
      const label = position(k, done + row);
      if (label < -k.scale || label > <f32> (bins - 1) + k.scale) {
        k.option = done + row + 1;
        return;
      }
      reduceRow(at, whole, tail, RESTS + (<usize> row << 2));
      labelRow(logits + at, bins, row, label);
    }
    logPass(count);
    if (k.grad != 0) gradientPass(k, done, count);
    finish(k, done, count);
  }
}

/** The label of a row in bins. */
// @ts-ignore: decorator
@inline
function position(k: LossCall, row: i32): f32 {
  return (load<f32>(k.target + (<usize> row << 2)) - k.low) * k.inverse;
}

/** The lower of the label's two bins; NaN gives the first. */
// @ts-ignore: decorator
@inline
function lowerBin(label: f32, bins: i32): i32 {
  return label > 0 ? min(<i32> label, bins - 2) : 0;
}

/** Share of the upper bin. */
// @ts-ignore: decorator
@inline
function upperShare(label: f32, left: i32): f32 {
  // max and min keep a NaN.
  return max(min(label - <f32> left, 1), 0);
}

/** dst = x - max, at least EXP_MIN; peak = max. Whole vectors first, then the lanes of `tail`. */
// @ts-ignore: decorator
@inline
function shiftRow(row: usize, whole: usize, tail: v128, dst: usize, peak: usize): void {
  let m = f32x4.splat(-Infinity);
  // pmax drops a NaN only from its second operand.
  for (let i: usize = 0; i < whole; i += 16) m = f32x4.pmax(m, v128.load(row + i));
  m = f32x4.pmax(m, v128.bitselect(v128.load(row + whole), m, tail));
  const high = f32x4.pmax(m, v128.shuffle<f32>(m, m, 2, 3, 0, 1));
  const top = f32x4.pmax(high, v128.shuffle<f32>(high, high, 1, 0, 3, 2));
  const most = f32x4.extract_lane(top, 0);
  store<f32>(peak, most);
  if (abs(most) == Infinity) return shiftInfinite(row, whole, dst, most);
  const least = f32x4.splat(EXP_MIN);
  for (let i: usize = 0; i <= whole; i += 16) {
    v128.store(dst + i, f32x4.pmax(f32x4.sub(v128.load(row + i), top), least));
  }
}

/** Equal infinities are at the top, all else is far below. */
function shiftInfinite(row: usize, whole: usize, dst: usize, most: f32): void {
  const top = f32x4.splat(most);
  for (let i: usize = 0; i <= whole; i += 16) {
    const x = v128.load(row + i);
    const below = v128.bitselect(f32x4.splat(0), f32x4.splat(EXP_MIN), f32x4.eq(x, top));
    // NaN stays: it is what is not equal to itself.
    v128.store(dst + i, v128.bitselect(x, below, f32x4.ne(x, x)));
  }
}

/** rest = the terms of a row but for one that is 1. */
// @ts-ignore: decorator
@inline
function reduceRow(at: usize, whole: usize, tail: v128, rest: usize): void {
  const zero = f32x4.splat(0);
  let sum = zero;
  let peaks = i32x4.splat(0);
  for (let i: usize = 0; i < whole; i += 16) {
    const isPeak = f32x4.eq(v128.load(SHIFTED + at + i), zero);
    peaks = i32x4.sub(peaks, isPeak);
    sum = f32x4.add(sum, v128.andnot(v128.load(EXPS + at + i), isPeak));
  }
  const isPeak = v128.and(f32x4.eq(v128.load(SHIFTED + at + whole), zero), tail);
  peaks = i32x4.sub(peaks, isPeak);
  sum = f32x4.add(sum, v128.andnot(v128.and(v128.load(EXPS + at + whole), tail), isPeak));
  store<f32>(rest, sumFloats(sum) + <f32> max(sumInts(peaks) - 1, 0));
}

/** LOSSES: the gaps to the maximum of the label's two bins by their shares. */
// @ts-ignore: decorator
@inline
function labelRow(logits: usize, bins: i32, row: i32, label: f32): void {
  const left = lowerBin(label, bins);
  const right = upperShare(label, left);
  const peak = load<f32>(PEAKS + (<usize> row << 2));
  const near = share(1 - right, peak, load<f32>(logits + (<usize> left << 2)));
  const far = share(right, peak, load<f32>(logits + (<usize> left << 2), 4));
  store<f32>(LOSSES + (<usize> row << 2), near + far);
}

/** weight * (peak - x), 0 where either is; equal infinities have no gap. */
// @ts-ignore: decorator
@inline
function share(weight: f32, peak: f32, x: f32): f32 {
  return weight == 0 || x == peak ? 0 : weight * (peak - x);
}

// @ts-ignore: decorator
@inline
function sumFloats(v: v128): f32 {
  const high = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(high, 0) + f32x4.extract_lane(high, 1);
}

// @ts-ignore: decorator
@inline
function sumInts(v: v128): i32 {
  const high = i32x4.add(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1));
  return i32x4.extract_lane(high, 0) + i32x4.extract_lane(high, 1);
}

/** LOSSES += log1p(RESTS), four rows at a time. */
function logPass(count: i32): void {
  const one = f32x4.splat(1);
  for (let i: usize = 0; i < <usize> count << 2; i += 16) {
    const rest = v128.load(RESTS + i);
    // ln(1 + R) of the rounded sum, corrected by what the rounding lost: exact to R while R is tiny.
    const sum = f32x4.add(one, rest);
    const lost = f32x4.sub(rest, f32x4.sub(sum, one));
    const log = f32x4.add(log4(sum), f32x4.div(lost, sum));
    v128.store(LOSSES + i, f32x4.add(v128.load(LOSSES + i), log));
  }
}

/** softmax - shares, without cancelling where a share is 1. */
function gradientPass(k: LossCall, done: i32, count: i32): void {
  const bins = k.columns;
  for (let row = 0; row < count; row++) {
    const at = <usize> (row * bins) << 2;
    const to = k.grad + (<usize> (done * bins) << 2) + at;
    const rest = load<f32>(RESTS + (<usize> row << 2));
    const factor = k.gradScale * rowWeight(k, done + row);
    const inverse: f32 = 1 / (1 + rest);
    const scale = f32x4.splat(factor * inverse);
    for (let i: usize = 0; i < <usize> bins << 2; i += 16) {
      v128.store(to + i, f32x4.mul(v128.load(EXPS + at + i), scale));
    }
    const label = position(k, done + row);
    const left = lowerBin(label, bins);
    const right = upperShare(label, left);
    const offset = <usize> left << 2;
    store<f32>(to + offset, factor * pull(1 - right, load<f32>(EXPS + at + offset), rest, inverse));
    store<f32>(to + offset, factor * pull(right, load<f32>(EXPS + at + offset, 4), rest, inverse), 4);
  }
}

/** (1 - w) S - w (1 - S) for a term e of a sum 1 + rest. */
// @ts-ignore: decorator
@inline
function pull(weight: f32, e: f32, rest: f32, inverse: f32): f32 {
  const others = e == 1 ? rest : 1 - e + rest;
  return ((1 - weight) * e - weight * others) * inverse;
}

// @ts-ignore: decorator
@inline
function rowWeight(k: LossCall, row: i32): f32 {
  return k.weightKind == NO_WEIGHT ? 1 : load<f32>(k.weight + (<usize> row << 2));
}

function finish(k: LossCall, done: i32, count: i32): void {
  if (k.weightKind != NO_WEIGHT) {
    for (let row = 0; row < count; row++) {
      const at = LOSSES + (<usize> row << 2);
      store<f32>(at, load<f32>(at) * rowWeight(k, done + row));
    }
  }
  if (k.values == 0) {
    k.sum += sumOf(LOSSES, count);
    return;
  }
  const to = k.values + (<usize> done << 2);
  for (let row = 0; row < count; row++) {
    store<f32>(to + (<usize> row << 2), load<f32>(LOSSES + (<usize> row << 2)) * k.valueScale);
  }
}
