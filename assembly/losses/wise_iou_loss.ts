// deno-lint-ignore-file no-unused-vars verbatim-module-syntax -- classes are type arguments, and every loss gets the same arguments

// Wise-IoU: exp(rho^2 / (c^2 + eps)) (1 - IoU), c the enclosing diagonal, constant for the gradient; with a mean loss (steep is not 0)
// times r = steep (1 - IoU) exp(-rate (1 - IoU)), constant too.

import { shortExp4 } from "../math";
import {
  areInverted,
  cover,
  extent,
  gapOf,
  half,
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
import { BoxPair, dot } from "./box_pair";
import { exponential } from "./raised";
import { select } from "../lanes";
import { WiseIouLossBlock } from "../generated/loss_blocks";

/** What rho^2 / c^2 counts as at most. Only inverted boxes bring it over 1, and a power of more would have lost digits. */
const MOST: f64 = 8;

// @ts-ignore: decorator
@unmanaged
class WiseIou extends WiseIouLossBlock {
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
    const distance = f32x4.div(sumOfSquares(dx, dy), diagonal);
    const inverse = f32x4.div(one(), f32x4.add(united, eps));
    const iou = f32x4.mul(intersection, inverse);
    const lowX = f32x4.sub(x1, targetX1);
    const lowY = f32x4.sub(y1, targetY1);
    const highX = f32x4.sub(x2, targetX2);
    const highY = f32x4.sub(y2, targetY2);
    const steep = this.steep;
    let apart = f32x4.sub(one(), iou);
    let factor = distance;
    if (steep != 0) {
      // r multiplies what is lost of 1 - IoU.
      apart = select(
        gapOf(w, h, targetW, targetH, overlapY, lowX, highX, lowY, highY, eps, inverse),
        apart,
        f32x4.gt(iou, half()),
      );
      factor = f32x4.sub(distance, f32x4.mul(apart, f32x4.splat(this.rate)));
    }
    factor = shortExp4(factor);
    if (steep != 0) factor = f32x4.mul(factor, f32x4.mul(apart, f32x4.splat(steep)));
    const value = within(f32x4.add(united, diagonal), v128.or(inverted, f32x4.mul(apart, factor)));
    if (gradient) {
      const outsideX = outside(lowX, highX);
      const outsideY = outside(lowY, highY);
      const meets = f32x4.gt(intersection, f32x4.splat(0));
      const targetWhole = f32x4.add(targetArea, eps);
      const innerX = innerSlope(overlapY, meets, targetWhole, h, outsideX, inverse);
      const innerY = innerSlope(overlapX, meets, targetWhole, w, outsideY, inverse);
      const bySize = f32x4.sub(f32x4.splat(0), f32x4.mul(iou, inverse));
      const byOffset = f32x4.div(apart, diagonal);
      storeCentredSlopes(
        dst, f32x4.mul(scale, factor),
        isHard(lowX, highX, lowY, highY, area),
        lowX, highX, lowY, highY,
        innerX,
        f32x4.mul(h, bySize),
        innerY,
        f32x4.mul(w, bySize),
        f32x4.mul(dx, byOffset),
        f32x4.mul(dy, byOffset),
      );
    }
    return value;
  }

  exact(pair: BoxPair): f64 {
    const apart = pair.apart();
    const steep = <f64> this.steep;
    const inverse = 1 / (dot(pair.cover, pair.cover) + pair.eps);
    const distance = min(dot(pair.offset, pair.offset) * inverse, MOST);
    const factor = (steep == 0 ? 1 : apart * steep) * exponential(distance - apart * this.rate);
    if (distance < MOST) pair.centre = f64x2.mul(pair.offset, f64x2.splat(apart * inverse));
    pair.scaleSlopes(factor);
    return factor * apart;
  }
}

export function wise_iou_loss(call: usize): void {
  boxLoss<WiseIou>(call);
}
