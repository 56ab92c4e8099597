// deno-lint-ignore-file no-unused-vars verbatim-module-syntax -- classes are type arguments, and every loss gets the same arguments

// 1 - IoU + (D + O) / 2. The gradient goes through everything.
// D = sum of 1 - exp(-g r), g = 2 - L, r = dx^2 / (cw^2 + eps), L = 2 |dx dy| / (dx^2 + dy^2);
// O = sum of (1 - exp(-v))^4, v = |w - w'| / (max(w, w') + eps).

import {
  areInverted,
  cover,
  exactChange,
  exactOffset,
  extent,
  half,
  innerSlope,
  isHard,
  offset,
  one,
  outside,
  overlap,
  signBit,
  storeCentredSlopes,
  sumOfSquares,
  termsOf,
  two,
  union,
  within,
} from "./box_lanes";
import { boxLoss } from "./box_loss";
import { BoxPair, dot, swapped, whereOver0 } from "./box_pair";
import { decayed, exactDecay, gone } from "./decay";
import { innerTerm } from "./inner_iou";
import { SiouLossBlock } from "../generated/loss_blocks";

const NUMBERS = memory.data<f32>([
  1e-36, // under this a squared distance has no angle
  32, // times the centres' distance, the long side that may turn its angle
]);

// @ts-ignore: decorator
@unmanaged
class ScyllaIou extends SiouLossBlock {
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
    const square = sumOfSquares(dx, dy);
    const whole = f32x4.add(united, eps);
    const iou = f32x4.div(intersection, whole);
    const cross = f32x4.mul(f32x4.mul(f32x4.abs(dx), f32x4.abs(dy)), inverseOf(square));
    const steep = f32x4.sub(two(), f32x4.add(cross, cross));
    const inverseX = f32x4.div(one(), f32x4.add(f32x4.mul(coverX, coverX), eps));
    const inverseY = f32x4.div(one(), f32x4.add(f32x4.mul(coverY, coverY), eps));
    const rhoX = f32x4.mul(f32x4.mul(dx, dx), inverseX);
    const rhoY = f32x4.mul(f32x4.mul(dy, dy), inverseY);
    const inverseW = f32x4.div(one(), f32x4.add(f32x4.pmax(w, targetW), eps));
    const inverseH = f32x4.div(one(), f32x4.add(f32x4.pmax(h, targetH), eps));
    const changeX = f32x4.mul(f32x4.abs(f32x4.sub(w, targetW)), inverseW);
    const changeY = f32x4.mul(f32x4.abs(f32x4.sub(h, targetH)), inverseH);
    const leftX = decayed(f32x4.mul(steep, rhoX));
    const leftY = decayed(f32x4.mul(steep, rhoY));
    const goneX = gone(changeX);
    const goneY = gone(changeY);
    const distance = f32x4.add(f32x4.sub(one(), leftX), f32x4.sub(one(), leftY));
    const shape = f32x4.add(fourth(goneX), fourth(goneY));
    // Where one axis is far the longer, what its offset has lost turns the angle.
    const diagonal = sumOfSquares(coverX, coverY);
    const rho = f32x4.add(rhoX, rhoY);
    const turns = f32x4.gt(f32x4.mul(f32x4.mul(rho, rho), diagonal), f32x4.mul(square, v128.load32_splat(NUMBERS + 4)));
    const value = within(
      f32x4.add(united, diagonal),
      v128.or(v128.or(inverted, turns), f32x4.add(f32x4.sub(one(), iou), f32x4.mul(half(), f32x4.add(distance, shape)))),
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
      const byW = exactChange(lowX, highX, x1, x2, targetX1, targetX2);
      const byH = exactChange(lowY, highY, y1, y2, targetY1, targetY2);
      const shapeX = shapeSlope(byW, changeX, goneX, f32x4.add(targetW, eps), inverseW);
      const shapeY = shapeSlope(byH, changeY, goneY, f32x4.add(targetH, eps), inverseH);
      // dD/ddx = 2 exp(-g r) g dx / K - T dL/ddx, T the sum of exp(-g r) r; dL/ddx = 2 sign(dx) |dy| A, and -A for dy.
      const turned = f32x4.add(f32x4.mul(leftX, rhoX), f32x4.mul(leftY, rhoY));
      const alongX = f32x4.mul(exactOffset(lowX, highX, x1, x2, targetX1, targetX2), half());
      const alongY = f32x4.mul(exactOffset(lowY, highY, y1, y2, targetY1, targetY2), half());
      const farX = f32x4.abs(alongX);
      const farY = f32x4.abs(alongY);
      // The slopes of thin boxes show what the angle loses with the offsets.
      const over = inverseOf(sumOfSquares(farX, farY));
      const turn = f32x4.mul(f32x4.mul(farX, farY), over);
      const steeper = f32x4.sub(two(), f32x4.add(turn, turn));
      const flowX = f32x4.mul(f32x4.mul(leftX, steeper), inverseX);
      const flowY = f32x4.mul(f32x4.mul(leftY, steeper), inverseY);
      const squares = f32x4.mul(f32x4.sub(farY, farX), f32x4.add(farY, farX));
      const angle = f32x4.mul(turned, f32x4.mul(f32x4.mul(squares, over), over));
      const centreX = f32x4.mul(half(), f32x4.sub(f32x4.mul(flowX, alongX), f32x4.mul(withSign(farY, alongX), angle)));
      const centreY = f32x4.mul(half(), f32x4.add(f32x4.mul(flowY, alongY), f32x4.mul(withSign(farX, alongY), angle)));
      const outerX = f32x4.add(f32x4.mul(h, bySize), shapeX);
      const outerY = f32x4.add(f32x4.mul(w, bySize), shapeY);
      storeCentredSlopes(
        dst, scale,
        isHard(lowX, highX, lowY, highY, area),
        lowX, highX, lowY, highY,
        f32x4.sub(innerX, shapeX),
        f32x4.sub(f32x4.mul(f32x4.mul(flowX, rhoX), coverX), outerX),
        f32x4.sub(innerY, shapeY),
        f32x4.sub(f32x4.mul(f32x4.mul(flowY, rhoY), coverY), outerY),
        centreX,
        centreY,
        true,
        termsOf(innerX, shapeX, innerY, shapeY),
      );
    }
    return value;
  }

  exact(pair: BoxPair): f64 {
    return pair.apart() + (distanceCost(pair) + shapeCost(pair)) / 2 + innerTerm(pair);
  }
}

/** 1 / the square of a distance, 0 where that has no angle. */
// @ts-ignore: decorator
@inline
function inverseOf(square: v128): v128 {
  const least = v128.load32_splat(NUMBERS);
  return v128.and(f32x4.div(one(), f32x4.pmax(square, least)), f32x4.gt(square, least));
}

// @ts-ignore: decorator
@inline
function fourth(x: v128): v128 {
  const square = f32x4.mul(x, x);
  return f32x4.mul(square, square);
}

/**
 * Half of d(1 - exp(-v))^4 / dw = 4 (1 - exp(-v))^3 exp(-v) dv/dw; dv/dw is (w' + eps) / M^2 where w is the larger, else
 * -1 / M. The rounding of v is made good by its slope: `by` is w - w' with all digits.
 */
// @ts-ignore: decorator
@inline
function shapeSlope(by: v128, change: v128, gone: v128, targetWhole: v128, inverse: v128): v128 {
  const missed = f32x4.sub(f32x4.mul(f32x4.abs(by), inverse), change);
  const kept = f32x4.sub(one(), gone);
  const fully = f32x4.add(gone, f32x4.mul(kept, missed));
  const slope = v128.bitselect(f32x4.mul(targetWhole, inverse), f32x4.neg(one()), f32x4.gt(by, f32x4.splat(0)));
  const cube = f32x4.mul(f32x4.mul(fully, fully), fully);
  return f32x4.mul(f32x4.mul(f32x4.mul(f32x4.add(cube, cube), kept), slope), inverse);
}

/** sign(by) a for a >= 0, with sign(0) = 0. */
// @ts-ignore: decorator
@inline
function withSign(a: v128, by: v128): v128 {
  const signed = v128.xor(a, v128.and(by, signBit()));
  return v128.andnot(signed, f32x4.eq(by, f32x4.splat(0)));
}

/** D; its slopes are half, as the loss has it. */
function distanceCost(pair: BoxPair): f64 {
  const offset = pair.offset;
  const cover = pair.cover;
  const square = dot(offset, offset);
  const inverseSquare = square > 0 ? 1 / square : 0;
  const far = f64x2.abs(offset);
  const steep = f64x2.splat(2 - dot(far, swapped(far)) * inverseSquare);
  const whole = f64x2.add(f64x2.mul(cover, cover), f64x2.splat(pair.eps));
  const rho = f64x2.div(f64x2.mul(offset, offset), whole);
  const power = f64x2.mul(steep, rho);
  const left = exactDecay(power, false);
  const flow = f64x2.div(f64x2.mul(left, steep), whole);
  const squares = f64x2.extract_lane(f64x2.sub(f64x2.mul(swapped(far), swapped(far)), f64x2.mul(far, far)), 0);
  const angle = dot(left, rho) * squares * inverseSquare * inverseSquare;
  const zero = f64x2.splat(0);
  const sign = f64x2.sub(ones(f64x2.gt(offset, zero)), ones(f64x2.lt(offset, zero)));
  const turning = f64x2.mul(f64x2.mul(sign, swapped(far)), f64x2(-angle, angle));
  pair.centre = f64x2.mul(f64x2.add(f64x2.mul(flow, offset), turning), f64x2.splat(0.5));
  pair.addBoth(zero, f64x2.mul(f64x2.mul(flow, rho), cover));
  const costs = exactDecay(power, true);
  return f64x2.extract_lane(costs, 0) + f64x2.extract_lane(costs, 1);
}

/** O; its slopes are half, as the loss has it. */
function shapeCost(pair: BoxPair): f64 {
  const size = pair.size;
  const larger = f64x2.max(size, pair.targetSize);
  const eps = f64x2.splat(pair.eps);
  const whole = f64x2.add(larger, eps);
  const change = f64x2.div(f64x2.abs(pair.change), whole);
  const gone = exactDecay(change, true);
  const square = f64x2.mul(gone, gone);
  const rising = f64x2.div(f64x2.add(pair.targetSize, eps), whole);
  const slope = v128.bitselect(rising, f64x2.splat(-1), f64x2.gt(pair.change, f64x2.splat(0)));
  const twice = f64x2.mul(f64x2.mul(f64x2.mul(square, gone), exactDecay(change, false)), f64x2.splat(-2));
  const slopes = whereOver0(size, f64x2.div(f64x2.mul(twice, slope), whole));
  pair.addBoth(slopes, slopes);
  return dot(square, square);
}

// @ts-ignore: decorator
@inline
function ones(mask: v128): v128 {
  return v128.and(mask, f64x2.splat(1));
}

export function siou_loss(call: usize): void {
  boxLoss<ScyllaIou>(call);
}
