// Shape of each side's distribution: standard deviation, entropy, highest probability, mass in the last bin.
//
// One body for both layouts, on four anchors at a time: rows are transposed into scratch first. Every side is shifted by its
// maximum, so the highest probability is 1 / sum, and the entropy is ln(sum) - Σ e x / sum with x ≤ 0.

import { madd, storeColumn } from "../lanes";
import { EXP_MIN, log4, softmaxExp } from "../math";

/** Anchors of a tile. */
const TILE: i32 = 16;
const MAX_BINS: i32 = 64;
const LOGITS = memory.data(<i32> (MAX_BINS * TILE * 4), 16);
const SHIFTED = memory.data(<i32> (MAX_BINS * TILE * 4), 16);
const EXP = memory.data(<i32> (MAX_BINS * TILE * 4), 16);
const STRIDE: usize = <usize> TILE << 2;

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
      loadTile(from, anchorStride, binStride, anchors, bins);
      shiftTile(bins);
      softmaxExp(SHIFTED, STRIDE, EXP, STRIDE, bins, TILE);
      const to = (<usize> done << 4) + (<usize> side << 2);
      for (let lane = 0; lane < anchors; lane += 4) {
        const lanes = min(4, anchors - lane);
        const at = to + (<usize> lane << 4);
        measure(lane, lanes, bins, std + at, entropy + at, top + at, saturation + at);
      }
    }
  }
}

/** LOGITS (bins, TILE) of one side; lanes past the last anchor keep what they had. */
function loadTile(src: usize, anchorStride: usize, binStride: usize, anchors: i32, bins: i32): void {
  for (let i = 0; i < anchors; i++) {
    let from = src + <usize> i * anchorStride;
    let to = LOGITS + (<usize> i << 2);
    for (let bin = 0; bin < bins; bin++) {
      store<f32>(to, load<f32>(from));
      from += binStride;
      to += STRIDE;
    }
  }
}

/** SHIFTED = x - max over the bins; infinite logits as the largest finite ones. */
function shiftTile(bins: i32): void {
  const most = f32x4.splat(f32.MAX_VALUE);
  const least = f32x4.splat(-f32.MAX_VALUE);
  for (let i: usize = 0; i < STRIDE; i += 16) {
    let peak = least;
    for (let bin = 0; bin < bins; bin++) {
      peak = f32x4.pmax(peak, f32x4.min(v128.load(LOGITS + i + <usize> bin * STRIDE), most));
    }
    for (let bin = 0; bin < bins; bin++) {
      const at = i + <usize> bin * STRIDE;
      const x = f32x4.max(f32x4.min(v128.load(LOGITS + at), most), least);
      v128.store(SHIFTED + at, f32x4.max(f32x4.sub(x, peak), f32x4.splat(EXP_MIN)));
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
