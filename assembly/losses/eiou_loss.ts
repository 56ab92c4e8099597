// deno-lint-ignore-file no-unused-vars verbatim-module-syntax -- classes are type arguments, and every loss gets the same arguments

// DIoU loss + (w - w')^2 / (cw^2 + eps) + (h - h')^2 / (ch^2 + eps); where gamma is not 0 times IoU^gamma, constant for the
// gradient.

import {
  areInverted,
  cover,
  exactChange,
  extent,
  innerSlope,
  isHard,
  missed,
  offset,
  one,
  outside,
  overlap,
  storeCentredSlopes,
  sumOfSquares,
  termsOf,
  union,
  within,
} from "./box_lanes";
import { boxLoss } from "./box_loss";
import { BoxPair, dot, whereOver0 } from "./box_pair";
import { innerTerm } from "./inner_iou";
import { raised, raised4 } from "./raised";
import { EiouLossBlock } from "../generated/loss_blocks";

// @ts-ignore: decorator
@unmanaged
class EfficientIou extends EiouLossBlock {
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
    const inverseX = f32x4.div(one(), f32x4.add(f32x4.mul(coverX, coverX), eps));
    const inverseY = f32x4.div(one(), f32x4.add(f32x4.mul(coverY, coverY), eps));
    const sizes = f32x4.add(shareOf(f32x4.sub(w, targetW), inverseX), shareOf(f32x4.sub(h, targetH), inverseY));
    let cost = f32x4.add(f32x4.add(f32x4.sub(one(), iou), distance), sizes);
    const gamma = this.gamma;
    if (gamma != 0) {
      const focal = v128.and(raised4(iou, one(), gamma), f32x4.gt(iou, f32x4.splat(0)));
      cost = f32x4.mul(cost, focal);
      scale = f32x4.mul(scale, focal);
    }
    const value = within(f32x4.add(united, diagonal), v128.or(inverted, cost));
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
      const changeX = exactChange(lowX, highX, x1, x2, targetX1, targetX2);
      const changeY = exactChange(lowY, highY, y1, y2, targetY1, targetY2);
      const slopeX = f32x4.mul(f32x4.add(changeX, changeX), inverseX);
      const slopeY = f32x4.mul(f32x4.add(changeY, changeY), inverseY);
      const outerX = f32x4.add(
        f32x4.mul(h, bySize),
        f32x4.mul(slopeX, keptBy(coverX, missed(lowX, highX), targetW, eps, inverseX)),
      );
      const outerY = f32x4.add(
        f32x4.mul(w, bySize),
        f32x4.mul(slopeY, keptBy(coverY, missed(lowY, highY), targetH, eps, inverseY)),
      );
      storeCentredSlopes(
        dst, scale,
        isHard(lowX, highX, lowY, highY, area),
        lowX, highX, lowY, highY,
        f32x4.sub(innerX, slopeX),
        f32x4.sub(f32x4.mul(coverX, byCover), outerX),
        f32x4.sub(innerY, slopeY),
        f32x4.sub(f32x4.mul(coverY, byCover), outerY),
        f32x4.mul(dx, inverseDiagonal),
        f32x4.mul(dy, inverseDiagonal),
        true,
        termsOf(innerX, slopeX, innerY, slopeY),
      );
    }
    return value;
  }

  exact(pair: BoxPair): f64 {
    const value = pair.apart() + pair.distance() + sizeTerms(pair) + innerTerm(pair);
    const gamma = <f64> this.gamma;
    if (gamma == 0) return value;
    const iou = pair.intersection / (pair.union() + pair.eps);
    const focal = iou > 0 ? f64x2.extract_lane(raised(f64x2.splat(iou), gamma), 0) : 0;
    pair.scaleSlopes(focal);
    return value * focal;
  }
}

// @ts-ignore: decorator
@inline
function shareOf(change: v128, inverse: v128): v128 {
  return f32x4.mul(f32x4.mul(change, change), inverse);
}

/** 1 - cw (w - w') / (cw^2 + eps): what the cover's growth leaves of the size's slope. cw - w is what the target has outside. */
// @ts-ignore: decorator
@inline
function keptBy(cover: v128, missed: v128, targetSize: v128, eps: v128, inverse: v128): v128 {
  return f32x4.mul(f32x4.add(f32x4.mul(cover, f32x4.add(missed, targetSize)), eps), inverse);
}

/** The terms of width and height. */
function sizeTerms(pair: BoxPair): f64 {
  const change = pair.change;
  const cover = pair.cover;
  const eps = f64x2.splat(pair.eps);
  const square = f64x2.add(f64x2.mul(cover, cover), eps);
  const share = f64x2.div(change, square);
  const slope = f64x2.mul(share, f64x2.splat(-2));
  const missed = f64x2.add(pair.missed, pair.targetSize);
  const kept = f64x2.div(f64x2.add(f64x2.mul(cover, missed), eps), square);
  // A size of 0 has no slope; the cover has.
  const left = v128.bitselect(kept, f64x2.neg(f64x2.mul(cover, share)), f64x2.gt(pair.size, f64x2.splat(0)));
  pair.addBoth(whereOver0(pair.size, slope), f64x2.mul(slope, left));
  return dot(change, share);
}

export function eiou_loss(call: usize): void {
  boxLoss<EfficientIou>(call);
}
