// One pair of boxes in float64, x and y in the lanes: for what float32 does not hold, which is edges that are equal, empty
// and inverted boxes, and sizes whose squares leave its range.
//
// A loss gives its slopes. An edge of the prediction lies inside the target's extent (it bounds the overlap), outside
// (it bounds the cover), or is equal to the target's, and then has the mean of both. Slopes are those of the low edge; the
// high edge's are their negatives, but for those through the centre. Zero extents have zero slope.

import { bounded, highCorner, lowCorner } from "../boxes/exact_iou";

@unmanaged
export class BoxPair {
  /** Added to denominators; over 0. */
  eps!: f64;
  /** Factor of both boxes in the inner term; 1: none. */
  innerRatio!: f64;
  /** Area of the overlap. */
  intersection!: f64;
  /** Low and high edges less the target's. */
  low!: v128;
  high!: v128;
  size!: v128;
  targetSize!: v128;
  overlap!: v128;
  /** Extent of both together. */
  cover!: v128;
  /** Between the centres. */
  offset!: v128;
  /** Size less the target's. */
  change!: v128;
  /** The prediction's extent outside the target, and the target's outside the prediction. */
  outside!: v128;
  missed!: v128;
  /** Slopes of the low edge. */
  inner!: v128;
  outer!: v128;
  equal!: v128;
  /** Slope of both edges. */
  centre!: v128;

  read(pred: usize, target: usize): void {
    const box = bounded(v128.load(pred));
    const targetBox = bounded(v128.load(target));
    const x1y1 = lowCorner(box);
    const x2y2 = highCorner(box);
    const targetX1y1 = lowCorner(targetBox);
    const targetX2y2 = highCorner(targetBox);
    const zero = f64x2.splat(0);
    const low = f64x2.sub(x1y1, targetX1y1);
    const high = f64x2.sub(x2y2, targetX2y2);
    this.low = low;
    this.high = high;
    this.size = extent(x1y1, x2y2);
    this.targetSize = extent(targetX1y1, targetX2y2);
    this.overlap = extent(f64x2.max(x1y1, targetX1y1), f64x2.min(x2y2, targetX2y2));
    this.cover = extent(f64x2.min(x1y1, targetX1y1), f64x2.max(x2y2, targetX2y2));
    const centres = f64x2.sub(f64x2.add(x1y1, x2y2), f64x2.add(targetX1y1, targetX2y2));
    this.offset = f64x2.mul(centres, f64x2.splat(0.5));
    this.change = f64x2.sub(this.size, this.targetSize);
    this.outside = f64x2.sub(f64x2.max(high, zero), f64x2.min(low, zero));
    this.missed = f64x2.sub(f64x2.max(low, zero), f64x2.min(high, zero));
    this.intersection = product(this.overlap);
    this.clear();
  }

  /** No slopes. */
  clear(): void {
    const zero = f64x2.splat(0);
    this.inner = zero;
    this.outer = zero;
    this.equal = zero;
    this.centre = zero;
  }

  /** Adds to the slopes of the low edge. */
  add(inner: v128, outer: v128, equal: v128): void {
    this.inner = f64x2.add(this.inner, inner);
    this.outer = f64x2.add(this.outer, outer);
    this.equal = f64x2.add(this.equal, equal);
  }

  // @ts-ignore: decorator
  @inline
  addBoth(inner: v128, outer: v128): void {
    this.add(inner, outer, f64x2.mul(f64x2.add(inner, outer), f64x2.splat(0.5)));
  }

  /** All slopes times the factor. */
  scaleSlopes(factor: f64): void {
    const all = f64x2.splat(factor);
    this.inner = f64x2.mul(this.inner, all);
    this.outer = f64x2.mul(this.outer, all);
    this.equal = f64x2.mul(this.equal, all);
    this.centre = f64x2.mul(this.centre, all);
  }

  /** Area of the union. */
  union(): f64 {
    return product(this.size) + (product(this.targetSize) - this.intersection);
  }

  /** 1 - IoU; its slopes times `share`. */
  apart(share: f64 = 1): f64 {
    const whole = this.union() + this.eps;
    const iou = this.intersection / whole;
    if (!(this.intersection > 0)) return 1 - iou;
    const inverse = f64x2.splat(1 / whole);
    const eps = f64x2.splat(this.eps);
    const side = swapped(this.size);
    const across = f64x2.mul(swapped(this.overlap), f64x2.splat(share / whole));
    const beside = f64x2.mul(side, this.outside);
    const inside = f64x2.add(f64x2.splat(product(this.targetSize) + this.eps), beside);
    // Half the sum of the other two, in which what they have in common has gone.
    const turned = f64x2.sub(f64x2.mul(swapped(this.targetSize), this.missed), f64x2.mul(this.overlap, swapped(this.change)));
    const even = f64x2.mul(f64x2.add(f64x2.add(beside, eps), turned), f64x2.splat(0.5));
    this.add(
      f64x2.mul(across, f64x2.mul(inside, inverse)),
      f64x2.mul(f64x2.mul(side, inverse), f64x2.splat(-iou * share)),
      f64x2.mul(across, f64x2.mul(even, inverse)),
    );
    return 1 - iou;
  }

  /** rho^2 / (c^2 + eps). */
  distance(): f64 {
    const inverse = 1 / (dot(this.cover, this.cover) + this.eps);
    const distance = dot(this.offset, this.offset) * inverse;
    this.centre = f64x2.add(this.centre, f64x2.mul(this.offset, f64x2.splat(inverse)));
    this.addBoth(f64x2.splat(0), f64x2.mul(this.cover, f64x2.splat(2 * distance * inverse)));
    return distance;
  }

  /** Sum of the squared distances of the low corners and of the high ones. */
  corners(): f64 {
    return dot(this.low, this.low) + dot(this.high, this.high);
  }

  /** Adds `factor` times the distance of each corner to its own slope. */
  addCorners(factor: f64): void {
    const all = f64x2.splat(factor);
    this.addEdges(f64x2.mul(this.low, all), f64x2.mul(this.high, all));
  }

  /** Adds slopes of the low and of the high edge that do not depend on where these lie. */
  addEdges(low: v128, high: v128): void {
    const half = f64x2.splat(0.5);
    const slope = f64x2.mul(f64x2.sub(low, high), half);
    this.add(slope, slope, slope);
    this.centre = f64x2.add(this.centre, f64x2.mul(f64x2.add(low, high), half));
  }

  /** Slopes of the low and of the high edge. */
  lowSlope(): v128 {
    return f64x2.add(this.centre, slopeOf(this.low, this.inner, this.outer, this.equal));
  }

  highSlope(): v128 {
    return f64x2.sub(this.centre, slopeOf(f64x2.neg(this.high), this.inner, this.outer, this.equal));
  }

  /** The gradient times `scale`, at most the largest number; NaN where the value is. */
  store(dst: usize, value: f64, scale: f32): void {
    const edges = v128.shuffle<f64>(finite(this.lowSlope()), finite(this.highSlope()), 0, 2);
    v128.store(dst, f32x4.mul(edges, f32x4.splat(value == value ? scale : NaN)));
  }
}

/** As float32, at most the largest number. */
// @ts-ignore: decorator
@inline
function finite(slopes: v128): v128 {
  const most = f64x2.splat(<f64> f32.MAX_VALUE);
  return f32x4.demote_f64x2_zero(f64x2.pmin(f64x2.pmax(slopes, f64x2.neg(most)), most));
}

// @ts-ignore: decorator
@inline
function slopeOf(beyond: v128, inner: v128, outer: v128, equal: v128): v128 {
  const zero = f64x2.splat(0);
  const unequal = v128.bitselect(inner, outer, f64x2.gt(beyond, zero));
  return v128.bitselect(equal, unequal, f64x2.eq(beyond, zero));
}

/** max(high - low, 0). */
// @ts-ignore: decorator
@inline
function extent(low: v128, high: v128): v128 {
  return f64x2.max(f64x2.sub(high, low), f64x2.splat(0));
}

/** y, x. */
// @ts-ignore: decorator
@inline
export function swapped(v: v128): v128 {
  return v128.shuffle<f64>(v, v, 1, 0);
}

// @ts-ignore: decorator
@inline
export function product(v: v128): f64 {
  return f64x2.extract_lane(v, 0) * f64x2.extract_lane(v, 1);
}

// @ts-ignore: decorator
@inline
export function dot(a: v128, b: v128): f64 {
  const both = f64x2.mul(a, b);
  return f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
}

/** `slope` where the extent is over 0, else 0. */
// @ts-ignore: decorator
@inline
export function whereOver0(extent: v128, slope: v128): v128 {
  return v128.and(slope, f64x2.gt(extent, f64x2.splat(0)));
}
