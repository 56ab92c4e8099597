// deno-lint-ignore-file no-unused-vars -- classes are type arguments, and every loss gets the same arguments

// |y - sigmoid(x)|^beta BCE(x, y).

import { QualityFocalLossBlock } from "../generated/loss_blocks";
import { classify } from "./classify";
import { plainCost, power, powerOf, slopedCost, timesOrZero, TWO } from "./mirror";

// @ts-ignore: decorator
@unmanaged
class QualityFocal extends QualityFocalLossBlock {
  // @ts-ignore: decorator
  @inline
  target4(y: v128): v128 {
    return y;
  }

  // @ts-ignore: decorator
  @inline
  rest4(y: v128, one: v128): v128 {
    return f32x4.sub(one, y);
  }

  // @ts-ignore: decorator
  @inline
  counted(own: bool, mask: v128, y: v128): v128 {
    return mask;
  }

  // @ts-ignore: decorator
  @inline
  base(t: v128, small: v128, big: v128): v128 {
    return f32x4.abs(f32x4.sub(small, t));
  }

  // @ts-ignore: decorator
  @inline
  value(kind: i32, own: bool, y: v128, t: v128, small: v128, big: v128, ce: v128, any: v128, near: bool): v128 {
    return timesOrZero(near, powerOf(kind, f32x4.sub(small, t), any), ce);
  }

  // @ts-ignore: decorator
  @inline
  gradient(
    kind: i32, own: bool, y: v128, t: v128, small: v128, big: v128, ce: v128, any: v128, near: bool,
  ): v128 {
    return qualityGradient(kind, f32x4.sub(small, t), small, big, ce, any, this.exponent, near);
  }
}

/** sign(d) (|d|^(beta + 1) + slope |d|^(beta - 1) sigmoid (1 - sigmoid) ce), exact where the target is 0 or 1. */
// @ts-ignore: decorator
@inline
export function qualityGradient(
  kind: i32,
  d: v128,
  small: v128,
  big: v128,
  ce: v128,
  any: v128,
  slope: f32,
  near: bool,
): v128 {
  if (kind == TWO) {
    const cost = plainCost(near, small, big, ce);
    return f32x4.mul(d, f32x4.add(f32x4.mul(d, d), f32x4.add(cost, cost)));
  }
  const base = f32x4.abs(d);
  const direct = f32x4.mul(power(kind, base, any), base);
  const through = slopedCost(kind, base, any, slope, small, big, ce, near);
  const sign = v128.and(d, i32x4.splat(0x80000000));
  return v128.xor(f32x4.add(direct, through), sign);
}

export function quality_focal_loss(call: usize): void {
  classify<QualityFocal>(call, true);
}
