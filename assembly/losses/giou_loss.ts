// deno-lint-ignore-file no-unused-vars -- classes are type arguments, and every loss gets the same arguments

// 1 - IoU + (C - U) / (C + eps), C the enclosing area.

import {
  boxLoss,
  cover,
  extent,
  highSlope,
  lowSlope,
  one,
  overlap,
  storeGradient,
  tellSpan,
  union,
  whereOver0,
} from "./box_loss";
import { LossCall } from "./call";

// @ts-ignore: decorator
@unmanaged
class GeneralizedIou extends LossCall {
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
    const enclosing = f32x4.mul(coverX, coverY);
    tellSpan(f32x4.add(united, enclosing));
    const whole = f32x4.add(united, eps);
    const iou = f32x4.div(intersection, whole);
    const wholeEnclosing = f32x4.add(enclosing, eps);
    // (C - U) / (C + eps) as 1 - (U + eps) / (C + eps): 0 where one box holds the other.
    const filled = f32x4.div(whole, wholeEnclosing);
    const value = f32x4.add(f32x4.sub(one(), iou), f32x4.sub(one(), filled));
    if (gradient) {
      const inverse = f32x4.div(one(), whole);
      const inverseEnclosing = f32x4.div(one(), wholeEnclosing);
      const bySize = f32x4.mul(iou, inverse);
      const through = whereOver0(intersection, f32x4.add(inverse, f32x4.sub(bySize, inverseEnclosing)));
      // The part of the size that C - U has goes with the edges: on the outer ones it and the cover's all but cancel.
      const sideX = whereOver0(w, h);
      const sideY = whereOver0(h, w);
      const withinX = slopeWithin(overlapY, through, sideX, inverseEnclosing);
      const withinY = slopeWithin(overlapX, through, sideY, inverseEnclosing);
      const aroundX = whereOver0(coverX, slopeAround(coverY, filled, sideX, inverseEnclosing));
      const aroundY = whereOver0(coverY, slopeAround(coverX, filled, sideY, inverseEnclosing));
      const sizeX = f32x4.mul(h, bySize);
      const sizeY = f32x4.mul(w, bySize);
      storeGradient(
        dst,
        scale,
        value,
        lowSlope(x1, targetX1, f32x4.neg(sizeX), withinX, aroundX),
        lowSlope(y1, targetY1, f32x4.neg(sizeY), withinY, aroundY),
        highSlope(x2, targetX2, sizeX, withinX, aroundX),
        highSlope(y2, targetY2, sizeY, withinY, aroundY),
      );
    }
    return value;
  }
}

/** -o (1 / U + IoU / U - 1 / C) - h / C. */
// @ts-ignore: decorator
@inline
function slopeWithin(overlap: v128, through: v128, side: v128, inverseEnclosing: v128): v128 {
  return f32x4.neg(f32x4.add(f32x4.mul(overlap, through), f32x4.mul(side, inverseEnclosing)));
}

/** ch F / C - h / C, F = U / C. */
// @ts-ignore: decorator
@inline
function slopeAround(cover: v128, filled: v128, side: v128, inverseEnclosing: v128): v128 {
  return f32x4.mul(f32x4.sub(f32x4.mul(cover, filled), side), inverseEnclosing);
}

export function giou_loss(call: usize): void {
  boxLoss<GeneralizedIou>(call);
}
