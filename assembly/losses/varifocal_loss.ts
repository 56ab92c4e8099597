// deno-lint-ignore-file no-unused-vars -- classes are type arguments, and every loss gets the same arguments

// q > 0: q BCE(x, q), or BCE(x, q) without weighting; q = 0: alpha sigmoid(x)^gamma BCE(x, 0), which is alpha times the
// quality focal loss of target 0.

import { LossCall } from "./call";
import { select } from "../lanes";
import { classify } from "./classify";
import { powerOf, slopedCost, timesOrZero, TWO } from "./mirror";
import { qualityGradient } from "./quality_focal_loss";

// @ts-ignore: decorator
@unmanaged
class Varifocal extends LossCall {
  // @ts-ignore: decorator
  @inline
  target4(y: v128): v128 {
    return y;
  }

  /** |sigmoid - q|, and 0 where its power times the loss would be no normal number (`low` is the least that counts). */
  // @ts-ignore: decorator
  @inline
  base(t: v128, small: v128, big: v128): v128 {
    return f32x4.abs(this.distance(t, small, false));
  }

  // @ts-ignore: decorator
  @inline
  distance(t: v128, small: v128, near: bool): v128 {
    const d = f32x4.sub(small, t);
    if (near) return d;
    return v128.andnot(d, this.isNothing(d));
  }

  // @ts-ignore: decorator
  @inline
  isNothing(d: v128): v128 {
    return f32x4.lt(f32x4.abs(d), this.low4());
  }

  // @ts-ignore: decorator
  @inline
  positiveWeight(y: v128): v128 {
    // `scale` is 0, or 1 without weighting. pmax keeps a NaN in its first operand.
    return f32x4.pmax(y, this.scale4());
  }

  // @ts-ignore: decorator
  @inline
  value(kind: i32, y: v128, t: v128, small: v128, big: v128, ce: v128, any: v128, near: bool): v128 {
    const negative = f32x4.mul(this.alpha4(), powerOf(kind, this.distance(t, small, near), any));
    // "At most 0" is false for NaN, so that a NaN target stays one.
    const factor = select(negative, this.positiveWeight(y), f32x4.le(y, f32x4.splat(0)));
    return timesOrZero(near, factor, ce);
  }

  // @ts-ignore: decorator
  @inline
  gradient(kind: i32, y: v128, t: v128, small: v128, big: v128, ce: v128, any: v128, near: bool): v128 {
    const d = f32x4.sub(small, t);
    const background = f32x4.le(y, f32x4.splat(0));
    let counted = d;
    let least = small;
    if (!near) {
      const nothing = this.isNothing(d);
      counted = v128.andnot(d, nothing);
      least = v128.andnot(small, nothing);
    }
    if (kind == TWO) {
      const cost = slopedCost(near, least, big, ce);
      const quality = f32x4.add(f32x4.mul(counted, counted), f32x4.add(cost, cost));
      return f32x4.mul(d, select(f32x4.mul(this.alpha4(), quality), this.positiveWeight(y), background));
    }
    const quality = qualityGradient(kind, counted, least, big, ce, any, this.exponent, near);
    return select(f32x4.mul(this.alpha4(), quality), f32x4.mul(this.positiveWeight(y), d), background);
  }
}

export function varifocal_loss(call: usize): void {
  classify<Varifocal>(call, true);
}
