// Shape of each side's distribution: standard deviation, entropy, highest probability, mass in the last bin, and excess: the
// deviation beyond that of the same mean on the two bins beside it.
//
// With n and n + 1 those bins, E (i - n)(i - n - 1) is what the variance has more than theirs. No term of it is negative, so
// that nothing cancels. For another n it is more: which n is right need not be known where the mean is next to a bin.
//
// One body for both layouts, on four anchors at a time. Every side is shifted by its maximum, so the highest probability is
// 1 / sum, and the entropy is ln(sum) - Σ e x / sum with x ≤ 0.

import { madd, storeColumn } from "../lanes";
import { log4 } from "../math";
import { EXP, SHIFTED, softmaxTile, STRIDE, sumOfBins, TILE } from "./softmax_tile";

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
  excess: usize,
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
        measure(lane, lanes, bins, std + at, entropy + at, top + at, saturation + at, excess + at);
      }
    }
  }
}

/** The statistics of four anchors of the tile, starting at `lane`; stores the first `lanes` of them. */
function measure(
  lane: i32,
  lanes: i32,
  bins: i32,
  std: usize,
  entropy: usize,
  top: usize,
  saturation: usize,
  excess: usize,
): void {
  const exps = EXP + (<usize> lane << 2);
  const shifted = SHIFTED + (<usize> lane << 2);
  const sum = sumOfBins(exps, bins);
  let weighted = f32x4.splat(0);
  let surprise = f32x4.splat(0);
  for (let bin = 0; bin < bins; bin++) {
    const e = v128.load(exps + <usize> bin * STRIDE);
    weighted = madd(e, f32x4.splat(<f32> bin), weighted);
    surprise = madd(e, v128.load(shifted + <usize> bin * STRIDE), surprise);
  }
  // With d the distance to the bin next to the mean: d (d - 1) and d (d + 1), neither of which is ever negative.
  let d = f32x4.neg(f32x4.nearest(f32x4.div(weighted, sum)));
  let above = f32x4.splat(0);
  let below = f32x4.splat(0);
  for (let bin = 0; bin < bins; bin++) {
    const share = f32x4.mul(v128.load(exps + <usize> bin * STRIDE), d);
    above = madd(share, f32x4.sub(d, f32x4.splat(1)), above);
    d = f32x4.add(d, f32x4.splat(1));
    below = madd(share, d, below);
  }
  storeColumn(std, f32x4.sqrt(varianceOf(above, below, sum)), lanes);
  storeColumn(excess, f32x4.sqrt(f32x4.div(f32x4.min(above, below), sum)), lanes);
  storeColumn(top, f32x4.div(f32x4.splat(1), sum), lanes);
  const last = v128.load(exps + <usize> (bins - 1) * STRIDE);
  storeColumn(saturation, f32x4.div(last, sum), lanes);
  storeColumn(entropy, f32x4.sub(log4(sum), f32x4.div(surprise, sum)), lanes);
}

/** E d^2 - (E d)^2, of which the first is at most twice what is left, because |E d| is at most a half. */
// @ts-ignore: decorator
@inline
function varianceOf(above: v128, below: v128, sum: v128): v128 {
  const twice = f32x4.add(sum, sum);
  const square = f32x4.div(f32x4.add(below, above), twice);
  const offset = f32x4.div(f32x4.sub(below, above), twice);
  return f32x4.sub(square, f32x4.mul(offset, offset));
}
