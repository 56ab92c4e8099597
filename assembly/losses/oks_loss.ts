// deno-lint-ignore-file verbatim-module-syntax -- the block's class is one of @unmanaged classes
// Loss by object keypoint similarity: the mean of 1 − exp(−d²/(8 σ² area)) over a row's visible keypoints.

import { OksLossBlock } from "../generated/loss_blocks";
import { laneMask, madd, nmadd } from "../lanes";
import { EXP_TABLE } from "../math";
import { VALUES } from "./box_loss";
import { scaleInto, sumOf } from "./classify";
import { NO_WEIGHT } from "./weights";

/** Rows of a block. */
const ROWS: i32 = 32;
/** Exponents from here on leave nothing; products with e^-80 are still normal numbers. */
const FAR = memory.data<f32>([80]);
/** One over the least area. */
const MOST_INVERSE: f32 = 1e30;

export function oks_loss(call: usize): void {
  const k = changetype<OksLossBlock>(call);
  const rows = k.count / k.columns;
  for (let done = 0; done < rows; done += ROWS) {
    const count = min(ROWS, rows - done);
    for (let i = 0; i < count; i++) {
      const value = rowLoss(k, done + i);
      if (k.outside != 0) return;
      store<f32>(VALUES + (<usize> i << 2), value);
    }
    if (k.values == 0) k.sum += sumOf(VALUES, count);
    else scaleInto(k.values + (<usize> done << 2), VALUES, count, k.factor);
  }
}

/** The weighted loss of a row, whose gradient is stored where that is asked for. */
function rowLoss(k: OksLossBlock, row: i32): f32 {
  const points = k.columns >> 1;
  const area = load<f32>(k.scores + (<usize> row << 2));
  const weight: f32 = k.weightKind == NO_WEIGHT ? 1 : load<f32>(k.weight + (<usize> row << 2));
  const inverse = f32x4.splat(min<f32>(1 / area, MOST_INVERSE));
  const grad: usize = k.grad == 0 ? 0 : k.grad + <usize> row * (<usize> points << 3);
  let pred = k.pred + <usize> row * (<usize> points << 3);
  let target = k.target + <usize> row * (<usize> points * 12);
  let to = grad;
  let sums = f32x4.splat(0);
  let counts = i32x4.splat(0);
  for (let i = 0; i < points; i += 4) {
    const first = v128.load(pred);
    const second = v128.load(pred, 16);
    // x y v x, y v x y, v x y v.
    const t0 = v128.load(target);
    const t1 = v128.load(target, 16);
    const t2 = v128.load(target, 32);
    const targetX = v128.shuffle<f32>(v128.shuffle<f32>(t0, t1, 0, 3, 6, 6), t2, 0, 1, 2, 5);
    const targetY = v128.shuffle<f32>(v128.shuffle<f32>(t0, t1, 1, 4, 7, 7), t2, 0, 1, 2, 6);
    const v = v128.shuffle<f32>(v128.shuffle<f32>(t0, t1, 2, 5, 5, 5), t2, 0, 1, 4, 7);
    const x = f32x4.sub(v128.shuffle<f32>(first, second, 0, 2, 4, 6), targetX);
    const y = f32x4.sub(v128.shuffle<f32>(first, second, 1, 3, 5, 7), targetY);
    // Keypoints that do not count have no numbers that do; NaN of a visibility stays.
    const visible = v128.andnot(laneMask(points - i), f32x4.le(v, f32x4.splat(0)));
    const nan = f32x4.ne(v, v);
    const rate = f32x4.mul(v128.load(<usize> k.table + (<usize> i << 2)), inverse);
    const e = f32x4.mul(rate, madd(x, x, f32x4.mul(y, y)));
    // 2^k + p 2^k = exp(−e), and 1 less that without cancelling.
    const held = f32x4.pmin(e, v128.load32_splat(FAR));
    const rounded = nmadd(held, term(0), term(4));
    const twos = f32x4.sub(rounded, term(4));
    const rest = f32x4.neg(madd(twos, term(12), madd(twos, term(8), held)));
    const square = f32x4.mul(rest, rest);
    const low = madd(term(20), rest, term(16));
    const high = madd(term(28), rest, term(24));
    const p = madd(square, madd(madd(term(32), square, high), square, low), rest);
    const power = i32x4.shl(rounded, 23);
    const lost = nmadd(p, power, f32x4.sub(term(36), power));
    sums = f32x4.add(sums, v128.and(v128.or(lost, nan), visible));
    counts = i32x4.sub(counts, visible);
    if (to != 0) {
      const decay = madd(p, power, power);
      const slope = v128.or(f32x4.mul(f32x4.add(rate, rate), decay), nan);
      const near = v128.andnot(visible, v128.andnot(f32x4.ge(e, v128.load32_splat(FAR)), nan));
      const slopeX = v128.and(f32x4.mul(slope, x), near);
      const slopeY = v128.and(f32x4.mul(slope, y), near);
      v128.store(to, v128.shuffle<f32>(slopeX, slopeY, 0, 4, 1, 5));
      v128.store(to, v128.shuffle<f32>(slopeX, slopeY, 2, 6, 3, 7), 16);
      to += 32;
    }
    pred += 32;
    target += 48;
  }
  const count = i32x4.extract_lane(counts, 0) + i32x4.extract_lane(counts, 1) + i32x4.extract_lane(counts, 2) +
    i32x4.extract_lane(counts, 3);
  if (count == 0) return 0;
  if (!(area > 0)) k.outside = row + 1;
  const share: f32 = weight / <f32> count;
  if (grad != 0) {
    const factor = f32x4.splat(k.factor * share);
    for (let at = grad; at < to; at += 16) v128.store(at, f32x4.mul(v128.load(at), factor));
  }
  const sum = (f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1)) +
    (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3));
  return sum * share;
}

// @ts-ignore: decorator
@inline
function term(at: usize): v128 {
  return v128.load32_splat(EXP_TABLE + at);
}
