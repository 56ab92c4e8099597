// deno-lint-ignore-file no-unused-vars -- classes are type arguments, and every loss gets the same arguments

// alpha_t (1 - p_t)^gamma BCE(x, t), with alpha_t = alpha t + (1 - alpha)(1 - t), or 1 where alpha < 0.

import { SigmoidFocalLossBlock } from "../generated/loss_blocks";
import { classify } from "./classify";
import { plainCost, power, slopedCost, timesOrZero, TWO } from "./mirror";

// @ts-ignore: decorator
@unmanaged
class SigmoidFocal extends SigmoidFocalLossBlock {
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

  /** 1 - p_t. */
  // @ts-ignore: decorator
  @inline
  base(t: v128, small: v128, big: v128): v128 {
    return f32x4.add(small, f32x4.mul(t, f32x4.sub(big, small)));
  }

  /** alpha_t, which is linear in the target, from its lesser end, where so nothing cancels. */
  // @ts-ignore: decorator
  @inline
  classWeight(y: v128): v128 {
    return f32x4.add(this.lowWeight4(), f32x4.mul(this.weightSlope4(), f32x4.sub(this.lowTarget4(), y)));
  }

  // @ts-ignore: decorator
  @inline
  value(kind: i32, own: bool, y: v128, t: v128, small: v128, big: v128, ce: v128, any: v128, near: bool): v128 {
    const modulated = timesOrZero(near, power(kind, this.base(t, small, big), any), ce);
    return timesOrZero(near, this.classWeight(y), modulated);
  }

  // @ts-ignore: decorator
  @inline
  gradient(
    kind: i32, own: bool, y: v128, t: v128, small: v128, big: v128, ce: v128, any: v128, near: bool,
  ): v128 {
    const base = this.base(t, small, big);
    const d = f32x4.sub(small, t);
    if (kind == TWO) {
      const turned = timesSlope(t, plainCost(near, small, big, ce));
      const both = f32x4.add(f32x4.mul(base, d), f32x4.add(turned, turned));
      return f32x4.mul(this.classWeight(y), f32x4.mul(base, both));
    }
    const direct = f32x4.mul(power(kind, base, any), d);
    const through = timesSlope(t, slopedCost(kind, base, any, this.exponent, small, big, ce, near));
    return f32x4.mul(this.classWeight(y), f32x4.add(direct, through));
  }
}

/** v * (1 - 2 t): the slope of the base over small * big. */
// @ts-ignore: decorator
@inline
function timesSlope(t: v128, v: v128): v128 {
  return f32x4.sub(v, f32x4.mul(f32x4.add(t, t), v));
}

export function sigmoid_focal_loss(call: usize): void {
  classify<SigmoidFocal>(call, true);
}
