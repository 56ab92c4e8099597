// deno-lint-ignore-file no-unused-vars verbatim-module-syntax -- classes are type arguments, and every loss gets the same arguments

// 1 - IoU + (d1^2 + d2^2) / (H^2 + W^2 + eps), d1 and d2 the distances of the low and of the high corners, H and W of the image.
// The slopes of both terms have one sign.

import { select } from "../lanes";
import {
  extent,
  innerSlope,
  isHard,
  one,
  outside,
  overlap,
  storeCorners,
  sumOfSquares,
  union,
  within,
} from "./box_lanes";
import { boxLoss } from "./box_loss";
import { BoxPair } from "./box_pair";
import { MpdiouLossBlock } from "../generated/loss_blocks";

// @ts-ignore: decorator
@unmanaged
class Mpdiou extends MpdiouLossBlock {
  // @ts-ignore: decorator
  @inline
  cost(
    gradient: bool, dst: usize, scale: v128, eps: v128,
    x1: v128, y1: v128, x2: v128, y2: v128, targetX1: v128, targetY1: v128, targetX2: v128, targetY2: v128,
  ): v128 {
    const w = extent(x1, x2);
    const h = extent(y1, y2);
    const overlapX = overlap(x1, x2, targetX1, targetX2);
    const overlapY = overlap(y1, y2, targetY1, targetY2);
    const intersection = f32x4.mul(overlapX, overlapY);
    const area = f32x4.mul(w, h);
    const targetArea = f32x4.mul(extent(targetX1, targetX2), extent(targetY1, targetY2));
    const united = union(area, targetArea, intersection);
    const whole = f32x4.add(united, eps);
    const iou = f32x4.div(intersection, whole);
    const lowX = f32x4.sub(x1, targetX1);
    const lowY = f32x4.sub(y1, targetY1);
    const highX = f32x4.sub(x2, targetX2);
    const highY = f32x4.sub(y2, targetY2);
    // Over the image's diagonal first: its square may leave float32.
    const inverseDiagonal = this.inverse4();
    const byLowX = f32x4.mul(lowX, inverseDiagonal);
    const byLowY = f32x4.mul(lowY, inverseDiagonal);
    const byHighX = f32x4.mul(highX, inverseDiagonal);
    const byHighY = f32x4.mul(highY, inverseDiagonal);
    const distances = f32x4.add(sumOfSquares(byLowX, byLowY), sumOfSquares(byHighX, byHighY));
    const value = within(f32x4.add(united, distances), f32x4.add(f32x4.sub(one(), iou), distances));
    if (gradient) {
      const zero = f32x4.splat(0);
      const outsideX = outside(lowX, highX);
      const outsideY = outside(lowY, highY);
      const inverse = f32x4.div(one(), whole);
      const meets = f32x4.gt(intersection, zero);
      const targetWhole = f32x4.add(targetArea, eps);
      const innerX = innerSlope(overlapY, meets, targetWhole, h, outsideX, inverse);
      const innerY = innerSlope(overlapX, meets, targetWhole, w, outsideY, inverse);
      const bySize = f32x4.sub(zero, f32x4.mul(iou, inverse));
      const outerX = f32x4.mul(h, bySize);
      const outerY = f32x4.mul(w, bySize);
      const twice = f32x4.add(inverseDiagonal, inverseDiagonal);
      storeCorners(
        dst, scale, isHard(lowX, highX, lowY, highY, area),
        f32x4.add(f32x4.mul(byLowX, twice), select(innerX, outerX, f32x4.gt(lowX, zero))),
        f32x4.add(f32x4.mul(byLowY, twice), select(innerY, outerY, f32x4.gt(lowY, zero))),
        f32x4.sub(f32x4.mul(byHighX, twice), select(innerX, outerX, f32x4.lt(highX, zero))),
        f32x4.sub(f32x4.mul(byHighY, twice), select(innerY, outerY, f32x4.lt(highY, zero))),
      );
    }
    return value;
  }

  exact(pair: BoxPair): f64 {
    const inverse = <f64> this.inverse;
    pair.addCorners(2 * inverse * inverse);
    return pair.apart() + pair.corners() * inverse * inverse;
  }
}

export function mpdiou_loss(call: usize): void {
  boxLoss<Mpdiou>(call);
}
