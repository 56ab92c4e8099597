// Shape of each side's distribution: standard deviation, entropy, highest probability, mass in the last bin.
//
// One body for both layouts, on four anchors at a time. Every side is shifted by its maximum, so the highest probability is
// 1 / sum, and the entropy is ln(sum) - Σ e x / sum with x ≤ 0.

import { madd, storeColumn } from "../lanes";
import { log4 } from "../math";
import { EXP, SHIFTED, softmaxTile, STRIDE, TILE } from "./softmax_tile";

/**
 * Value (i, side, bin) stands at src + i * anchorStride + (side * bins + bin) * binStride. Each output is (count, 4).
 */
export function dfl_statistics(
  src: usize,
  anchorStride: usize,
  binStride: usize,
  count: i32,
  bins: i32,
  std: usize,
  entropy: usize,
  top: usize,
  saturation: usize,
): void {
  for (let done = 0; done < count; done += TILE) {
    const anchors = min(TILE, count - done);
    for (let side = 0; side < 4; side++) {
      const from = src + <usize> done * anchorStride + <usize> (side * bins) * binStride;
      softmaxTile(from, anchorStride, binStride, anchors, bins);
      const to = (<usize> done << 4) + (<usize> side << 2);
      for (let lane = 0; lane < anchors; lane += 4) {
        const lanes = min(4, anchors - lane);
        const at = to + (<usize> lane << 4);
        measure(lane, lanes, bins, std + at, entropy + at, top + at, saturation + at);
      }
    }
  }
}

/** The four statistics of four anchors of the tile, starting at `lane`; stores the first `lanes` of them. */
function measure(
  lane: i32,
  lanes: i32,
  bins: i32,
  std: usize,
  entropy: usize,
  top: usize,
  saturation: usize,
): void {
  const start = <usize> lane << 2;
  let sum = f32x4.splat(0);
  let weighted = f32x4.splat(0);
  let surprise = f32x4.splat(0);
  for (let bin = 0; bin < bins; bin++) {
    const e = v128.load(EXP + start + <usize> bin * STRIDE);
    sum = f32x4.add(sum, e);
    weighted = madd(e, f32x4.splat(<f32> bin), weighted);
    surprise = madd(e, v128.load(SHIFTED + start + <usize> bin * STRIDE), surprise);
  }
  const mean = f32x4.div(weighted, sum);
  let spread = f32x4.splat(0);
  for (let bin = 0; bin < bins; bin++) {
    const d = f32x4.sub(f32x4.splat(<f32> bin), mean);
    spread = madd(v128.load(EXP + start + <usize> bin * STRIDE), f32x4.mul(d, d), spread);
  }
  storeColumn(std, f32x4.sqrt(f32x4.div(spread, sum)), lanes);
  storeColumn(top, f32x4.div(f32x4.splat(1), sum), lanes);
  const last = v128.load(EXP + start + <usize> (bins - 1) * STRIDE);
  storeColumn(saturation, f32x4.div(last, sum), lanes);
  storeColumn(entropy, f32x4.sub(log4(sum), f32x4.div(surprise, sum)), lanes);
}
