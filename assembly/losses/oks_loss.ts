// deno-lint-ignore-file verbatim-module-syntax -- the block's class is one of @unmanaged classes
// Loss by object keypoint similarity: the mean of 1 − exp(−d²/(8 σ² area)) over a row's visible keypoints.

import { OksLossBlock } from "../generated/loss_blocks";
import { madd, nmadd } from "../lanes";
import { one } from "./box_lanes";
import { VALUES } from "./box_loss";
import { scaleInto, sumOf } from "./classify";
import { halvings, halvingSlope, withoutHalvings } from "./decay";
import { NO_WEIGHT } from "./weights";

/** Rows of a block. */
const ROWS: i32 = 32;
/** One over the least area. */
const MOST_INVERSE: f32 = 1e30;
const LOG2E: f32 = 1.4426950408889634;
const LN2: f32 = 0.6931471805599453;

/** Powers of 2 from here on leave nothing; products with 2^-115 are still normal numbers. */
const FAR = memory.data<f32>([115]);

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
  const inverse = f32x4.splat(min<f32>(1 / area, MOST_INVERSE) * LOG2E);
  const grad: usize = k.grad == 0 ? 0 : k.grad + <usize> row * (<usize> points << 3);
  let pred = k.pred + <usize> row * (<usize> points << 3);
  let target = k.target + <usize> row * (<usize> points * 12);
  let to = grad;
  let table: usize = k.table;
  const end = table + (<usize> points << 2);
  let sums = f32x4.splat(0);
  let count = 0;
  // Tested behind: V8 then builds outside what does not change.
  do {
    const first = v128.load(pred);
    const second = v128.load(pred, 16);
    // x y v x, y v x y, v x y v. Blends of two and a turn: other shuffles of two take three instructions.
    const t0 = v128.load(target);
    const t1 = v128.load(target, 16);
    const t2 = v128.load(target, 32);
    const xs = v128.shuffle<f32>(v128.shuffle<f32>(t0, t1, 0, 1, 6, 3), t2, 0, 5, 2, 3);
    const ys = v128.shuffle<f32>(v128.shuffle<f32>(t0, t1, 4, 1, 2, 7), t2, 0, 1, 6, 3);
    const vs = v128.shuffle<f32>(v128.shuffle<f32>(t0, t1, 0, 5, 2, 3), t2, 4, 1, 2, 7);
    const v = v128.shuffle<f32>(vs, vs, 2, 1, 0, 3);
    const x = f32x4.sub(v128.shuffle<f32>(first, second, 0, 2, 4, 6), v128.shuffle<f32>(xs, xs, 0, 3, 2, 1));
    const y = f32x4.sub(v128.shuffle<f32>(first, second, 1, 3, 5, 7), v128.shuffle<f32>(ys, ys, 1, 0, 3, 2));
    // Keypoints that do not count have no numbers that do; NaN of a visibility stays. Behind the last the table is negative.
    const each = v128.load(table);
    const hidden = v128.or(f32x4.le(v, f32x4.splat(0)), i32x4.shr_s(each, 31));
    const rate = f32x4.mul(each, inverse);
    const e = v128.or(f32x4.mul(rate, madd(x, x, f32x4.mul(y, y))), f32x4.ne(v, v));
    // power + step p = 2^−e, and 1 less that without cancelling.
    const held = f32x4.pmin(e, v128.load32_splat(FAR));
    const rounded = halvings(held);
    const rest = withoutHalvings(held, rounded);
    const p = halvingSlope(rest);
    const power = i32x4.shl(rounded, 23);
    const step = f32x4.mul(rest, power);
    const lost = nmadd(p, step, f32x4.sub(one(), power));
    sums = f32x4.add(sums, v128.andnot(lost, hidden));
    count += 4 - popcnt(i32x4.bitmask(hidden));
    if (to != 0) {
      const slope = f32x4.mul(rate, madd(p, step, power));
      const nothing = v128.or(hidden, f32x4.ge(e, v128.load32_splat(FAR)));
      const slopeX = v128.andnot(f32x4.mul(slope, x), nothing);
      const slopeY = v128.andnot(f32x4.mul(slope, y), nothing);
      v128.store(to, v128.shuffle<f32>(slopeX, slopeY, 0, 4, 1, 5));
      v128.store(to, v128.shuffle<f32>(slopeX, slopeY, 2, 6, 3, 7), 16);
      to += 32;
    }
    pred += 32;
    target += 48;
    table += 16;
  } while (table < end);
  if (count == 0) return 0;
  if (!(area > 0)) k.outside = row + 1;
  const share: f32 = weight / <f32> count;
  if (grad != 0) {
    // Rates are of powers of 2, and of half the slopes.
    const factor = f32x4.splat(k.factor * share * (2 * LN2));
    do {
      to -= 16;
      v128.store(to, f32x4.mul(v128.load(to), factor));
    } while (to > grad);
  }
  const sum = (f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1)) +
    (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3));
  return sum * share;
}
