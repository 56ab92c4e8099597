// Means of the softmax over bins of any values, and how a mean moves with the logits: S_b (W_b - mean).
//
// Both layouts, a tile of distributions at a time. Values are taken from that of the bin next to the mean, where the
// probabilities are: W_b - mean would lose the digits of a certain distribution, and a mean the digits of near bins.

import { madd } from "../lanes";
import { EXP, SHIFTED, softmaxTile, STRIDE, sumOfBins, TILE } from "./softmax_tile";

/** By lane: the value next to the mean. */
const ORIGIN = memory.data(16, 16);
const MEANS = memory.data(16, 16);

/**
 * dst (count), `dstStride` bytes apart = mean value of distribution i, whose logit of a bin stands at src + i * rowStride +
 * bin * binStride. `values` (bins).
 */
export function dfl_decode_values(
  src: usize,
  rowStride: usize,
  binStride: usize,
  count: i32,
  bins: i32,
  values: usize,
  dst: usize,
  dstStride: usize,
): void {
  for (let done = 0; done < count; done += TILE) {
    const rows = min(TILE, count - done);
    softmaxTile(src, rowStride, binStride, rows, bins);
    for (let lane = 0; lane < rows; lane += 4) {
      const at = <usize> lane << 2;
      const sum = sumOfBins(EXP + at, bins);
      const offset = f32x4.div(offsets(at, sum, values, bins), sum);
      v128.store(MEANS, f32x4.add(v128.load(ORIGIN), offset));
      for (let i = lane; i < min(lane + 4, rows); i++) {
        store<f32>(dst, load<f32>(MEANS + (<usize> (i - lane) << 2)));
        dst += dstStride;
      }
    }
    src += rowStride * <usize> TILE;
  }
}

/**
 * dst = slope * d mean / d logit, laid out as src but for the way from bin to bin. Slopes (count), `slopeStride` bytes apart, are
 * the derivatives of whatever is wanted to the mean; three past the last may be read.
 */
export function dfl_decode_gradient(
  src: usize,
  rowStride: usize,
  binStride: usize,
  slopes: usize,
  slopeStride: usize,
  count: i32,
  bins: i32,
  values: usize,
  dst: usize,
  dstBinStride: usize,
): void {
  for (let done = 0; done < count; done += TILE) {
    const rows = min(TILE, count - done);
    softmaxTile(src, rowStride, binStride, rows, bins);
    for (let lane = 0; lane < rows; lane += 4) {
      const at = slopes + <usize> lane * slopeStride;
      const slope = f32x4(
        load<f32>(at),
        load<f32>(at + slopeStride),
        load<f32>(at + 2 * slopeStride),
        load<f32>(at + 3 * slopeStride),
      );
      differentiate(<usize> lane << 2, slope, values, bins);
    }
    storeTile(rows, bins, dst, rowStride, dstBinStride);
    src += rowStride * <usize> TILE;
    dst += rowStride * <usize> TILE;
    slopes += slopeStride * <usize> TILE;
  }
}

/** Fills SHIFTED with exp (W_b - origin) of four distributions of the tile; returns the sum over the bins. */
function offsets(at: usize, sum: v128, values: usize, bins: i32): v128 {
  let weighted = f32x4.splat(0);
  for (let bin = 0; bin < bins; bin++) {
    weighted = madd(v128.load(EXP + at + <usize> bin * STRIDE), valueOf(values, bin), weighted);
  }
  const mean = f32x4.div(weighted, sum);
  let origin = valueOf(values, 0);
  let gap = f32x4.abs(f32x4.sub(origin, mean));
  for (let bin = 1; bin < bins; bin++) {
    const value = valueOf(values, bin);
    const other = f32x4.abs(f32x4.sub(value, mean));
    origin = v128.bitselect(value, origin, f32x4.lt(other, gap));
    gap = f32x4.pmin(gap, other);
  }
  v128.store(ORIGIN, origin);
  for (let bin = 0; bin < bins; bin++) {
    const place = at + <usize> bin * STRIDE;
    v128.store(SHIFTED + place, f32x4.mul(v128.load(EXP + place), f32x4.sub(valueOf(values, bin), origin)));
  }
  return sumOfBins(SHIFTED + at, bins);
}

// @ts-ignore: decorator
@inline
function valueOf(values: usize, bin: i32): v128 {
  return v128.load32_splat(values + (<usize> bin << 2));
}

/** Exponentials of four distributions become their gradients. */
function differentiate(at: usize, slope: v128, values: usize, bins: i32): void {
  const sum = sumOfBins(EXP + at, bins);
  const offset = f32x4.div(offsets(at, sum, values, bins), sum);
  const origin = v128.load(ORIGIN);
  const scale = f32x4.div(slope, sum);
  for (let bin = 0; bin < bins; bin++) {
    const place = EXP + at + <usize> bin * STRIDE;
    const distance = f32x4.sub(f32x4.sub(valueOf(values, bin), origin), offset);
    v128.store(place, f32x4.mul(f32x4.mul(v128.load(place), scale), distance));
  }
}

/** dst from EXP (bins, TILE). */
function storeTile(rows: i32, bins: i32, dst: usize, rowStride: usize, binStride: usize): void {
  for (let i = 0; i < rows; i++) {
    let from = EXP + (<usize> i << 2);
    let to = dst + <usize> i * rowStride;
    for (let bin = 0; bin < bins; bin++) {
      store<f32>(to, load<f32>(from));
      from += STRIDE;
      to += binStride;
    }
  }
}
