// deno-lint-ignore-file no-unused-vars -- classes are type arguments, and every loss gets the same arguments

// DIoU loss + alpha v, v = 4 / pi^2 (atan2(w, h) - atan2(w', h'))^2, alpha = v / (1 - IoU + v + eps), constant for the
// gradient.

import { madd } from "../lanes";
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
  signBit,
  storeGradient,
  sumOfSquares,
  tellSpan,
  union,
  whereOver0,
} from "./box_loss";
import { LossCall } from "./call";

const TURN = memory.data<f32>([
  1.5707963267948966, // pi / 2
  0.4052847345693511, // 4 / pi^2
  0.8105694691387022, // 8 / pi^2
  // (atan(q) / q - 1) / q^2 in q^2 on 0 <= q <= 1, minimax in relative error of the whole (1.7e-8)
  -0.33333152532577515,
  0.19993773102760315,
  -0.14211055636405945,
  0.10666004568338394,
  -0.07552214711904526,
  0.04321186617016792,
  -0.01636793091893196,
  0.0029206930194050074,
  1e-24, // stands for a height of 0 in an angle, so that 0 by 0 has angle 0
  1.2e-38, // keeps denominators from 0
]);

// @ts-ignore: decorator
@unmanaged
class CompleteIou extends LossCall {
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
    const turn = turnBetween(w, h, targetW, targetH);
    const aspect = f32x4.mul(f32x4.mul(turn, turn), v128.load32_splat(TURN, 4));
    const apart = f32x4.sub(one(), iou);
    const alpha = f32x4.div(aspect, f32x4.add(f32x4.add(apart, aspect), eps));
    const value = f32x4.add(f32x4.add(apart, distance), f32x4.mul(alpha, aspect));
    if (gradient) {
      const inverse = f32x4.div(one(), whole);
      const bySize = f32x4.mul(iou, inverse);
      const through = overlapSlope(iou, inverse, intersection);
      const sizes = f32x4.pmax(sumOfSquares(w, h), v128.load32_splat(TURN, 48));
      const steep = f32x4.div(f32x4.mul(f32x4.mul(alpha, turn), v128.load32_splat(TURN, 8)), sizes);
      const sizeX = whereOver0(w, f32x4.mul(h, f32x4.add(bySize, steep)));
      const sizeY = whereOver0(h, f32x4.mul(w, f32x4.sub(bySize, steep)));
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

/**
 * atan2(w, h) - atan2(w', h') for sizes >= 0, as one angle: that of (w h' - h w', h h' + w w'), which is within pi / 2.
 * Absolute error at most 3e-7.
 */
// @ts-ignore: decorator
@inline
function turnBetween(w: v128, h: v128, targetW: v128, targetH: v128): v128 {
  const least = v128.load32_splat(TURN, 44);
  const height = f32x4.pmax(h, least);
  const targetHeight = f32x4.pmax(targetH, least);
  const across = f32x4.sub(f32x4.mul(w, targetHeight), f32x4.mul(height, targetW));
  const along = f32x4.add(f32x4.mul(height, targetHeight), f32x4.mul(w, targetW));
  const angle = quarterAngle(f32x4.abs(across), along);
  return v128.xor(angle, v128.and(across, signBit()));
}

/** atan2(a, b) for a, b >= 0, 0 where both are 0. At most 2 ULP. */
// @ts-ignore: decorator
@inline
function quarterAngle(a: v128, b: v128): v128 {
  const q = f32x4.div(f32x4.pmin(a, b), f32x4.pmax(f32x4.pmax(a, b), v128.load32_splat(TURN, 48)));
  const z = f32x4.mul(q, q);
  const z2 = f32x4.mul(z, z);
  const z4 = f32x4.mul(z2, z2);
  // In pairs: one chain of eight steps would wait for itself.
  const p01 = madd(v128.load32_splat(TURN, 16), z, v128.load32_splat(TURN, 12));
  const p23 = madd(v128.load32_splat(TURN, 24), z, v128.load32_splat(TURN, 20));
  const p45 = madd(v128.load32_splat(TURN, 32), z, v128.load32_splat(TURN, 28));
  const p67 = madd(v128.load32_splat(TURN, 40), z, v128.load32_splat(TURN, 36));
  const p = madd(madd(p67, z2, p45), z4, madd(p23, z2, p01));
  const angle = madd(f32x4.mul(p, z), q, q);
  return v128.bitselect(f32x4.sub(v128.load32_splat(TURN), angle), angle, f32x4.gt(a, b));
}

export function ciou_loss(call: usize): void {
  boxLoss<CompleteIou>(call);
}
