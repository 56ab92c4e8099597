// Cross-entropy of one object's mask over the window of its box, with gradients to its coefficients and to the prototypes.
//
// The window is worked on in bands of rows whose logits stay in the first-level cache, channel by channel: planes of a round number
// of pages fall into the same lines of that cache, so all channels of a few pixels at once take three times as long.

import { laneMask, madd, select } from "../lanes";
import { expPass, guardedLogisticPass, logisticPass } from "../losses/passes";

/** Pixels of a band, if a row has no more. */
const BAND: i32 = 1024;
/** What exp(-|x|) of may go to `logisticPass`. */
const NEAR: f32 = 40;

/**
 * Sum of the losses over the pixels x1 ≤ x < x2, y1 ≤ y < y2 of prototypes (channels, height, width); -1 where a byte of the mask, whose
 * first row is y1, is neither 0 nor 1. With `gradPrototypes` other than 0 their gradients, times `scale`, are added there, and those
 * of the coefficients are written; `sums` is scratch of 8 bytes a channel. `logits` is scratch of
 * four lines of so many bytes: float32 for a band, or for a row and 3 more, and 16 more.
 */
export function mask_loss(
  prototypes: usize, width: i32, plane: usize, channels: i32, coefficients: usize, mask: usize, logits: usize, line: usize,
  x1: i32, x2: i32, y1: i32, y2: i32, scale: f32, sums: usize, gradCoefficients: usize, gradPrototypes: usize,
): f64 {
  const gradient = gradPrototypes != 0;
  const end = <usize> channels << 2;
  if (gradient) memory.fill(sums, 0, end << 1);
  // Of a row: bytes of whole vectors, and the lanes of one more.
  const across = max(x2 - x1, 0);
  const whole = <usize> (across & ~3) << 2;
  const rest = laneMask(across & 3);
  const pitch = whole + ((across & 3) != 0 ? 16 : 0);
  if (pitch == 0) y2 = y1;
  const most = max(BAND / max(<i32> (pitch >> 2), 1), 1);
  const stride = <usize> width << 2;
  let total: f64 = 0;
  for (let y = y1; y < y2; y += most) {
    const rows = min(most, y2 - y);
    const at = <usize> (y * width + x1) << 2;
    const last = logits + <usize> rows * pitch;
    memory.fill(logits, 0, last - logits);
    let from = prototypes + at;
    for (let channel: usize = 0; channel < end; channel += 4) {
      addChannel(logits, last, pitch, from, stride, coefficients + channel);
      from += plane;
    }
    const sum = entropies(logits, last, line, pitch, whole, rest, mask + <usize> ((y - y1) * width + x1), width);
    if (sum < 0) return -1;
    total += sum;
    if (!gradient) continue;
    from = prototypes + at;
    let to = gradPrototypes + at;
    for (let channel: usize = 0; channel < end; channel += 4) {
      addSlopes(logits, last, pitch, whole, rest, from, stride, coefficients + channel, scale, sums + (channel << 1), to);
      from += plane;
      to += plane;
    }
  }
  if (gradient) {
    for (let channel: usize = 0; channel < end; channel += 4) {
      store<f32>(gradCoefficients + channel, <f32> (load<f64>(sums + (channel << 1)) * <f64> scale));
    }
  }
  return total;
}

/** Adds coefficient · prototype of a channel to the logits of a band. */
function addChannel(logits: usize, last: usize, pitch: usize, from: usize, stride: usize, coefficient: usize): void {
  const c = v128.load32_splat(coefficient);
  for (; logits < last; from += stride) {
    const end = logits + pitch;
    for (let at = from; logits < end; at += 16) {
      v128.store(logits, madd(c, v128.load(at), v128.load(logits)));
      logits += 16;
    }
  }
}

/** Sum of a band's losses, in the order of its pixels; slopes take the place of logits. Less than 0 where a byte is no mask. */
function entropies(logits: usize, last: usize, line: usize, pitch: usize, whole: usize, rest: v128, mask: usize, width: i32): f64 {
  const count = <i32> (last - logits) >> 2;
  const e = logits + 2 * line;
  if (expPass(logits, logits + line, e, count, NEAR)) logisticPass(e, e + line, count);
  else guardedLogisticPass(logits, e, e + line, count);
  const one = f32x4.splat(1);
  let total = f64x2.splat(0);
  let wrong = i32x4.splat(0);
  for (; logits < last; mask += width) {
    const full = logits + whole;
    const end = logits + pitch;
    for (let at = mask; logits < end; at += 4) {
      const inside = logits < full ? i32x4.splat(-1) : rest;
      const target = targetAt(at, inside);
      wrong = v128.or(wrong, target);
      const loss = v128.and(cost(logits, line, target, one), inside);
      total = f64x2.add(total, f64x2.promote_low_f32x4(loss));
      total = f64x2.add(total, f64x2.promote_low_f32x4(v128.shuffle<f64>(loss, loss, 1, 1)));
      logits += 16;
    }
  }
  const sum = f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1);
  return v128.any_true(v128.andnot(wrong, i32x4.splat(1))) ? -1 : sum;
}

// @ts-ignore: decorator
@inline
function targetAt(mask: usize, inside: v128): v128 {
  return v128.and(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(mask))), inside);
}

/** The losses of four logits, in whose place their slopes are put. */
// @ts-ignore: decorator
@inline
function cost(at: usize, line: usize, target: v128, one: v128): v128 {
  const sign = i32x4.shl(target, 31);
  // As if the target were 0.
  const x = v128.xor(v128.load(at), sign);
  const small = v128.load(at + 2 * line);
  const share = select(small, f32x4.sub(one, small), f32x4.lt(x, f32x4.splat(0)));
  v128.store(at, v128.xor(share, sign));
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), v128.load(at + 3 * line));
}

/** What a band adds to a channel's gradients: nothing outside of the window, whatever stands there. */
function addSlopes(
  slopes: usize, last: usize, pitch: usize, whole: usize, rest: v128, from: usize, stride: usize,
  coefficient: usize, scale: f32, sums: usize, to: usize,
): void {
  const factor = f32x4.splat(load<f32>(coefficient) * scale);
  let sum = f32x4.splat(0);
  for (; slopes < last; from += stride, to += stride) {
    const full = slopes + whole;
    const end = slopes + pitch;
    for (let at: usize = 0; slopes < end; at += 16) {
      const inside = slopes < full ? i32x4.splat(-1) : rest;
      const g = v128.load(slopes);
      sum = f32x4.add(sum, v128.and(f32x4.mul(g, v128.load(from + at)), inside));
      v128.store(to + at, f32x4.add(v128.load(to + at), v128.and(f32x4.mul(g, factor), inside)));
      slopes += 16;
    }
  }
  store<f64>(sums, load<f64>(sums) + sumOf(sum));
}

function sumOf(lanes: v128): f64 {
  const both = f64x2.add(f64x2.promote_low_f32x4(lanes), f64x2.promote_low_f32x4(v128.shuffle<f64>(lanes, lanes, 1, 1)));
  return f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
}
