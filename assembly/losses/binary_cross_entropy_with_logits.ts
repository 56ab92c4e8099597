// deno-lint-ignore-file no-unused-vars -- classes are type arguments, and every loss gets the same arguments

// t softplus(-x) + (1 - t) softplus(x).

import { BinaryCrossEntropyWithLogitsBlock } from "../generated/loss_blocks";
import { classify } from "./classify";

// @ts-ignore: decorator
@unmanaged
class BinaryCrossEntropy extends BinaryCrossEntropyWithLogitsBlock {
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
    return t;
  }

  // @ts-ignore: decorator
  @inline
  value(kind: i32, own: bool, y: v128, t: v128, small: v128, big: v128, ce: v128, any: v128, near: bool): v128 {
    return ce;
  }

  // @ts-ignore: decorator
  @inline
  gradient(
    kind: i32, own: bool, y: v128, t: v128, small: v128, big: v128, ce: v128, any: v128, near: bool,
  ): v128 {
    return f32x4.sub(small, t);
  }
}

export function binary_cross_entropy_with_logits(call: usize): void {
  classify<BinaryCrossEntropy>(call, false);
}
