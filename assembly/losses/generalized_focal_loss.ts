// deno-lint-ignore-file no-unused-vars -- classes are type arguments, and every loss gets the same arguments

// |y - yHat|^beta ((yr - y)(-log pl) + (y - yl)(-log pr)): with u = (y - yl) / (yr - yl) that is
// (yr - yl)^(beta + 1) times the quality focal loss of u.

import { GeneralizedFocalLossBlock } from "../generated/loss_blocks";
import { classify } from "./classify";
import { powerOf, timesOrZero } from "./mirror";
import { qualityGradient } from "./quality_focal_loss";

// @ts-ignore: decorator
@unmanaged
class GeneralizedFocal extends GeneralizedFocalLossBlock {
  /** u. */
  // @ts-ignore: decorator
  @inline
  target4(y: v128): v128 {
    return f32x4.mul(f32x4.sub(y, this.yLeft4()), this.inverseRange4());
  }

  /** 1 - u. Near yr its digits are not those of u. */
  // @ts-ignore: decorator
  @inline
  rest4(y: v128, one: v128): v128 {
    return f32x4.mul(f32x4.sub(this.yRight4(), y), this.inverseRange4());
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
    const modulated = timesOrZero(near, powerOf(kind, f32x4.sub(small, t), any), ce);
    return timesOrZero(near, modulated, this.rangePower4());
  }

  // @ts-ignore: decorator
  @inline
  gradient(
    kind: i32, own: bool, y: v128, t: v128, small: v128, big: v128, ce: v128, any: v128, near: bool,
  ): v128 {
    const grad = qualityGradient(kind, f32x4.sub(small, t), small, big, ce, any, this.exponent, near);
    return timesOrZero(near, grad, this.rangePower4());
  }
}

export function generalized_focal_loss(call: usize): void {
  classify<GeneralizedFocal>(call, true);
}
