// deno-lint-ignore-file no-unused-vars verbatim-module-syntax -- classes are type arguments, and every loss gets the same arguments

// 1 - IoU + (C - U) / (C + eps), C the enclosing area.

import { select } from "../lanes";
import {
  areInverted,
  cover,
  extent,
  innerSlope,
  isHard,
  missed,
  one,
  outside,
  overlap,
  storeSlopes,
  union,
  within,
} from "./box_lanes";
import { boxLoss } from "./box_loss";
import { BoxPair, product, swapped, whereOver0 } from "./box_pair";
import { innerTerm } from "./inner_iou";
import { GiouLossBlock } from "../generated/loss_blocks";

// @ts-ignore: decorator
@unmanaged
class GeneralizedIou extends GiouLossBlock {
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
    const coverX = cover(x1, x2, targetX1, targetX2);
    const coverY = cover(y1, y2, targetY1, targetY2);
    const enclosing = f32x4.mul(coverX, coverY);
    const whole = f32x4.add(united, eps);
    const iou = f32x4.div(intersection, whole);
    const wholeEnclosing = f32x4.add(enclosing, eps);
    // (C - U) / (C + eps) as 1 - (U + eps) / (C + eps): 0 where one box holds the other.
    const filled = f32x4.div(whole, wholeEnclosing);
    const value = within(
      f32x4.add(united, enclosing),
      f32x4.add(f32x4.sub(one(), iou), f32x4.sub(one(), filled)),
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
      const inverseEnclosing = f32x4.div(one(), wholeEnclosing);
      const missedX = missed(lowX, highX);
      const missedY = missed(lowY, highY);
      // Of each side what lies beside the overlap, all of it where there is none.
      const besideX = select(outsideX, w, meets);
      const besideY = select(outsideY, h, meets);
      const targetBesideX = select(missedX, targetW, meets);
      const targetBesideY = select(missedY, targetH, meets);
      const share = f32x4.mul(eps, inverseEnclosing);
      const aroundX = growth(coverY, besideY, missedX, targetW, targetBesideY, missedY, share, inverseEnclosing);
      const aroundY = growth(coverX, besideX, missedY, targetH, targetBesideX, missedX, share, inverseEnclosing);
      storeSlopes(
        dst, scale,
        v128.or(
          isHard(lowX, highX, lowY, highY, area),
          areInverted(x1, y1, x2, y2, targetX1, targetY1, targetX2, targetY2),
        ),
        lowX, highX, lowY, highY,
        f32x4.add(innerX, f32x4.mul(besideY, inverseEnclosing)),
        f32x4.sub(aroundX, f32x4.mul(h, bySize)),
        f32x4.add(innerY, f32x4.mul(besideX, inverseEnclosing)),
        f32x4.sub(aroundY, f32x4.mul(w, bySize)),
      );
    }
    return value;
  }

  exact(pair: BoxPair): f64 {
    return pair.apart() + emptyShare(pair) + innerTerm(pair);
  }
}

/**
 * Slope of (C - U) / (C + eps) by an outer low edge: (h E - ch (U + eps)) / E^2 with E = C + eps, in which w h has gone.
 */
// @ts-ignore: decorator
@inline
function growth(
  cover: v128, beside: v128, missed: v128, targetSize: v128,
  targetBeside: v128, otherMissed: v128, share: v128, inverseEnclosing: v128,
): v128 {
  const grown = f32x4.sub(f32x4.mul(beside, missed), f32x4.mul(targetSize, targetBeside));
  const first = f32x4.mul(f32x4.mul(cover, inverseEnclosing), grown);
  return f32x4.mul(f32x4.sub(first, f32x4.mul(share, otherMissed)), inverseEnclosing);
}

/** (C - U) / (C + eps). */
function emptyShare(pair: BoxPair): f64 {
  const enclosing = product(pair.cover);
  const inverse = 1 / (enclosing + pair.eps);
  const meets = pair.intersection > 0;
  const size = pair.targetSize;
  const cover = swapped(pair.cover);
  const side = whereOver0(pair.size, swapped(pair.size));
  const beside = meets ? swapped(pair.outside) : side;
  const targetBeside = swapped(meets ? pair.missed : size);
  const change = meets ? swapped(pair.change) : f64x2.sub(side, swapped(size));
  const inverses = f64x2.splat(inverse);
  const eps = f64x2.splat(pair.eps);
  const grown = f64x2.sub(f64x2.mul(beside, pair.missed), f64x2.mul(size, targetBeside));
  const outer = f64x2.sub(f64x2.mul(cover, grown), f64x2.mul(eps, f64x2.sub(cover, side)));
  // The sum of both slopes over E, in which what they have in common has gone.
  const span = f64x2.add(f64x2.sub(pair.cover, size), pair.missed);
  const mean = f64x2.add(f64x2.mul(size, change), f64x2.mul(beside, span));
  const left = meets ? change : f64x2.sub(f64x2.add(side, side), cover);
  const equal = f64x2.add(f64x2.mul(cover, mean), f64x2.mul(eps, left));
  pair.add(
    f64x2.mul(beside, inverses),
    whereOver0(pair.cover, f64x2.mul(f64x2.mul(outer, inverses), inverses)),
    whereOver0(pair.cover, f64x2.mul(f64x2.mul(equal, inverses), f64x2.splat(0.5 * inverse))),
  );
  return (enclosing - pair.union()) * inverse;
}

export function giou_loss(call: usize): void {
  boxLoss<GeneralizedIou>(call);
}
