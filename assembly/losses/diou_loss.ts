// deno-lint-ignore-file no-unused-vars -- classes are type arguments, and every loss gets the same arguments

// 1 - IoU + rho^2 / (c^2 + eps), rho between the centres, c the enclosing diagonal.

import {
  boxLoss,
  cover,
  distanceRatio,
  extent,
  highSlope,
  lowSlope,
  minusTwo,
  offset,
  one,
  overlap,
  overlapSlope,
  storeGradient,
  sumOfSquares,
  tellSpan,
  union,
} from "./box_loss";
import { LossCall } from "./call";

// @ts-ignore: decorator
@unmanaged
class DistanceIou extends LossCall {
  // @ts-ignore: decorator
  @inline
  cost(
    gradient: bool,
    dst: usize,
    scale: v128,
    eps: v128,
    x1: v128,
    y1: v128,
    x2: v128,
    y2: v128,
    targetX1: v128,
    targetY1: v128,
    targetX2: v128,
    targetY2: v128,
  ): v128 {
    const w = extent(x1, x2);
    const h = extent(y1, y2);
    const targetW = extent(targetX1, targetX2);
    const targetH = extent(targetY1, targetY2);
    const overlapX = overlap(x1, x2, targetX1, targetX2);
    const overlapY = overlap(y1, y2, targetY1, targetY2);
    const intersection = f32x4.mul(overlapX, overlapY);
    const united = union(w, h, targetW, targetH, intersection);
    const coverX = cover(x1, x2, targetX1, targetX2);
    const coverY = cover(y1, y2, targetY1, targetY2);
    const dx = offset(x1, x2, targetX1, targetX2);
    const dy = offset(y1, y2, targetY1, targetY2);
    const diagonal = f32x4.add(sumOfSquares(coverX, coverY), eps);
    const square = sumOfSquares(dx, dy);
    tellSpan(f32x4.add(united, f32x4.add(diagonal, square)));
    const whole = f32x4.add(united, eps);
    const iou = f32x4.div(intersection, whole);
    const distance = distanceRatio(square, diagonal);
    const value = f32x4.add(f32x4.sub(one(), iou), distance);
    if (gradient) {
      const inverse = f32x4.div(one(), whole);
      const bySize = f32x4.mul(iou, inverse);
      const through = overlapSlope(iou, inverse, intersection);
      const sizeX = f32x4.mul(h, bySize);
      const sizeY = f32x4.mul(w, bySize);
      const withinX = f32x4.neg(f32x4.mul(overlapY, through));
      const withinY = f32x4.neg(f32x4.mul(overlapX, through));
      const inverseDiagonal = f32x4.div(one(), diagonal);
      const centreX = f32x4.mul(dx, inverseDiagonal);
      const centreY = f32x4.mul(dy, inverseDiagonal);
      const byCover = f32x4.mul(distance, minusTwo());
      const aroundX = f32x4.mul(f32x4.mul(coverX, inverseDiagonal), byCover);
      const aroundY = f32x4.mul(f32x4.mul(coverY, inverseDiagonal), byCover);
      storeGradient(
        dst,
        scale,
        value,
        lowSlope(x1, targetX1, f32x4.sub(centreX, sizeX), withinX, aroundX),
        lowSlope(y1, targetY1, f32x4.sub(centreY, sizeY), withinY, aroundY),
        highSlope(x2, targetX2, f32x4.add(centreX, sizeX), withinX, aroundX),
        highSlope(y2, targetY2, f32x4.add(centreY, sizeY), withinY, aroundY),
      );
    }
    return value;
  }
}

export function diou_loss(call: usize): void {
  boxLoss<DistanceIou>(call);
}
