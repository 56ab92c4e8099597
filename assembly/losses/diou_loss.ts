// deno-lint-ignore-file no-unused-vars verbatim-module-syntax -- classes are type arguments, and every loss gets the same arguments

// 1 - IoU + rho^2 / (c^2 + eps), rho between the centres, c the enclosing diagonal.

import {
  areInverted,
  cover,
  extent,
  innerSlope,
  isHard,
  offset,
  one,
  outside,
  overlap,
  storeCentredSlopes,
  sumOfSquares,
  union,
  within,
} from "./box_lanes";
import { boxLoss } from "./box_loss";
import { BoxPair } from "./box_pair";
import { innerTerm } from "./inner_iou";
import { DiouLossBlock } from "../generated/loss_blocks";

// @ts-ignore: decorator
@unmanaged
class DistanceIou extends DiouLossBlock {
  // @ts-ignore: decorator
  @inline
  cost(
    gradient: bool, dst: usize, scale: v128, eps: v128,
    x1: v128, y1: v128, x2: v128, y2: v128, targetX1: v128, targetY1: v128, targetX2: v128, targetY2: v128,
  ): v128 {
    const inverted = areInverted(x1, y1, x2, y2, targetX1, targetY1, targetX2, targetY2);
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
    const coverX = cover(x1, x2, targetX1, targetX2);
    const coverY = cover(y1, y2, targetY1, targetY2);
    const dx = offset(x1, x2, targetX1, targetX2);
    const dy = offset(y1, y2, targetY1, targetY2);
    const diagonal = f32x4.add(sumOfSquares(coverX, coverY), eps);
    const square = sumOfSquares(dx, dy);
    const whole = f32x4.add(united, eps);
    const iou = f32x4.div(intersection, whole);
    const distance = f32x4.div(square, diagonal);
    const value = within(
      f32x4.add(united, diagonal),
      v128.or(inverted, f32x4.add(f32x4.sub(one(), iou), distance)),
    );
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
      const bySize = f32x4.mul(iou, inverse);
      const inverseDiagonal = f32x4.div(one(), diagonal);
      const byCover = f32x4.mul(f32x4.add(distance, distance), inverseDiagonal);
      storeCentredSlopes(
        dst, scale,
        isHard(lowX, highX, lowY, highY, area),
        lowX, highX, lowY, highY,
        innerX,
        f32x4.sub(f32x4.mul(coverX, byCover), f32x4.mul(h, bySize)),
        innerY,
        f32x4.sub(f32x4.mul(coverY, byCover), f32x4.mul(w, bySize)),
        f32x4.mul(dx, inverseDiagonal),
        f32x4.mul(dy, inverseDiagonal),
      );
    }
    return value;
  }

  exact(pair: BoxPair): f64 {
    return pair.apart() + pair.distance() + innerTerm(pair);
  }
}

export function diou_loss(call: usize): void {
  boxLoss<DistanceIou>(call);
}
