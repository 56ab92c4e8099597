// deno-lint-ignore-file no-unused-vars -- classes are type arguments, and every loss gets the same arguments

// 1 - IoU + (D + O) / 2. The gradient goes through everything.
// D = sum of 1 - exp(-g r), g = 2 - L, r = dx^2 / (cw^2 + eps), L = 2 |dx dy| / (dx^2 + dy^2);
// O = sum of (1 - exp(-v))^4, v = |w - w'| / (max(w, w') + eps).

import { madd } from "../lanes";
import {
  boxLoss,
  cover,
  extent,
  half,
  highSlope,
  lowSlope,
  offset,
  one,
  overlap,
  overlapSlope,
  signBit,
  storeGradient,
  sumOfSquares,
  tellSpan,
  two,
  union,
  whereOver0,
} from "./box_loss";
import { LossCall } from "./call";
import { expPass } from "./passes";

const NUMBERS = memory.data<f32>([
  // (exp(-x) - 1) / x on 0 <= x <= 1/2, minimax in relative error of exp(-x) (1.2e-8)
  -0.9999989867210388,
  0.49997273087501526,
  -0.16642142832279205,
  0.04068698734045029,
  -0.006505267228931189,
  1e-36, // under this a squared distance has no angle
  1e4,
]);

/** Two vectors x and room for two more, and exp(-x) of them. */
const POWERS = memory.data(64, 16);
const LEFT = memory.data(64, 16);
/** exp(-x) counts as 0 from here on. */
const REACH: f32 = 80;

// @ts-ignore: decorator
@unmanaged
class ScyllaIou extends LossCall {
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
    const square = sumOfSquares(dx, dy);
    tellSpan(f32x4.add(united, f32x4.add(square, sumOfSquares(coverX, coverY))));
    const whole = f32x4.add(united, eps);
    const iou = f32x4.div(intersection, whole);
    const least = v128.load32_splat(NUMBERS, 20);
    const inverseSquare = v128.and(f32x4.div(one(), f32x4.pmax(square, least)), f32x4.gt(square, least));
    const farX = f32x4.abs(dx);
    const farY = f32x4.abs(dy);
    const cross = f32x4.mul(f32x4.mul(farX, farY), inverseSquare);
    const steep = f32x4.sub(two(), f32x4.add(cross, cross));
    const inverseX = f32x4.div(one(), f32x4.add(f32x4.mul(coverX, coverX), eps));
    const inverseY = f32x4.div(one(), f32x4.add(f32x4.mul(coverY, coverY), eps));
    const rhoX = distanceShare(dx, inverseX);
    const rhoY = distanceShare(dy, inverseY);
    const inverseW = f32x4.div(one(), f32x4.add(f32x4.pmax(w, targetW), eps));
    const inverseH = f32x4.div(one(), f32x4.add(f32x4.pmax(h, targetH), eps));
    const changeX = f32x4.mul(f32x4.abs(f32x4.sub(w, targetW)), inverseW);
    const changeY = f32x4.mul(f32x4.abs(f32x4.sub(h, targetH)), inverseH);
    const powerX = f32x4.mul(steep, rhoX);
    const powerY = f32x4.mul(steep, rhoY);
    let leftX = decay2(powerX);
    let leftY = decay2(powerY);
    // Only inverted boxes come here.
    const farthest = two();
    if (v128.any_true(v128.or(f32x4.gt(powerX, farthest), f32x4.gt(powerY, farthest)))) {
      v128.store(POWERS, powerX);
      v128.store(POWERS, powerY, 16);
      expPass(POWERS, POWERS, LEFT, 16, REACH);
      leftX = v128.bitselect(decayed(powerX, LEFT), leftX, f32x4.gt(powerX, farthest));
      leftY = v128.bitselect(decayed(powerY, LEFT + 16), leftY, f32x4.gt(powerY, farthest));
    }
    const keptX = decay1(changeX);
    const keptY = decay1(changeY);
    const goneX = f32x4.sub(one(), keptX);
    const goneY = f32x4.sub(one(), keptY);
    const cubeX = f32x4.mul(f32x4.mul(goneX, goneX), goneX);
    const cubeY = f32x4.mul(f32x4.mul(goneY, goneY), goneY);
    const distance = f32x4.add(f32x4.sub(one(), leftX), f32x4.sub(one(), leftY));
    const shape = f32x4.add(f32x4.mul(cubeX, goneX), f32x4.mul(cubeY, goneY));
    const value = f32x4.add(f32x4.sub(one(), iou), f32x4.mul(half(), f32x4.add(distance, shape)));
    if (gradient) {
      const inverse = f32x4.div(one(), whole);
      const bySize = f32x4.mul(iou, inverse);
      const through = overlapSlope(iou, inverse, intersection);
      const shapeX = f32x4.mul(f32x4.mul(cubeX, keptX), changeSlope(w, targetW, changeX, inverseW));
      const shapeY = f32x4.mul(f32x4.mul(cubeY, keptY), changeSlope(h, targetH, changeY, inverseH));
      const sizeX = whereOver0(w, f32x4.add(f32x4.mul(h, bySize), f32x4.add(shapeX, shapeX)));
      const sizeY = whereOver0(h, f32x4.add(f32x4.mul(w, bySize), f32x4.add(shapeY, shapeY)));
      const withinX = f32x4.neg(f32x4.mul(overlapY, through));
      const withinY = f32x4.neg(f32x4.mul(overlapX, through));
      // dD/ddx = 2 exp(-g r) g dx / K - T dL/ddx, T the sum of exp(-g r) r; dL/ddx = 2 sign(dx) |dy| A, and -A for dy.
      const flowX = f32x4.mul(f32x4.mul(leftX, steep), inverseX);
      const flowY = f32x4.mul(f32x4.mul(leftY, steep), inverseY);
      const turned = f32x4.add(f32x4.mul(leftX, rhoX), f32x4.mul(leftY, rhoY));
      const squares = f32x4.mul(f32x4.sub(farY, farX), f32x4.add(farY, farX));
      const angle = f32x4.mul(turned, f32x4.mul(f32x4.mul(squares, inverseSquare), inverseSquare));
      const centreX = f32x4.mul(half(), f32x4.sub(f32x4.mul(flowX, dx), f32x4.mul(withSign(farY, dx), angle)));
      const centreY = f32x4.mul(half(), f32x4.add(f32x4.mul(flowY, dy), f32x4.mul(withSign(farX, dy), angle)));
      const aroundX = f32x4.neg(f32x4.mul(f32x4.mul(flowX, rhoX), coverX));
      const aroundY = f32x4.neg(f32x4.mul(f32x4.mul(flowY, rhoY), coverY));
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

/** What expPass has left at `e`, and 0 where x is beyond its range. */
// @ts-ignore: decorator
@inline
function decayed(x: v128, e: usize): v128 {
  return v128.andnot(v128.load(e), f32x4.gt(x, f32x4.splat(REACH)));
}

/** exp(-x) for 0 <= x <= 1/2, exactly 1 at 0. */
// @ts-ignore: decorator
@inline
function decay(x: v128): v128 {
  const z = f32x4.mul(x, x);
  const low = madd(v128.load32_splat(NUMBERS, 4), x, v128.load32_splat(NUMBERS));
  const high = madd(v128.load32_splat(NUMBERS, 12), x, v128.load32_splat(NUMBERS, 8));
  const q = madd(madd(v128.load32_splat(NUMBERS, 16), z, high), z, low);
  return madd(q, x, one());
}

/** exp(-x) for 0 <= x <= 1. Relative error at most 3e-7. */
// @ts-ignore: decorator
@inline
function decay1(x: v128): v128 {
  const root = decay(f32x4.mul(x, half()));
  return f32x4.mul(root, root);
}

/** exp(-x) for 0 <= x <= 2. Relative error at most 6e-7. */
// @ts-ignore: decorator
@inline
function decay2(x: v128): v128 {
  const root = decay1(f32x4.mul(x, half()));
  return f32x4.mul(root, root);
}

/** dx^2 / K; only inverted boxes bring it over 1, and exp(-x) is 0 long before the bound. */
// @ts-ignore: decorator
@inline
function distanceShare(distance: v128, inverse: v128): v128 {
  return f32x4.pmin(f32x4.mul(f32x4.mul(distance, distance), inverse), v128.load32_splat(NUMBERS, 24));
}

/** dv/dw: (1 - v) / M where w is the larger, else -1 / M; the cube beside it is 0 where they are equal. */
// @ts-ignore: decorator
@inline
function changeSlope(size: v128, target: v128, change: v128, inverse: v128): v128 {
  const slope = v128.bitselect(f32x4.sub(one(), change), f32x4.neg(one()), f32x4.gt(size, target));
  return f32x4.mul(slope, inverse);
}

/** sign(by) a for a >= 0, with sign(0) = 0. */
// @ts-ignore: decorator
@inline
function withSign(a: v128, by: v128): v128 {
  const signed = v128.xor(a, v128.and(by, signBit()));
  return v128.andnot(signed, f32x4.eq(by, f32x4.splat(0)));
}

export function siou_loss(call: usize): void {
  boxLoss<ScyllaIou>(call);
}
