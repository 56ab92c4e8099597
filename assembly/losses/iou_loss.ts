// deno-lint-ignore-file no-unused-vars -- classes are type arguments, and every loss gets the same arguments

// 1 - IoU, IoU = I / (U + eps).

import { above, boxLoss, extent, one, overlap, overlapSlope, storeGradient, tellSpan, union } from "./box_loss";
import { LossCall } from "./call";

// @ts-ignore: decorator
@unmanaged
class Iou extends LossCall {
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
    tellSpan(united);
    const whole = f32x4.add(united, eps);
    const iou = f32x4.div(intersection, whole);
    const value = f32x4.sub(one(), iou);
    if (gradient) {
      const inverse = f32x4.div(one(), whole);
      const bySize = f32x4.mul(iou, inverse);
      const sizeX = f32x4.mul(h, bySize);
      const sizeY = f32x4.mul(w, bySize);
      const through = overlapSlope(iou, inverse, intersection);
      const withinX = f32x4.mul(overlapY, through);
      const withinY = f32x4.mul(overlapX, through);
      storeGradient(
        dst,
        scale,
        value,
        f32x4.sub(f32x4.mul(above(x1, targetX1), withinX), sizeX),
        f32x4.sub(f32x4.mul(above(y1, targetY1), withinY), sizeY),
        f32x4.sub(sizeX, f32x4.mul(above(targetX2, x2), withinX)),
        f32x4.sub(sizeY, f32x4.mul(above(targetY2, y2), withinY)),
      );
    }
    return value;
  }
}

export function iou_loss(call: usize): void {
  boxLoss<Iou>(call);
}
