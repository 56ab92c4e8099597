// deno-lint-ignore-file no-unused-vars verbatim-module-syntax -- classes are type arguments, and every loss gets the same arguments

// DIoU loss + alpha v, v = 4 / pi^2 (atan2(w, h) - atan2(w', h'))^2, alpha = v / (1 - IoU + v + eps), constant for the
// gradient.

import { madd } from "../lanes";
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
  signBit,
  storeCentredSlopes,
  sumOfSquares,
  union,
  within,
} from "./box_lanes";
import { boxLoss } from "./box_loss";
import { BoxPair, whereOver0 } from "./box_pair";
import { innerTerm } from "./inner_iou";
import { CiouLossBlock } from "../generated/loss_blocks";

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
  1e-36, // under this a product of sizes has lost digits
  1e-16, // under this a size is near what stands for 0
]);

// @ts-ignore: decorator
@unmanaged
class CompleteIou extends CiouLossBlock {
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
    // The turn from one shape to the other is the angle of (w h' - h w', h h' + w w'), which is within pi / 2.
    const least = v128.load32_splat(TURN + 44);
    const height = f32x4.pmax(h, least);
    const targetHeight = f32x4.pmax(targetH, least);
    const across = f32x4.sub(f32x4.mul(w, targetHeight), f32x4.mul(height, targetW));
    const along = f32x4.add(f32x4.mul(height, targetHeight), f32x4.mul(w, targetW));
    const turn = v128.xor(quarterAngle(f32x4.abs(across), along), v128.and(across, signBit()));
    const aspect = f32x4.mul(f32x4.mul(turn, turn), v128.load32_splat(TURN + 4));
    const apart = f32x4.sub(one(), iou);
    const alpha = f32x4.div(aspect, f32x4.add(f32x4.add(apart, aspect), eps));
    const value = within(
      f32x4.add(united, diagonal),
      v128.or(
        f32x4.add(f32x4.add(apart, distance), f32x4.mul(alpha, aspect)),
        v128.or(inverted, v128.or(isTiny(w, h), isTiny(targetW, targetH))),
      ),
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
      const sizes = sumOfSquares(w, h);
      const steep = f32x4.div(f32x4.mul(f32x4.mul(alpha, turn), v128.load32_splat(TURN + 8)), sizes);
      const vanishing = f32x4.lt(sizes, v128.load32_splat(TURN + 48));
      storeCentredSlopes(
        dst, scale,
        v128.or(vanishing, isHard(lowX, highX, lowY, highY, area)),
        lowX, highX, lowY, highY,
        f32x4.sub(innerX, f32x4.mul(h, steep)),
        f32x4.sub(f32x4.mul(coverX, byCover), f32x4.mul(h, f32x4.add(bySize, steep))),
        f32x4.add(innerY, f32x4.mul(w, steep)),
        f32x4.sub(f32x4.mul(coverY, byCover), f32x4.mul(w, f32x4.sub(bySize, steep))),
        f32x4.mul(dx, inverseDiagonal),
        f32x4.mul(dy, inverseDiagonal),
      );
    }
    return value;
  }

  exact(pair: BoxPair): f64 {
    const apart = pair.apart();
    return apart + pair.distance() + aspectTerm(pair, apart) + innerTerm(pair);
  }
}

/** atan2(a, b) for a, b >= 0 that are not both 0. At most 2 ULP. */
// @ts-ignore: decorator
@inline
function quarterAngle(a: v128, b: v128): v128 {
  const angle = arc(f32x4.div(f32x4.pmin(a, b), f32x4.pmax(a, b)));
  return v128.bitselect(f32x4.sub(v128.load32_splat(TURN), angle), angle, f32x4.gt(a, b));
}

/** atan(q) for 0 <= q <= 1. */
// @ts-ignore: decorator
@inline
function arc(q: v128): v128 {
  const z = f32x4.mul(q, q);
  const z2 = f32x4.mul(z, z);
  const z4 = f32x4.mul(z2, z2);
  // In pairs: one chain of eight steps would wait for itself.
  const p01 = madd(v128.load32_splat(TURN + 16), z, v128.load32_splat(TURN + 12));
  const p23 = madd(v128.load32_splat(TURN + 24), z, v128.load32_splat(TURN + 20));
  const p45 = madd(v128.load32_splat(TURN + 32), z, v128.load32_splat(TURN + 28));
  const p67 = madd(v128.load32_splat(TURN + 40), z, v128.load32_splat(TURN + 36));
  const p = madd(madd(p67, z2, p45), z4, madd(p23, z2, p01));
  return madd(f32x4.mul(p, z), q, q);
}

/** Ones where a height of 0 would stand for less than the box has, but for those that have nothing. */
// @ts-ignore: decorator
@inline
function isTiny(w: v128, h: v128): v128 {
  const sides = f32x4.add(w, h);
  return v128.and(f32x4.gt(sides, f32x4.splat(0)), f32x4.lt(sides, v128.load32_splat(TURN + 52)));
}

/** alpha v. */
function aspectTerm(pair: BoxPair, apart: f64): f64 {
  const size = pair.size;
  const w = f64x2.extract_lane(size, 0);
  const h = f64x2.extract_lane(size, 1);
  const targetW = f64x2.extract_lane(pair.targetSize, 0);
  const targetH = f64x2.extract_lane(pair.targetSize, 1);
  const height = w == 0 && h == 0 ? 1 : h;
  const targetHeight = targetW == 0 && targetH == 0 ? 1 : targetH;
  const across = w * targetHeight - height * targetW;
  const along = height * targetHeight + w * targetW;
  const far = abs(across);
  const angle = <f64> f32x4.extract_lane(arc(f32x4.splat(<f32> (min(far, along) / max(far, along)))), 0);
  const turn = copysign(far > along ? Math.PI / 2 - angle : angle, across);
  const aspect = 4 / (Math.PI * Math.PI) * turn * turn;
  const alpha = aspect / (apart + aspect + pair.eps);
  const square = w * w + h * h;
  const steep = square > 0 ? 8 / (Math.PI * Math.PI) * alpha * turn / square : 0;
  const slope = whereOver0(size, f64x2.mul(f64x2(-h, w), f64x2.splat(steep)));
  pair.addBoth(slope, slope);
  return alpha * aspect;
}

export function ciou_loss(call: usize): void {
  boxLoss<CompleteIou>(call);
}
