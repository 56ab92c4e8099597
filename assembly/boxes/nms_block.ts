// Four boxes to a block, their corners apart, so that one vector instruction compares a candidate with all of them. The
// comparison in float32 decides what is clear by a margin; the rest is decided in float64, so no decision depends on the
// rounding of float32, on its range or on fused arithmetic.
//
// Rotated boxes stand here as the upright boxes around them. What these exclude is excluded; all else is decided between the
// boxes themselves, of which there are sketches (rotated_exceeds.ts).

import { byProbIou, exceeds, sideShareOf } from "./rotated_exceeds";
import { areaOf, SKETCH } from "./rotated_sketch";

// Offsets within a block, of four boxes each.
export const Y1: usize = 16;
export const X2: usize = 32;
export const Y2: usize = 48;
export const AREA: usize = 64;
export const CLASS: usize = 80;
/** Sketches, of rotated ones. */
const SKETCHES: usize = 96;
/** What grid and tree add begins here. */
export const BLOCK_END: usize = 112;

// Of sides between these, and of their products with thresholds from here on, float32 holds all digits.
const MIN_SIDE: f32 = 8.9e-16; // 2^-50
const MAX_SIDE: f32 = 1.1e15; // 2^50
const MIN_THRESHOLD: f64 = 0.0009; // about 2^-10

/** By how much boxes around rotated ones may be too wide, as a share of their largest coordinate. */
const HULL_ROUNDING: f64 = 7e-6;

let threshold: f64 = 0;
/** Boxes around rotated ones, and sketches of these, in the same order; 0 where the boxes are upright themselves. */
let hulls: usize = 0;
let sketches: usize = 0;
/** Of two boxes that may be over the threshold: on each axis, one side is longer than this share of the other. */
export let sideShare: f64 = 0;
/** Of the same: on each axis, their centres are nearer than this share of the sum of their sides. */
export let nearness: f64 = 0;
/** What sides of boxes around rotated ones may have gained by rounding. */
let slack: f64 = 0;
/** Float32 is off by less than 1e-6; only what lies between these two needs float64. NaN where float32 decides nothing. */
export let sieve: f32 = 0;
export let certain: f32 = 0;
/** Float32 holds all digits of the sides. */
export let regular: bool = false;
export let maxWidth: f32 = 0;
export let maxHeight: f32 = 0;
/** Geometric means, about. */
export let typicalWidth: f32 = 0;
export let typicalHeight: f32 = 0;

/** Finite corners, and some width and height. */
// @ts-ignore: decorator
@inline
export function isProper(box: usize): bool {
  const corners = v128.load(box);
  const finite = v128.all_true<i32>(f32x4.le(f32x4.abs(corners), f32x4.splat(f32.MAX_VALUE)));
  return finite && load<f32>(box, 8) > load<f32>(box) && load<f32>(box, 12) > load<f32>(box, 4);
}

// @ts-ignore: decorator
@inline
export function centre(low: usize): f32 {
  return load<f32>(low) * 0.5 + load<f32>(low, 8) * 0.5;
}

// @ts-ignore: decorator
@inline
export function side(low: usize): f32 {
  return load<f32>(low, 8) - load<f32>(low);
}

/** A box whose overlap with one of that side is over the threshold has a longer side than this. */
export function minSide(side: f32): f32 {
  const least = <f32> (sideShare * 0.99999 * (<f64> min(side, f32.MAX_VALUE) - slack));
  // Denormals are rounded too coarsely.
  return least > 1e-30 ? least : 0;
}

/** The area of a box; of a rotated one its own, and not that of the box around it. */
// @ts-ignore: decorator
@inline
export function areaIn(box: usize): f32 {
  return sketches != 0 ? areaOf(sketchOf(box)) : side(box) * side(box + 4);
}

// @ts-ignore: decorator
@inline
function sketchOf(box: usize): usize {
  return sketches + (box - hulls) / 16 * SKETCH;
}

/** Boxes are upright themselves. */
export function takeUpright(): void {
  sketches = 0;
}

/** Boxes are those around sketched ones, in the same order. */
export function takeRotated(around: usize, inside: usize): void {
  hulls = around;
  sketches = inside;
}

/** Looks through the boxes for what float32 can decide about them, and for how large they are. */
export function survey(boxes: usize, order: usize, count: i32, overlapThreshold: f64): void {
  let least = f32x4.splat(Infinity);
  let most = f32x4.splat(0);
  let furthest = f32x4.splat(0);
  let sums = i64x2.splat(0);
  let proper = 0;
  for (let i = 0; i < count; i++) {
    const box = boxes + (<usize> load<i32>(order + (<usize> i << 2)) << 4);
    if (!isProper(box)) continue;
    const low = v128.load(box);
    const sides = f32x4.sub(v128.shuffle<f32>(low, low, 2, 3, 2, 3), v128.shuffle<f32>(low, low, 0, 1, 0, 1));
    least = f32x4.pmin(least, sides);
    most = f32x4.pmax(most, sides);
    furthest = f32x4.pmax(furthest, f32x4.abs(low));
    // The bits of a number, as an integer, are about its logarithm.
    sums = i64x2.add(sums, i64x2.extend_low_i32x4_u(sides));
    proper++;
  }
  maxWidth = f32x4.extract_lane(most, 0);
  maxHeight = f32x4.extract_lane(most, 1);
  typicalWidth = proper > 0 ? reinterpret<f32>(<i32> (i64x2.extract_lane(sums, 0) / proper)) : 1;
  typicalHeight = proper > 0 ? reinterpret<f32>(<i32> (i64x2.extract_lane(sums, 1) / proper)) : 1;
  const smallest = min(f32x4.extract_lane(least, 0), f32x4.extract_lane(least, 1));
  regular = smallest >= MIN_SIDE && max(maxWidth, maxHeight) <= MAX_SIDE;
  threshold = overlapThreshold;
  const rotated = sketches != 0;
  sideShare = rotated ? sideShareOf(threshold) : threshold;
  nearness = rotated && byProbIou ? 0.5 : 0.5 * (1 - sideShare) / (1 + sideShare);
  const extent = max(
    max(f32x4.extract_lane(furthest, 0), f32x4.extract_lane(furthest, 1)),
    max(f32x4.extract_lane(furthest, 2), f32x4.extract_lane(furthest, 3)),
  );
  slack = rotated ? HULL_ROUNDING * <f64> extent : 0;
  const trusted = regular && threshold >= MIN_THRESHOLD && !(rotated && byProbIou);
  sieve = trusted ? <f32> (threshold * 0.99999) : NaN;
  certain = trusted && !rotated ? <f32> (threshold * 1.00001) : NaN;
}

/** A block of four boxes that overlap nothing. */
// @ts-ignore: decorator
@inline
export function clearBlock(block: usize): void {
  v128.store(block, f32x4.splat(Infinity));
  v128.store(block, f32x4.splat(Infinity), Y1);
  v128.store(block, f32x4.splat(-Infinity), X2);
  v128.store(block, f32x4.splat(-Infinity), Y2);
  v128.store(block, f32x4.splat(0), AREA);
}

// @ts-ignore: decorator
@inline
export function putBox(block: usize, lane: i32, box: usize, label: i32): void {
  const at = block + (<usize> lane << 2);
  store<f32>(at, load<f32>(box));
  store<f32>(at, load<f32>(box, 4), Y1);
  store<f32>(at, load<f32>(box, 8), X2);
  store<f32>(at, load<f32>(box, 12), Y2);
  store<f32>(at, areaIn(box), AREA);
  store<i32>(at, label, CLASS);
  if (sketches != 0) store<usize>(at, sketchOf(box), SKETCHES);
}

/**
 * Returns true if the IoU of the box with one of the block's, of its class, is over the threshold. The vectors hold the box's corners, area
 * and class and what `sieve` and `certain` say. Neither has NaN corners, so that pmin and pmax are enough: one instruction
 * each.
 */
// @ts-ignore: decorator
@inline
export function blockSuppresses(
  block: usize,
  box: usize,
  x1: v128,
  y1: v128,
  x2: v128,
  y2: v128,
  area: v128,
  label: v128,
  low: v128,
  high: v128,
): bool {
  const w = f32x4.sub(f32x4.pmin(x2, v128.load(block, X2)), f32x4.pmax(x1, v128.load(block)));
  const h = f32x4.sub(f32x4.pmin(y2, v128.load(block, Y2)), f32x4.pmax(y1, v128.load(block, Y1)));
  const overlap = f32x4.mul(w, h);
  const union = f32x4.sub(f32x4.add(area, v128.load(block, AREA)), overlap);
  const apart = v128.or(f32x4.le(f32x4.pmin(w, h), f32x4.splat(0)), f32x4.le(overlap, f32x4.mul(low, union)));
  const rivals = v128.andnot(i32x4.eq(v128.load(block, CLASS), label), apart);
  if (!v128.any_true(rivals)) return false;
  if (v128.any_true(v128.and(rivals, f32x4.gt(overlap, f32x4.mul(high, union))))) return true;
  return anyExceeds(box, block, i32x4.bitmask(rivals));
}

/** Returns true if the overlap of the box with one of the marked boxes of the block is over the threshold, in float64. */
function anyExceeds(box: usize, block: usize, marked: i32): bool {
  if (sketches != 0) return anyRotatedExceeds(sketchOf(box), block + SKETCHES, marked);
  const bx1 = <f64> load<f32>(box);
  const by1 = <f64> load<f32>(box, 4);
  const bx2 = <f64> load<f32>(box, 8);
  const by2 = <f64> load<f32>(box, 12);
  for (; marked != 0; marked &= marked - 1) {
    const at = block + (<usize> ctz(marked) << 2);
    const x1 = <f64> load<f32>(at);
    const y1 = <f64> load<f32>(at, Y1);
    const x2 = <f64> load<f32>(at, X2);
    const y2 = <f64> load<f32>(at, Y2);
    const overlap = (min(x2, bx2) - max(x1, bx1)) * (min(y2, by2) - max(y1, by1));
    const union = (x2 - x1) * (y2 - y1) + (bx2 - bx1) * (by2 - by1) - overlap;
    if (overlap / union > threshold) return true;
  }
  return false;
}

/** The same of sketches, whose pointers stand at `others`. */
function anyRotatedExceeds(box: usize, others: usize, marked: i32): bool {
  for (; marked != 0; marked &= marked - 1) {
    if (exceeds(box, load<usize>(others + (<usize> ctz(marked) << 2)))) return true;
  }
  return false;
}
