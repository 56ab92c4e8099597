// deno-lint-ignore-file no-unused-vars verbatim-module-syntax -- classes are type arguments, and every loss gets the same arguments

// 1 - IoU^power, IoU = I / (U + eps), as iou_loss.ts with one factor on all slopes: power IoU^(power - 1), 0 where IoU is 0.
//
// Powers other than 2 and 3 go through float64. A power multiplies the relative error of its base, so next to 1 the base is
// 1 - (what the boxes do not share) / (U + eps), of which no terms cancel: power * (the rest) * e^-(power * (the rest)) is
// never large.

import {
  extent,
  gapOf,
  half,
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
import { raised, raised4 } from "./raised";
import { select } from "../lanes";
import { AlphaIouLossBlock } from "../generated/loss_blocks";

/** Powers over this have gradients in float64. The worst a search finds is 1.9e-6 for 5, 2.1e-6 for 6, 3.5e-6 for 15.9. */
const MOST_IN_FLOAT32: f32 = 4;
/** IoU under this, of boxes that overlap, is done in float64. In memory: see box_lanes.ts. */
const LEAST_IN_FLOAT32 = memory.data<f32>([1e-16]);

// @ts-ignore: decorator
@unmanaged
class AlphaIou extends AlphaIouLossBlock {
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
    const inverse = f32x4.div(one(), f32x4.add(united, eps));
    const iou = f32x4.mul(intersection, inverse);
    const lowX = f32x4.sub(x1, targetX1);
    const lowY = f32x4.sub(y1, targetY1);
    const highX = f32x4.sub(x2, targetX2);
    const highY = f32x4.sub(y2, targetY2);
    const zero = f32x4.splat(0);
    const meets = f32x4.gt(iou, zero);
    const power = this.power;
    const gap = gapOf(w, h, targetW, targetH, overlapY, lowX, highX, lowY, highY, eps, inverse);
    const close = f32x4.gt(iou, half());
    // IoU^(power - 1), and IoU^power.
    let lower = select(f32x4.sub(one(), gap), iou, close);
    let powered: v128;
    if (power == 3 || power == 2) {
      const base = lower;
      if (power == 3) lower = f32x4.mul(base, base);
      powered = f32x4.mul(lower, base);
    } else {
      // Where IoU is 0 or NaN it stays. A gap of NaN is none.
      powered = select(raised4(iou, v128.or(gap, v128.not(close)), power), iou, meets);
      lower = v128.and(f32x4.div(powered, iou), meets);
    }
    const overlaps = f32x4.gt(f32x4.pmin(overlapX, overlapY), zero);
    const tiny = v128.and(overlaps, f32x4.lt(iou, v128.load32_splat(LEAST_IN_FLOAT32)));
    const value = v128.or(within(united, f32x4.sub(one(), powered)), tiny);
    if (gradient) {
      const outsideX = outside(lowX, highX);
      const outsideY = outside(lowY, highY);
      const targetWhole = f32x4.add(targetArea, eps);
      const innerX = innerSlope(overlapY, meets, targetWhole, h, outsideX, inverse);
      const innerY = innerSlope(overlapX, meets, targetWhole, w, outsideY, inverse);
      const beyond = i32x4.splat(power > MOST_IN_FLOAT32 ? -1 : 0);
      const bySize = f32x4.sub(zero, f32x4.mul(iou, inverse));
      storeSlopes(
        dst, f32x4.mul(scale, f32x4.mul(f32x4.splat(power), lower)),
        v128.or(isHard(lowX, highX, lowY, highY, area), v128.or(tiny, beyond)),
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
    const apart = pair.apart();
    if (!(pair.intersection > 0)) return apart;
    const iou = pair.intersection / (pair.union() + pair.eps);
    const power = <f64> this.power;
    const value = f64x2.extract_lane(raised(f64x2.splat(iou), power), 0);
    pair.scaleSlopes(power * value / iou);
    return 1 - value;
  }
}

export function alpha_iou_loss(call: usize): void {
  boxLoss<AlphaIou>(call);
}
