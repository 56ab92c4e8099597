// deno-lint-ignore-file no-unused-vars verbatim-module-syntax -- classes are type arguments, and every loss gets the same arguments

// 1 - IoU, IoU = I / (U + eps).

import {
  extent,
  innerSlope,
  isHard,
  one,
  outside,
  overlap,
  storeSlopes,
  union,
  within,
} from "./box_lanes";
import { boxLoss } from "./box_loss";
import { BoxPair } from "./box_pair";
import { innerTerm } from "./inner_iou";
import { IouLossBlock } from "../generated/loss_blocks";

// @ts-ignore: decorator
@unmanaged
class Iou extends IouLossBlock {
  // @ts-ignore: decorator
  @inline
  cost(
    gradient: bool, dst: usize, scale: v128, eps: v128,
    x1: v128, y1: v128, x2: v128, y2: v128, targetX1: v128, targetY1: v128, targetX2: v128, targetY2: v128,
  ): v128 {
    const w = extent(x1, x2);
    const h = extent(y1, y2);
    const targetW = extent(targetX1, targetX2);
    const targetH = extent(targetY1, targetY2);
    const overlapX = overlap(x1, x2, targetX1, targetX2);
    const overlapY = overlap(y1, y2, targetY1, targetY2);
    const intersection = f32x4.mul(overlapX, overlapY);
    const area = f32x4.mul(w, h);
    const targetArea = f32x4.mul(targetW, targetH);
    const united = union(area, targetArea, intersection);
    const whole = f32x4.add(united, eps);
    const iou = f32x4.div(intersection, whole);
    const value = within(united, f32x4.sub(one(), iou));
    if (gradient) {
      const lowX = f32x4.sub(x1, targetX1);
      const lowY = f32x4.sub(y1, targetY1);
      const highX = f32x4.sub(x2, targetX2);
      const highY = f32x4.sub(y2, targetY2);
      const outsideX = outside(lowX, highX);
      const outsideY = outside(lowY, highY);
      const inverse = f32x4.div(one(), whole);
      const meets = f32x4.gt(intersection, f32x4.splat(0));
      const targetWhole = f32x4.add(targetArea, eps);
      const innerX = innerSlope(overlapY, meets, targetWhole, h, outsideX, inverse);
      const innerY = innerSlope(overlapX, meets, targetWhole, w, outsideY, inverse);
      const bySize = f32x4.sub(f32x4.splat(0), f32x4.mul(iou, inverse));
      storeSlopes(
        dst, scale,
        isHard(lowX, highX, lowY, highY, area),
        lowX, highX, lowY, highY,
        innerX,
        f32x4.mul(h, bySize),
        innerY,
        f32x4.mul(w, bySize),
      );
    }
    return value;
  }

  exact(pair: BoxPair): f64 {
    return pair.apart() + innerTerm(pair);
  }
}

export function iou_loss(call: usize): void {
  boxLoss<Iou>(call);
}
