// How the expectation of the softmax over the bins moves with the logits: S_b (b - mean).

import { madd } from "../lanes";
import { EXP, softmaxTile, STRIDE, sumOfBins, TILE } from "./softmax_tile";

/**
 * dst (count, bins) = slope * d mean / d logit for rows of logits src (count, bins), slopes (count) the derivatives of
 * whatever is wanted to the mean, in bins.
 */
export function dfl_decode_grad(src: usize, slopes: usize, count: i32, bins: i32, dst: usize): void {
  const row = <usize> bins << 2;
  for (let done = 0; done < count; done += TILE) {
    const rows = min(TILE, count - done);
    softmaxTile(src, row, 4, rows, bins);
    for (let lane: usize = 0; lane < STRIDE; lane += 16) differentiate(EXP + lane, v128.load(slopes + lane), bins);
    storeTile(rows, bins, dst);
    src += row * <usize> TILE;
    dst += row * <usize> TILE;
    slopes += STRIDE;
  }
}

/**
 * Exponentials of four distributions become their gradients. Distances are taken from the bin next to the mean, where the
 * probabilities are: b - mean would lose the digits of a certain distribution.
 */
function differentiate(exps: usize, slope: v128, bins: i32): void {
  const end = exps + <usize> bins * STRIDE;
  const sum = sumOfBins(exps, bins);
  let weighted = f32x4.splat(0);
  let bin = f32x4.splat(0);
  for (let at = exps; at < end; at += STRIDE) {
    weighted = madd(v128.load(at), bin, weighted);
    bin = f32x4.add(bin, f32x4.splat(1));
  }
  const first = f32x4.neg(f32x4.nearest(f32x4.div(weighted, sum)));
  weighted = f32x4.splat(0);
  bin = first;
  for (let at = exps; at < end; at += STRIDE) {
    weighted = madd(v128.load(at), bin, weighted);
    bin = f32x4.add(bin, f32x4.splat(1));
  }
  const mean = f32x4.div(weighted, sum);
  const scale = f32x4.div(slope, sum);
  bin = first;
  for (let at = exps; at < end; at += STRIDE) {
    v128.store(at, f32x4.mul(f32x4.mul(v128.load(at), scale), f32x4.sub(bin, mean)));
    bin = f32x4.add(bin, f32x4.splat(1));
  }
}

/** dst (rows, bins) from EXP (bins, TILE). */
function storeTile(rows: i32, bins: i32, dst: usize): void {
  for (let i = 0; i < rows; i++) {
    let from = EXP + (<usize> i << 2);
    for (let bin = 0; bin < bins; bin++) {
      store<f32>(dst, load<f32>(from));
      from += STRIDE;
      dst += 4;
    }
  }
}
