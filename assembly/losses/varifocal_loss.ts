// deno-lint-ignore-file no-unused-vars -- classes are type arguments, and every loss gets the same arguments

// q > 0: q BCE(x, q), or BCE(x, q) without weighting; q = 0: alpha sigmoid(x)^gamma BCE(x, 0), which is alpha times the
// quality focal loss of target 0.

import { LossCall } from "./call";
import { classify } from "./classify";
import { power, timesOrZero } from "./mirror";
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
    return f32x4.abs(this.distance(t, small));
  }

  // @ts-ignore: decorator
  @inline
  distance(t: v128, small: v128): v128 {
    const d = f32x4.sub(small, t);
    return v128.andnot(d, f32x4.lt(f32x4.abs(d), f32x4.splat(this.low)));
  }

  // @ts-ignore: decorator
  @inline
  positiveWeight(y: v128): v128 {
    return this.option != 0 ? y : f32x4.splat(1);
  }

  // @ts-ignore: decorator
  @inline
  value(kind: i32, y: v128, t: v128, small: v128, big: v128, ce: v128, any: v128): v128 {
    const negative = f32x4.mul(f32x4.splat(this.alpha), power(kind, this.base(t, small, big), any));
    // "At most 0" is false for NaN, so that a NaN target stays one.
    const factor = v128.bitselect(negative, this.positiveWeight(y), f32x4.le(y, f32x4.splat(0)));
    return timesOrZero(factor, ce);
  }

  // @ts-ignore: decorator
  @inline
  gradient(kind: i32, y: v128, t: v128, small: v128, big: v128, ce: v128, any: v128): v128 {
    const quality = qualityGradient(kind, this.distance(t, small), small, big, ce, any, this.exponent);
    const negative = f32x4.mul(f32x4.splat(this.alpha), quality);
    const positive = f32x4.mul(this.positiveWeight(y), f32x4.sub(small, t));
    return v128.bitselect(negative, positive, f32x4.le(y, f32x4.splat(0)));
  }
}

export function varifocal_loss(call: usize): void {
  classify<Varifocal>(call, true);
}
