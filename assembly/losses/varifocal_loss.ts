// deno-lint-ignore-file no-unused-vars -- classes are type arguments, and every loss gets the same arguments

// Positives: q BCE(x, q), or BCE(x, q) without weighting. Others: alpha sigmoid(x)^gamma BCE(x, 0), which is alpha times
// the quality focal loss of target 0; with `slope` 0 its power is a constant of the gradient. Positive is q > 0 and, where `ownIsPositive` is 1, a label's own element.

import { select } from "../lanes";
import { VarifocalLossBlock } from "../generated/loss_blocks";
import { classify } from "./classify";
import { plainCost, powerOf, timesOrZero, TWO } from "./mirror";
import { qualityGradient } from "./quality_focal_loss";

// @ts-ignore: decorator
@unmanaged
class Varifocal extends VarifocalLossBlock {
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

  /** Positives have no exponent. */
  // @ts-ignore: decorator
  @inline
  counted(own: bool, mask: v128, y: v128): v128 {
    return v128.and(mask, this.background(own, y));
  }

  // @ts-ignore: decorator
  @inline
  base(t: v128, small: v128, big: v128): v128 {
    return f32x4.abs(f32x4.sub(small, t));
  }

  // @ts-ignore: decorator
  @inline
  background(own: bool, y: v128): v128 {
    if (own && this.ownIsPositive != 0) return f32x4.splat(0);
    // "At most 0" is false for NaN, so that a NaN target stays one.
    return f32x4.le(y, f32x4.splat(0));
  }

  // @ts-ignore: decorator
  @inline
  positiveWeight(y: v128): v128 {
    // pmax keeps a NaN in its first operand.
    return f32x4.pmax(y, this.leastWeight4());
  }

  // @ts-ignore: decorator
  @inline
  value(kind: i32, own: bool, y: v128, t: v128, small: v128, big: v128, ce: v128, any: v128, near: bool): v128 {
    const negative = f32x4.mul(this.alpha4(), powerOf(kind, f32x4.sub(small, t), any));
    return timesOrZero(near, select(negative, this.positiveWeight(y), this.background(own, y)), ce);
  }

  // @ts-ignore: decorator
  @inline
  gradient(
    kind: i32, own: bool, y: v128, t: v128, small: v128, big: v128, ce: v128, any: v128, near: bool,
  ): v128 {
    const background = this.background(own, y);
    const d = f32x4.sub(small, t);
    if (kind == TWO) {
      const cost = plainCost(near, small, big, ce);
      const quality = f32x4.add(f32x4.mul(d, d), f32x4.mul(this.slope4(), cost));
      return f32x4.mul(d, select(f32x4.mul(this.alpha4(), quality), this.positiveWeight(y), background));
    }
    const quality = qualityGradient(kind, d, small, big, ce, any, this.slope, near);
    return select(f32x4.mul(this.alpha4(), quality), f32x4.mul(this.positiveWeight(y), d), background);
  }
}

export function varifocal_loss(call: usize): void {
  classify<Varifocal>(call, true);
}
