// deno-lint-ignore-file verbatim-module-syntax -- classes are type arguments, and every loss gets the same arguments

// -(w_i log S_i + w_{i+1} log S_{i+1}) for each row of bins, with S the softmax and w the label's shares of its two bins.
//
// With m the row's largest logit and R the sum of e^(x - m) less 1, that is
// log1p(R) + w_i (m - x_i) + w_{i+1} (m - x_{i+1}). A loss is near 0 only if m is at one of the label's bins: its term is
// then left out of the sum, so that R and the loss keep their digits. The exponential runs over blocks of rows.

import { laneMask, select as pick, sumOfFour, sumRows } from "../lanes";
import { log4, softmaxExp } from "../math";
import { DistributionFocalLossBlock } from "../generated/loss_blocks";
import { NO_WEIGHT } from "./weights";
import { scaleInto } from "./classify";

/** Floats of a block of rows, and the most rows in it. */
const BLOCK: i32 = 2048;
const MAX_BINS: i32 = 64;
const MAX_ROWS: i32 = BLOCK / 2;
const LINE: i32 = MAX_ROWS * 4 + 64;
const SHIFTED = memory.data(<i32> (BLOCK * 4 + MAX_BINS * 8), 16);
const EXPS = memory.data(<i32> (BLOCK * 4 + MAX_BINS * 8), 16);
/**
 * Of each row of a block: half its loss, and before that the part of it that is linear in the logits. The gap of finite logits may
 * be twice the largest float32.
 */
const LOSSES = memory.data(LINE, 16);
/** Of each row: the sum of its terms less 1, and one over the sum. */
const RESTS = memory.data(LINE, 16);
const INVERSES = memory.data(LINE, 16);
/** Of each row: the lower of the label's bins, the share of the upper one, and the bin that is left out, or -1. */
const LEFTS = memory.data(LINE, 16);
const SHARES = memory.data(LINE, 16);
const PEAKS = memory.data(LINE, 16);
/** Of each of four rows: gradients at the label's bins, and the factor of all others. */
const LOWERS = memory.data(16, 16);
const UPPERS = memory.data(16, 16);
const SCALES = memory.data(16, 16);

/** What a row is shifted by, where it is finite. */
const SHIFTS = memory.data(16, 16);
/** How far below the largest a logit makes a difference; products of what is less are denormals, which cost a trap of the CPU. */
const BELOW: f32 = -60;

/** A row whose label is outside the bins ends the call; `outside` tells which. */
export function distribution_focal_loss(call: usize): void {
  const k = changetype<DistributionFocalLossBlock>(call);
  const bins = k.columns;
  const rows = k.count / bins;
  const perBlock = (BLOCK / bins) & ~3;
  for (let done = 0; done < rows; done += perBlock) {
    const count = min(perBlock, rows - done);
    const logits = k.pred + (<usize> (done * bins) << 2);
    const wrong = k.table == 0 ? placeLabels(k, done, count) : placeByTable(k, done, count);
    if (wrong != 0) {
      k.outside = done + wrong;
      return;
    }
    for (let row = 0; row < count; row += 4) shiftRows(logits, bins, row, count);
    softmaxExp(SHIFTED, 0, EXPS, 0, 1, (count * bins + 15) & ~15);
    for (let row = 0; row < count; row += 4) addTerms(bins, row, count);
    if (k.slack == Infinity) keepNaN(count);
    logPass(count);
    if (k.grad != 0) gradientPass(k, done, count);
    finish(k, done, count);
  }
}

/** LEFTS and SHARES; returns the first row with a label outside the bins, counted from 1, or 0. */
function placeLabels(k: DistributionFocalLossBlock, done: i32, count: i32): i32 {
  const last = f32x4.splat(<f32> (k.columns - 1));
  const slack = k.slack4();
  const beyond = f32x4.add(last, slack);
  const before = f32x4.neg(slack);
  const highest = i32x4.splat(k.columns - 2);
  const labels = k.target + (<usize> done << 2);
  for (let i: usize = 0; i < <usize> count << 2; i += 16) {
    const label = f32x4.mul(f32x4.sub(v128.load(labels + i), k.firstBin4()), k.inverseStep4());
    // NaN is neither.
    const right = v128.and(f32x4.ge(label, before), f32x4.le(label, beyond));
    const row = <i32> (i >> 2);
    const first = i32x4.bitmask(v128.andnot(laneMask(count - row), right));
    // Without an end to the slack NaN is right too.
    if (first != 0 && k.slack != Infinity) return row + ctz(first) + 1;
    const left = i32x4.min_s(i32x4.max_s(i32x4.trunc_sat_f32x4_s(label), i32x4.splat(0)), highest);
    const share = f32x4.sub(label, f32x4.convert_i32x4_s(left));
    v128.store(LEFTS + i, left);
    v128.store(SHARES + i, f32x4.max(f32x4.min(share, f32x4.splat(1)), f32x4.splat(0)));
  }
  return 0;
}

/** The same by the bins' values. */
function placeByTable(k: DistributionFocalLossBlock, done: i32, count: i32): i32 {
  const labels = k.target + (<usize> done << 2);
  for (let i: usize = 0; i < <usize> count << 2; i += 16) {
    const label = v128.load(labels + i);
    let left = i32x4.splat(0);
    for (let bin = 1; bin < k.columns - 1; bin++) {
      left = i32x4.sub(left, f32x4.ge(label, v128.load32_splat(k.table + (<usize> bin << 2))));
    }
    const low = terms(k.table, 0, left);
    const high = terms(k.table + 4, 0, left);
    const half = f32x4.splat(0.5);
    // Halves: the gap of two finite numbers may be twice the largest.
    const gap = f32x4.sub(f32x4.mul(high, half), f32x4.mul(low, half));
    const share = f32x4.div(f32x4.sub(f32x4.mul(label, half), f32x4.mul(low, half)), gap);
    const inside = f32x4.max(f32x4.min(share, f32x4.splat(1)), f32x4.splat(0));
    const row = <i32> (i >> 2);
    const first = i32x4.bitmask(v128.andnot(laneMask(count - row), f32x4.eq(share, inside)));
    if (first != 0 && k.slack != Infinity) return row + ctz(first) + 1;
    v128.store(LEFTS + i, left);
    v128.store(SHARES + i, inside);
  }
  return 0;
}

/** A row whose label is NaN becomes so. */
function keepNaN(count: i32): void {
  for (let i: usize = 0; i < <usize> count << 2; i += 16) {
    const none = f32x4.mul(v128.load(SHARES + i), f32x4.splat(0));
    v128.store(RESTS + i, f32x4.add(v128.load(RESTS + i), none));
  }
}

/** Four rows: PEAKS, the linear part of LOSSES, and SHIFTED = x - largest, what is left out aside. */
function shiftRows(logits: usize, bins: i32, row: i32, count: i32): void {
  const list = <usize> row << 2;
  const width = <usize> bins << 2;
  // Rows past the end are the last one once more.
  const r0 = <usize> row * width;
  const r1 = <usize> min(row + 1, count - 1) * width;
  const r2 = <usize> min(row + 2, count - 1) * width;
  const r3 = <usize> min(row + 3, count - 1) * width;
  const left = v128.load(LEFTS + list);
  const at0 = logits + r0 + (<usize> i32x4.extract_lane(left, 0) << 2);
  const at1 = logits + r1 + (<usize> i32x4.extract_lane(left, 1) << 2);
  const at2 = logits + r2 + (<usize> i32x4.extract_lane(left, 2) << 2);
  const at3 = logits + r3 + (<usize> i32x4.extract_lane(left, 3) << 2);
  const lower = f32x4(load<f32>(at0), load<f32>(at1), load<f32>(at2), load<f32>(at3));
  const upper = f32x4(load<f32>(at0, 4), load<f32>(at1, 4), load<f32>(at2, 4), load<f32>(at3, 4));
  const peak = largest(logits, r0, r1, r2, r3, bins);
  const isUpper = f32x4.eq(upper, peak);
  const bin = i32x4.sub(left, isUpper);
  v128.store(PEAKS + list, v128.or(bin, v128.not(v128.or(isUpper, f32x4.eq(lower, peak)))));
  v128.store(LOSSES + list, gaps(v128.load(SHARES + list), peak, lower, upper));
  v128.store(SHIFTS, peak);
  shiftRow(logits, r0, width, 0);
  shiftRow(logits, r1, width, 4);
  shiftRow(logits, r2, width, 8);
  shiftRow(logits, r3, width, 12);
  const lanes = min(count - row, 4);
  const infinite = i32x4.bitmask(v128.and(f32x4.eq(f32x4.abs(peak), f32x4.splat(Infinity)), laneMask(lanes)));
  if (infinite != 0) shiftInfinite(logits, row, bins, infinite, peak);
  for (let i = 0; i < lanes; i++) leaveOut(<usize> (row + i) * width, load<i32>(PEAKS + list + (<usize> i << 2)));
}

/** The largest logit of each of four rows, NaN aside. */
// @ts-ignore: decorator
@inline
function largest(logits: usize, r0: usize, r1: usize, r2: usize, r3: usize, bins: i32): v128 {
  const whole = <usize> (bins & ~3) << 2;
  const tail = laneMask(bins & 3);
  const least = f32x4.splat(-Infinity);
  let m0 = f32x4.pmax(least, v128.bitselect(v128.load(logits + r0 + whole), least, tail));
  let m1 = f32x4.pmax(least, v128.bitselect(v128.load(logits + r1 + whole), least, tail));
  let m2 = f32x4.pmax(least, v128.bitselect(v128.load(logits + r2 + whole), least, tail));
  let m3 = f32x4.pmax(least, v128.bitselect(v128.load(logits + r3 + whole), least, tail));
  // pmax drops a NaN of its second operand.
  for (let i: usize = 0; i < whole; i += 16) {
    m0 = f32x4.pmax(m0, v128.load(logits + r0 + i));
    m1 = f32x4.pmax(m1, v128.load(logits + r1 + i));
    m2 = f32x4.pmax(m2, v128.load(logits + r2 + i));
    m3 = f32x4.pmax(m3, v128.load(logits + r3 + i));
  }
  const m01 = f32x4.pmax(v128.shuffle<f32>(m0, m1, 0, 4, 1, 5), v128.shuffle<f32>(m0, m1, 2, 6, 3, 7));
  const m23 = f32x4.pmax(v128.shuffle<f32>(m2, m3, 0, 4, 1, 5), v128.shuffle<f32>(m2, m3, 2, 6, 3, 7));
  return f32x4.pmax(v128.shuffle<f64>(m01, m23, 0, 2), v128.shuffle<f64>(m01, m23, 1, 3));
}

/** Half of (1 - share) (peak - lower) + share (peak - upper); no share of an infinite gap and equal infinities give 0. */
// @ts-ignore: decorator
@inline
function gaps(share: v128, peak: v128, lower: v128, upper: v128): v128 {
  const rest = f32x4.sub(f32x4.splat(1), share);
  return f32x4.add(gap(rest, peak, lower), gap(share, peak, upper));
}

// @ts-ignore: decorator
@inline
function gap(share: v128, peak: v128, x: v128): v128 {
  const none = v128.or(f32x4.eq(share, f32x4.splat(0)), f32x4.eq(x, peak));
  const half = f32x4.splat(0.5);
  return v128.andnot(f32x4.mul(share, f32x4.sub(f32x4.mul(half, peak), f32x4.mul(half, x))), none);
}

/** SHIFTED of one row. */
// @ts-ignore: decorator
@inline
function shiftRow(logits: usize, at: usize, width: usize, lane: usize): void {
  const peak = v128.load32_splat(SHIFTS + lane);
  const least = f32x4.splat(BELOW);
  for (let i: usize = 0; i < width; i += 16) {
    // pmax keeps a NaN of its first operand.
    v128.store(SHIFTED + at + i, f32x4.pmax(f32x4.sub(v128.load(logits + at + i), peak), least));
  }
}

/** Rows, by the bits of `which`, with an infinite peak: equal infinities are at the top, all else is far below. */
function shiftInfinite(logits: usize, row: i32, bins: i32, which: i32, peak: v128): void {
  v128.store(SHIFTS, peak);
  for (; which != 0; which &= which - 1) {
    const i = ctz(which);
    const at = <usize> ((row + i) * bins) << 2;
    const top = load<f32>(SHIFTS + (<usize> i << 2));
    for (let j: usize = 0; j < <usize> bins << 2; j += 4) {
      const x = load<f32>(logits + at + j);
      store<f32>(SHIFTED + at + j, x == top ? 0 : x != x ? x : BELOW);
    }
  }
}

// @ts-ignore: decorator
@inline
function leaveOut(at: usize, bin: i32): void {
  // No branch: whether the largest is at the label is anybody's guess.
  store<f32>(select<usize>(SHIFTED + at + (<usize> bin << 2), SHIFTS, bin >= 0), BELOW);
}

/** RESTS of four rows. */
function addTerms(bins: i32, row: i32, count: i32): void {
  const width = <usize> bins << 2;
  const r0 = EXPS + <usize> row * width;
  const r1 = EXPS + <usize> min(row + 1, count - 1) * width;
  const r2 = EXPS + <usize> min(row + 2, count - 1) * width;
  const r3 = EXPS + <usize> min(row + 3, count - 1) * width;
  const whole = <usize> (bins & ~3) << 2;
  const tail = laneMask(bins & 3);
  let s0 = v128.and(v128.load(r0 + whole), tail);
  let s1 = v128.and(v128.load(r1 + whole), tail);
  let s2 = v128.and(v128.load(r2 + whole), tail);
  let s3 = v128.and(v128.load(r3 + whole), tail);
  let i: usize = 0;
  // Sixteen bins at a time: what a large sum loses of each small term adds up.
  for (; i + 64 <= whole; i += 64) {
    s0 = f32x4.add(s0, sumOfFour(r0 + i, 16));
    s1 = f32x4.add(s1, sumOfFour(r1 + i, 16));
    s2 = f32x4.add(s2, sumOfFour(r2 + i, 16));
    s3 = f32x4.add(s3, sumOfFour(r3 + i, 16));
  }
  for (; i < whole; i += 16) {
    s0 = f32x4.add(s0, v128.load(r0 + i));
    s1 = f32x4.add(s1, v128.load(r1 + i));
    s2 = f32x4.add(s2, v128.load(r2 + i));
    s3 = f32x4.add(s3, v128.load(r3 + i));
  }
  const list = <usize> row << 2;
  // What is not left out has its 1 in the sum.
  const whole1 = v128.and(i32x4.shr_s(v128.load(PEAKS + list), 31), f32x4.splat(1));
  v128.store(RESTS + list, f32x4.sub(sumRows(s0, s1, s2, s3), whole1));
}

/** LOSSES += half of log1p(RESTS), and INVERSES, four rows at a time. */
function logPass(count: i32): void {
  const one = f32x4.splat(1);
  for (let i: usize = 0; i < <usize> count << 2; i += 16) {
    const rest = v128.load(RESTS + i);
    // ln(1 + R) of the rounded sum, corrected by what the rounding lost: exact to R while R is tiny.
    const sum = f32x4.add(one, rest);
    const lost = f32x4.sub(rest, f32x4.sub(sum, one));
    const inverse = f32x4.div(one, sum);
    v128.store(INVERSES + i, inverse);
    const log = f32x4.add(log4(sum), f32x4.mul(lost, inverse));
    v128.store(LOSSES + i, f32x4.add(v128.load(LOSSES + i), f32x4.mul(f32x4.splat(0.5), log)));
  }
}

/** softmax - shares, without cancelling where a share is 1. */
function gradientPass(k: DistributionFocalLossBlock, done: i32, count: i32): void {
  const width = <usize> k.columns << 2;
  for (let row = 0; row < count; row += 4) {
    const list = <usize> row << 2;
    const scale = f32x4.mul(f32x4.mul(k.factor4(), weights(k, done + row)), v128.load(INVERSES + list));
    const share = v128.load(SHARES + list);
    const rest = v128.load(RESTS + list);
    const peak = v128.load(PEAKS + list);
    const left = v128.load(LEFTS + list);
    const right = i32x4.add(left, i32x4.splat(1));
    const e = EXPS + <usize> row * width;
    const lower = termGradient(f32x4.sub(f32x4.splat(1), share), terms(e, width, left), rest, i32x4.eq(peak, left));
    const upper = termGradient(share, terms(e, width, right), rest, i32x4.eq(peak, right));
    v128.store(LOWERS, f32x4.mul(lower, scale));
    v128.store(UPPERS, f32x4.mul(upper, scale));
    v128.store(SCALES, scale);
    const to = k.grad + <usize> (done + row) * width;
    const lanes = min(count - row, 4);
    for (let i = 0; i < lanes; i++) gradientRow(e + <usize> i * width, to + <usize> i * width, width, row + i, <usize> i << 2);
  }
}

/** The term of one bin of each of four rows that are `width` bytes apart. Past the last row it is anything within reach. */
// @ts-ignore: decorator
@inline
function terms(e: usize, width: usize, bins: v128): v128 {
  return f32x4(
    load<f32>(e + (<usize> i32x4.extract_lane(bins, 0) << 2)),
    load<f32>(e + width + (<usize> i32x4.extract_lane(bins, 1) << 2)),
    load<f32>(e + 2 * width + (<usize> i32x4.extract_lane(bins, 2) << 2)),
    load<f32>(e + 3 * width + (<usize> i32x4.extract_lane(bins, 3) << 2)),
  );
}

/** (1 - w) S - w (1 - S) over the inverse of the sum 1 + rest, for a term e of the rest or the 1 that is left out. */
// @ts-ignore: decorator
@inline
function termGradient(weight: v128, e: v128, rest: v128, isPeak: v128): v128 {
  const one = f32x4.splat(1);
  const other = f32x4.sub(one, weight);
  const own = pick(one, e, isPeak);
  const others = pick(rest, f32x4.add(one, f32x4.sub(rest, e)), isPeak);
  return f32x4.sub(f32x4.mul(other, own), f32x4.mul(weight, others));
}

// @ts-ignore: decorator
@inline
function gradientRow(e: usize, to: usize, width: usize, row: i32, lane: usize): void {
  const scale = v128.load32_splat(SCALES + lane);
  for (let i: usize = 0; i < width; i += 16) v128.store(to + i, f32x4.mul(v128.load(e + i), scale));
  const list = <usize> row << 2;
  const left = to + (<usize> load<i32>(LEFTS + list) << 2);
  store<f32>(left, load<f32>(LOWERS + lane));
  store<f32>(left, load<f32>(UPPERS + lane), 4);
}

/** One for each of four rows; past the last row whatever follows. */
// @ts-ignore: decorator
@inline
function weights(k: DistributionFocalLossBlock, row: i32): v128 {
  return k.weightKind == NO_WEIGHT ? f32x4.splat(1) : v128.load(k.weight + (<usize> row << 2));
}

function finish(k: DistributionFocalLossBlock, done: i32, count: i32): void {
  if (k.weightKind != NO_WEIGHT) {
    for (let i: usize = 0; i < <usize> count << 2; i += 16) {
      const loss = v128.load(LOSSES + i);
      const weight = weights(k, done + <i32> (i >> 2));
      // No weight of an infinite loss is nothing.
      const none = v128.and(f32x4.eq(loss, f32x4.splat(Infinity)), f32x4.eq(weight, f32x4.splat(0)));
      v128.store(LOSSES + i, v128.andnot(f32x4.mul(loss, weight), none));
    }
  }
  if (k.values == 0) k.sum += 2 * sumOfLosses(count);
  else scaleInto(k.values + (<usize> done << 2), LOSSES, count, 2 * k.factor);
}

/** Of the first of LOSSES, in float64: rows are few, and large ones together over the end of float32. */
function sumOfLosses(count: i32): f64 {
  let sum = f64x2.splat(0);
  let at = LOSSES;
  const whole = at + (<usize> (count & ~3) << 2);
  for (; at < whole; at += 16) sum = f64x2.add(sum, pairs(v128.load(at)));
  sum = f64x2.add(sum, pairs(v128.and(v128.load(at), laneMask(count & 3))));
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

// @ts-ignore: decorator
@inline
function pairs(v: v128): v128 {
  return f64x2.add(f64x2.promote_low_f32x4(v), f64x2.promote_low_f32x4(v128.shuffle<f64>(v, v, 1, 1)));
}
