// deno-lint-ignore-file no-unused-vars verbatim-module-syntax -- classes are type arguments, and every loss gets the same arguments

// The inner term of box losses: IoU - IoU of both boxes scaled about their centres by a ratio r. It is added behind a loss's own
// loop, so that the loop is none the longer.
//
// The edges of the scaled boxes are d -/+ r (w - w') / 2 apart, d the distance of the centres: differences of scaled coordinates
// would lose digits that these have. What the term loses to cancellation counts where a box is thin: such pairs are done in
// float64.

import { select } from "../lanes";
import {
  costOf,
  exactChange,
  exactOffset,
  extent,
  half,
  innerSlope,
  missed,
  one,
  outside,
  overlap,
  storeCorners,
  union,
} from "./box_lanes";
import { BoxPair, product } from "./box_pair";
import { raised4 } from "./raised";

const TERM = memory.data(offsetof<InnerTerm>(), 16);
const SCALED = memory.data(offsetof<BoxPair>(), 16);

const NUMBERS = memory.data<f32>([
  4e-7, // of what two distances add up to, what is no distance
  3, // times a gradient's scale, what terms may cancel of
]);

// @ts-ignore: decorator
@unmanaged
class InnerTerm {
  ratio!: f32;
  gamma!: f32;

  // @ts-ignore: decorator
  @inline
  cost(
    gradient: bool, dst: usize, scale: v128, eps: v128,
    x1: v128, y1: v128, x2: v128, y2: v128, targetX1: v128, targetY1: v128, targetX2: v128, targetY2: v128,
  ): v128 {
    const zero = f32x4.splat(0);
    const w = extent(x1, x2);
    const h = extent(y1, y2);
    const targetW = extent(targetX1, targetX2);
    const targetH = extent(targetY1, targetY2);
    const overlapX = overlap(x1, x2, targetX1, targetX2);
    const overlapY = overlap(y1, y2, targetY1, targetY2);
    const intersection = f32x4.mul(overlapX, overlapY);
    const targetArea = f32x4.mul(targetW, targetH);
    const whole = f32x4.add(union(f32x4.mul(w, h), targetArea, intersection), eps);
    const iou = f32x4.div(intersection, whole);
    const lowX = f32x4.sub(x1, targetX1);
    const lowY = f32x4.sub(y1, targetY1);
    const highX = f32x4.sub(x2, targetX2);
    const highY = f32x4.sub(y2, targetY2);

    const ratio = f32x4.splat(this.ratio);
    const near = f32x4.splat(0.5 + 0.5 * this.ratio);
    const far = f32x4.splat(0.5 - 0.5 * this.ratio);
    const halfRatio = f32x4.splat(0.5 * this.ratio);
    const dx = f32x4.mul(exactOffset(lowX, highX, x1, x2, targetX1, targetX2), half());
    const dy = f32x4.mul(exactOffset(lowY, highY, y1, y2, targetY1, targetY2), half());
    const growthX = f32x4.mul(exactChange(lowX, highX, x1, x2, targetX1, targetX2), halfRatio);
    const growthY = f32x4.mul(exactChange(lowY, highY, y1, y2, targetY1, targetY2), halfRatio);
    const innerLowX = f32x4.sub(dx, growthX);
    const innerLowY = f32x4.sub(dy, growthY);
    const innerHighX = f32x4.add(dx, growthX);
    const innerHighY = f32x4.add(dy, growthY);
    const innerW = f32x4.mul(ratio, w);
    const innerH = f32x4.mul(ratio, h);
    const innerTargetW = f32x4.mul(ratio, targetW);
    const innerTargetH = f32x4.mul(ratio, targetH);
    const outsideX = outside(innerLowX, innerHighX);
    const outsideY = outside(innerLowY, innerHighY);
    const innerX = commonOf(innerW, outsideX, innerTargetW, missed(innerLowX, innerHighX));
    const innerY = commonOf(innerH, outsideY, innerTargetH, missed(innerLowY, innerHighY));
    const innerIntersection = f32x4.mul(innerX, innerY);
    const innerTargetArea = f32x4.mul(innerTargetW, innerTargetH);
    const innerWhole = f32x4.add(union(f32x4.mul(innerW, innerH), innerTargetArea, innerIntersection), eps);
    const innerIou = f32x4.div(innerIntersection, innerWhole);
    let value = f32x4.sub(iou, innerIou);
    const gamma = this.gamma;
    if (gamma != 0) {
      const focal = v128.and(raised4(iou, one(), gamma), f32x4.gt(iou, zero));
      value = f32x4.mul(value, focal);
      scale = f32x4.mul(scale, focal);
    }
    if (gradient) {
      const inverse = f32x4.div(one(), whole);
      const meets = f32x4.gt(intersection, zero);
      const targetWhole = f32x4.add(targetArea, eps);
      const bySize = f32x4.mul(iou, inverse);
      const slopeInX = innerSlope(overlapY, meets, targetWhole, h, outside(lowX, highX), inverse);
      const slopeInY = innerSlope(overlapX, meets, targetWhole, w, outside(lowY, highY), inverse);
      const slopeOutX = f32x4.neg(f32x4.mul(h, bySize));
      const slopeOutY = f32x4.neg(f32x4.mul(w, bySize));

      const innerInverse = f32x4.div(one(), innerWhole);
      const innerMeets = f32x4.gt(innerIntersection, zero);
      const innerTargetWhole = f32x4.add(innerTargetArea, eps);
      const innerBySize = f32x4.mul(innerIou, innerInverse);
      const innerInX = innerSlope(innerY, innerMeets, innerTargetWhole, innerH, outsideX, innerInverse);
      const innerInY = innerSlope(innerX, innerMeets, innerTargetWhole, innerW, outsideY, innerInverse);
      const innerOutX = f32x4.neg(f32x4.mul(innerH, innerBySize));
      const innerOutY = f32x4.neg(f32x4.mul(innerW, innerBySize));

      const atLowX = select(innerInX, innerOutX, f32x4.gt(innerLowX, zero));
      const atLowY = select(innerInY, innerOutY, f32x4.gt(innerLowY, zero));
      const atHighX = select(innerInX, innerOutX, f32x4.lt(innerHighX, zero));
      const atHighY = select(innerInY, innerOutY, f32x4.lt(innerHighY, zero));
      // Of the scaled edges' slopes each edge has a share of both.
      const sumX1 = f32x4.sub(f32x4.mul(near, atLowX), f32x4.mul(far, atHighX));
      const sumY1 = f32x4.sub(f32x4.mul(near, atLowY), f32x4.mul(far, atHighY));
      const sumX2 = f32x4.sub(f32x4.mul(far, atLowX), f32x4.mul(near, atHighX));
      const sumY2 = f32x4.sub(f32x4.mul(far, atLowY), f32x4.mul(near, atHighY));
      const byX1 = f32x4.sub(sumX1, select(slopeInX, slopeOutX, f32x4.gt(lowX, zero)));
      const byY1 = f32x4.sub(sumY1, select(slopeInY, slopeOutY, f32x4.gt(lowY, zero)));
      const byX2 = f32x4.add(sumX2, select(slopeInX, slopeOutX, f32x4.lt(highX, zero)));
      const byY2 = f32x4.add(sumY2, select(slopeInY, slopeOutY, f32x4.lt(highY, zero)));

      // What the slopes of the scaled boxes would be if these had all of the smaller size in common: overlaps lose as much.
      const mostX = f32x4.pmin(innerW, innerTargetW);
      const mostY = f32x4.pmin(innerH, innerTargetH);
      const most = f32x4.mul(f32x4.mul(mostX, innerInverse), f32x4.mul(mostY, innerInverse));
      const side = f32x4.pmax(f32x4.pmax(innerW, innerH), f32x4.pmax(innerTargetW, innerTargetH));
      const largest = f32x4.mul(f32x4.mul(most, side), f32x4.splat(max<f32>(this.ratio, 1)));
      const ofX = f32x4.pmax(f32x4.pmax(slopeInX, f32x4.neg(slopeOutX)), v128.and(largest, innerMeets));
      const terms = f32x4.pmax(ofX, f32x4.pmax(slopeInY, f32x4.neg(slopeOutY)));
      addTo(
        dst, scale,
        v128.or(
          isVague(dx, growthX, innerLowX, innerHighX),
          isVague(dy, growthY, innerLowY, innerHighY),
        ),
        terms, f32x4.pmax(w, h), byX1, byY1, byX2, byY2,
      );
    }
    return value;
  }
}

/** The extent in common of a scaled box and its target, by the one of which less is to be taken. */
// @ts-ignore: decorator
@inline
function commonOf(size: v128, outside: v128, targetSize: v128, missed: v128): v128 {
  const common = select(f32x4.sub(size, outside), f32x4.sub(targetSize, missed), f32x4.le(outside, missed));
  return f32x4.pmax(common, f32x4.splat(0));
}

/** Ones where rounding may hide on which side of the target's an edge lies. */
// @ts-ignore: decorator
@inline
function isVague(offset: v128, growth: v128, low: v128, high: v128): v128 {
  const least = f32x4.mul(f32x4.add(f32x4.abs(offset), f32x4.abs(growth)), v128.load32_splat(NUMBERS));
  return v128.or(f32x4.le(f32x4.abs(low), least), f32x4.le(f32x4.abs(high), least));
}

// @ts-ignore: decorator
@inline
function largestOf(a: v128, b: v128, c: v128, d: v128): v128 {
  return f32x4.pmax(f32x4.pmax(f32x4.abs(a), f32x4.abs(b)), f32x4.pmax(f32x4.abs(c), f32x4.abs(d)));
}

/** Adds gradients to those of four pairs; where little is left of the terms beside 1 / the longer side, float64 does it. */
// @ts-ignore: decorator
@inline
function addTo(
  dst: usize, scale: v128, hard: v128, terms: v128, longer: v128,
  byX1: v128, byY1: v128, byX2: v128, byY2: v128,
): void {
  const p0 = v128.load(dst);
  const p1 = v128.load(dst, 16);
  const p2 = v128.load(dst, 32);
  const p3 = v128.load(dst, 48);
  const p01 = v128.shuffle<f32>(p0, p1, 0, 4, 1, 5);
  const p23 = v128.shuffle<f32>(p2, p3, 0, 4, 1, 5);
  const q01 = v128.shuffle<f32>(p0, p1, 2, 6, 3, 7);
  const q23 = v128.shuffle<f32>(p2, p3, 2, 6, 3, 7);
  const baseX1 = v128.shuffle<f64>(p01, p23, 0, 2);
  const baseY1 = v128.shuffle<f64>(p01, p23, 1, 3);
  const baseX2 = v128.shuffle<f64>(q01, q23, 0, 2);
  const baseY2 = v128.shuffle<f64>(q01, q23, 1, 3);
  const x1 = f32x4.add(baseX1, f32x4.mul(byX1, scale));
  const y1 = f32x4.add(baseY1, f32x4.mul(byY1, scale));
  const x2 = f32x4.add(baseX2, f32x4.mul(byX2, scale));
  const y2 = f32x4.add(baseY2, f32x4.mul(byY2, scale));
  const steep = f32x4.abs(scale);
  const least = f32x4.pmax(largestOf(x1, y1, x2, y2), f32x4.div(steep, longer));
  const all = f32x4.pmax(f32x4.mul(terms, steep), largestOf(baseX1, baseY1, baseX2, baseY2));
  const cancels = f32x4.gt(all, f32x4.mul(v128.load32_splat(NUMBERS + 4), least));
  storeCorners(dst, one(), v128.or(hard, cancels), x1, y1, x2, y2);
}

/** Adds the inner term to the values of pairs, which have their weights, and to the gradients at `to`, if that is not 0. */
export function addInnerTerms(
  pred: usize, target: usize, weights: usize, values: usize, to: usize, count: i32,
  ratio: f32, gamma: f32, eps: f32, factor: f32,
): void {
  const term = changetype<InnerTerm>(TERM);
  term.ratio = ratio;
  term.gamma = gamma;
  if (to != 0) addTerms(true, pred, target, weights, values, to, count, eps, factor);
  else addTerms(false, pred, target, weights, values, to, count, eps, factor);
}

// @ts-ignore: decorator
@inline
function addTerms(
  gradient: bool, pred: usize, target: usize, weights: usize, values: usize, to: usize, count: i32,
  eps: f32, factor: f32,
): void {
  const term = changetype<InnerTerm>(TERM);
  const all = f32x4.splat(eps);
  const scale = f32x4.splat(factor);
  for (let i = 0; i < count; i += 4) {
    const weight = weights != 0 ? v128.load(weights + (<usize> i << 2)) : one();
    const at = <usize> i << 4;
    const value = costOf<InnerTerm>(term, gradient, to + at, f32x4.mul(scale, weight), all, pred + at, target + at);
    const place = values + (<usize> i << 2);
    v128.store(place, f32x4.add(v128.load(place), f32x4.mul(value, weight)));
  }
}

/** The inner term of a pair in float64, which adds its slopes; 0 where the pair's ratio is 1. */
export function innerTerm(pair: BoxPair): f64 {
  const ratio = pair.innerRatio;
  if (ratio == 1) return 0;
  const near = f64x2.splat((1 + ratio) / 2);
  const far = f64x2.splat((1 - ratio) / 2);
  const all = f64x2.splat(ratio);
  const zero = f64x2.splat(0);
  const low = f64x2.add(f64x2.mul(near, pair.low), f64x2.mul(far, pair.high));
  const high = f64x2.add(f64x2.mul(far, pair.low), f64x2.mul(near, pair.high));
  const scaled = changetype<BoxPair>(SCALED);
  scaled.clear();
  scaled.eps = pair.eps;
  scaled.low = low;
  scaled.high = high;
  scaled.size = f64x2.mul(all, pair.size);
  scaled.targetSize = f64x2.mul(all, pair.targetSize);
  scaled.change = f64x2.mul(all, pair.change);
  scaled.outside = f64x2.sub(f64x2.max(high, zero), f64x2.min(low, zero));
  scaled.missed = f64x2.sub(f64x2.max(low, zero), f64x2.min(high, zero));
  const own = f64x2.sub(scaled.size, scaled.outside);
  const other = f64x2.sub(scaled.targetSize, scaled.missed);
  scaled.overlap = f64x2.max(v128.bitselect(own, other, f64x2.le(scaled.outside, scaled.missed)), zero);
  scaled.intersection = product(scaled.overlap);
  const value = scaled.apart() - pair.apart(-1);
  const atLow = scaled.lowSlope();
  const atHigh = scaled.highSlope();
  pair.addEdges(
    f64x2.add(f64x2.mul(near, atLow), f64x2.mul(far, atHigh)),
    f64x2.add(f64x2.mul(far, atLow), f64x2.mul(near, atHigh)),
  );
  return value;
}
