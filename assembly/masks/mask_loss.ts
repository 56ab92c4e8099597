// Cross-entropy of one object's mask over the window of its box, with gradients to its coefficients and to the prototypes.

import { laneMask, madd } from "../lanes";
import { log4, shortExp4 } from "../math";

/** Pixels of a block, and its bytes. */
const BLOCK: i32 = 16;
const LINE: usize = 64;
/** Of a block: the losses' slopes by their logits, and ones where a pixel is in the window. */
const SLOPES = memory.data(64, 16);
const THERE = memory.data(64, 16);

/**
 * Sum of the losses over the pixels x1 ≤ x < x2, y1 ≤ y < y2 of prototypes (channels, height, width); -1 where a byte of the mask, whose
 * first row is y1, is neither 0 nor 1. With `gradPrototypes` other than 0 their gradients, times `scale`, are added there, and those
 * of the coefficients are written; `sums` is scratch of 16 bytes a channel. Sums are in the order of pixels.
 */
export function mask_loss(
  prototypes: usize, width: i32, plane: usize, channels: i32, coefficients: usize, mask: usize,
  x1: i32, x2: i32, y1: i32, y2: i32, scale: f32, sums: usize, gradCoefficients: usize, gradPrototypes: usize,
): f64 {
  const gradient = gradPrototypes != 0;
  if (gradient) memory.fill(sums, 0, <usize> channels << 4);
  let total: f64 = 0;
  let wrong = i32x4.splat(0);
  for (let y = y1; y < y2; y++) {
    for (let x = x1; x < x2; x += BLOCK) {
      const at = (<usize> (y * width + x)) << 2;
      const bytes = mask + <usize> ((y - y1) * width + x);
      let l0 = f32x4.splat(0), l1 = l0, l2 = l0, l3 = l0;
      let from = prototypes + at;
      for (let channel: usize = 0; channel < <usize> channels << 2; channel += 4) {
        const coefficient = v128.load32_splat(coefficients + channel);
        l0 = madd(coefficient, v128.load(from), l0);
        l1 = madd(coefficient, v128.load(from, 16), l1);
        l2 = madd(coefficient, v128.load(from, 32), l2);
        l3 = madd(coefficient, v128.load(from, 48), l3);
        from += plane;
      }
      v128.store(SLOPES, l0);
      v128.store(SLOPES, l1, 16);
      v128.store(SLOPES, l2, 32);
      v128.store(SLOPES, l3, 48);
      const left = x2 - x;
      let lanes = f32x4.splat(0);
      for (let i: usize = 0; i < LINE; i += 16) {
        const inside = laneMask(left - <i32> (i >> 2));
        const target = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(bytes + (i >> 2))));
        wrong = v128.or(wrong, v128.and(inside, i32x4.gt_u(target, i32x4.splat(1))));
        lanes = f32x4.add(lanes, v128.and(entropy(SLOPES + i, target), inside));
        v128.store(THERE + i, inside);
      }
      total += sumOf(lanes);
      if (gradient) slopes(prototypes + at, plane, channels, coefficients, scale, sums, gradPrototypes + at);
    }
  }
  if (v128.any_true(wrong)) return -1;
  if (gradient) {
    for (let channel: usize = 0; channel < <usize> channels << 2; channel += 4) {
      store<f32>(gradCoefficients + channel, <f32> (sumOf(v128.load(sums + (channel << 2))) * <f64> scale));
    }
  }
  return total;
}

/** The losses of four logits, in whose place their slopes are put. */
// @ts-ignore: decorator
@inline
function entropy(at: usize, target: v128): v128 {
  const sign = i32x4.shl(target, 31);
  // As if the target were 0.
  const x = v128.xor(v128.load(at), sign);
  const e = shortExp4(f32x4.neg(f32x4.abs(x)));
  const one = f32x4.splat(1);
  const whole = f32x4.add(one, e);
  const negative = f32x4.lt(x, f32x4.splat(0));
  const share = f32x4.div(v128.bitselect(e, one, negative), whole);
  // NaN stays.
  const slope = v128.or(share, f32x4.ne(x, x));
  v128.store(at, v128.xor(slope, sign));
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), log4(whole));
}

/** What a block adds to the gradients. What lies outside the window counts as 0. */
function slopes(
  from: usize, plane: usize, channels: i32, coefficients: usize, scale: f32, sums: usize, to: usize,
): void {
  for (let channel: usize = 0; channel < <usize> channels << 2; channel += 4) {
    const factor = f32x4.splat(load<f32>(coefficients + channel) * scale);
    const line = sums + (channel << 2);
    let sum = v128.load(line);
    for (let i: usize = 0; i < LINE; i += 16) {
      const g = v128.load(SLOPES + i);
      const inside = v128.load(THERE + i);
      sum = f32x4.add(sum, v128.and(f32x4.mul(g, v128.load(from + i)), inside));
      v128.store(to + i, f32x4.add(v128.load(to + i), v128.and(f32x4.mul(g, factor), inside)));
    }
    v128.store(line, sum);
    from += plane;
    to += plane;
  }
}

// @ts-ignore: decorator
@inline
function sumOf(lanes: v128): f64 {
  const both = f64x2.add(f64x2.promote_low_f32x4(lanes), f64x2.promote_low_f32x4(v128.shuffle<f64>(lanes, lanes, 1, 1)));
  return f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
}
