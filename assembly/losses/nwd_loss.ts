// deno-lint-ignore-file no-unused-vars verbatim-module-syntax -- classes are type arguments, and every loss gets the same arguments

// 1 - exp(-d / c), d^2 = dx^2 + dy^2 + ((w - w')^2 + (h - h')^2) / 4 of centres and sizes, which is half the sum of the squared
// distances of both corners. The slope of a corner is its distance times exp(-d / c) / (2 c d).

import { madd, nmadd } from "../lanes";
import { extent, half, one, storeCorners, sumOfSquares, within } from "./box_lanes";
import { boxLoss } from "./box_loss";
import { BoxPair } from "./box_pair";
import { exactDecay, fraction, nearOf, powerOf } from "./decay";
import { NwdLossBlock } from "../generated/loss_blocks";

const NUMBERS = memory.data<f32>([
  1e-36, // under this a squared distance has lost digits
  // A gradient loses 2e-7 d / c of itself: over the bound where d / c is over this, if it is not little beside 1 / the longer side.
  8,
  0.5,
  80, // exp(-x) is 0 from here on
]);

// @ts-ignore: decorator
@unmanaged
class Nwd extends NwdLossBlock {
  // @ts-ignore: decorator
  @inline
  cost(
    gradient: bool, dst: usize, scale: v128, eps: v128,
    x1: v128, y1: v128, x2: v128, y2: v128, targetX1: v128, targetY1: v128, targetX2: v128, targetY2: v128,
  ): v128 {
    const lowX = f32x4.sub(x1, targetX1);
    const lowY = f32x4.sub(y1, targetY1);
    const highX = f32x4.sub(x2, targetX2);
    const highY = f32x4.sub(y2, targetY2);
    const sum = f32x4.add(sumOfSquares(lowX, lowY), sumOfSquares(highX, highY));
    const distance = f32x4.sqrt(f32x4.mul(sum, half()));
    const rate = this.rate4();
    const near = nearOf(f32x4.mul(distance, rate));
    const lost = f32x4.lt(sum, v128.load32_splat(NUMBERS));
    // Of 1 - exp(-x) and of exp(-x), which have this in common.
    const power = powerOf(near);
    const whole = i32x4.shl(power, 23);
    const part = fraction(near, power);
    const value = v128.or(within(sum, madd(part, whole, f32x4.sub(one(), whole))), lost);
    if (gradient) {
      const left = v128.and(nmadd(part, whole, whole), f32x4.lt(near, v128.load32_splat(NUMBERS + 12)));
      const steep = f32x4.mul(left, rate);
      const longer = f32x4.pmax(extent(x1, x2), extent(y1, y2));
      const far = f32x4.gt(near, v128.load32_splat(NUMBERS + 4));
      const large = f32x4.gt(f32x4.mul(steep, longer), v128.load32_splat(NUMBERS + 8));
      const counts = v128.or(large, f32x4.eq(longer, f32x4.splat(0)));
      const by = f32x4.mul(f32x4.mul(steep, half()), f32x4.div(one(), distance));
      storeCorners(
        dst, scale, v128.or(lost, v128.and(far, counts)),
        f32x4.mul(lowX, by), f32x4.mul(lowY, by), f32x4.mul(highX, by), f32x4.mul(highY, by),
      );
    }
    return value;
  }

  exact(pair: BoxPair): f64 {
    const distance = Math.sqrt(pair.corners() / 2);
    const rate = <f64> this.rate;
    const power = f64x2.splat(distance * rate);
    // No direction is that of equal boxes.
    if (distance > 0) pair.addCorners(f64x2.extract_lane(exactDecay(power, false), 0) * rate / (2 * distance));
    return f64x2.extract_lane(exactDecay(power, true), 0);
  }
}

export function nwd_loss(call: usize): void {
  boxLoss<Nwd>(call);
}
