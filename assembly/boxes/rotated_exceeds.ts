// Whether two rotated boxes overlap by more than a threshold, in float64 where float32 leaves a doubt, and what follows for the upright
// boxes around them.
//
// Polygons. Let t be the threshold and I the area of the intersection, which must be over t (A + B) / (1 + t) for areas A and
// B. It is within both boxes around them: I is at most the overlap of these. On an axis, let the projections have lengths a and
// b and an intersection of length o. How much of a box projects to a place is a concave function of the place, so at most
// g(o / a) = 1 - (1 - o / a)² of it projects to the intersection: I ≤ g(o / a) A, I ≤ g(o / b) B, and
// 1 / IoU ≥ 1 / g(o / a) + 1 / g(o / b) - 1. With 1 / g(1 / u) = u² / (2u - 1), which is convex in u, this is the least where
// a = b, and there 1 / IoU ≥ (1 + r²) / (2r), r the IoU of the projections. So r is over t / (1 + √(1 - t²)), and the grid
// and the tree take that for their threshold of intervals.
//
// ProbIoU. It is over t where e^(-Bd) is over s = 1 - (1 - t)² = t (2 - t). Projected to an axis, normal distributions
// do not become less alike: their deviations p and q there and the distance d of their centres have
// e^(-d² / (4 (p² + q²))) √(2pq / (p² + q²)) ≥ e^(-Bd). So d² is under 4 (p² + q²) ln(1 / s), at most the square of
// 2 √ln(1 / s) (p + q); and 2pq / (p² + q²) is over s²: the shorter deviation is over s² / (1 + √(1 - s⁴)) of the longer.
// Boxes around are made of sides 4 √ln(1 / s) p: boxes that do not meet are under the threshold.

import { log4 } from "../math";
import { areaOf, HALF, polygonIou, PREPARED, prepareRotated, probIou, relativeTurn, ROTATED, TURN } from "./rotated_pair";
import * as sketch from "./rotated_sketch";

/** The overlap is ProbIoU, and not that of the polygons. */
export let byProbIou: bool = false;
let threshold: f64 = 0;
/** What share of both areas the intersection of polygons is at the threshold. */
let share: f32 = 0;
/** Half sides of boxes around: in half sides, or for ProbIoU in half deviations of a box's width and height. */
let reach: f64 = 1;
/** What ρ - 1 of a pair over the threshold is at most, ρ as in `probIous`. */
let mostUnlike: f64 = 0;

/** Boxes as they came, their sketches, and the place where those in doubt are prepared: in the same order. */
let boxes: usize = 0;
let sketches: usize = 0;
let prepared: usize = 0;

/** Within both, ProbIoU counts as 0: float64 has no smaller difference from 1. */
const LEAST_LIKENESS: f64 = 5.551115123125783e-17; // 2^-54

/** Bounds are computed in float64 and are off by less. */
const SPARE: f64 = 1 + 1e-9;

export function takeOverlap(probable: bool, least: f64): void {
  byProbIou = probable;
  threshold = least;
  share = <f32> (least / (1 + least));
  reach = 1;
  if (!probable) return;
  const likeness = likenessOf(least);
  mostUnlike = SPARE / (likeness * likeness) - 1;
  const logarithm = f32x4.extract_lane(log4(f32x4.splat(<f32> likeness)), 0);
  // 2 √ln(1 / s) deviations of √(1/3) of half sides each; the logarithm is off by less than what is added.
  reach = 2 * sqrt((1e-6 - 1.000001 * <f64> logarithm) / 3);
}

/** Sketches the boxes; there is room to prepare as many. For ProbIoU, which is computed in float64, all are prepared first. */
export function takeBoxes(given: usize, count: i32, room: usize, preparedRoom: usize): void {
  boxes = given;
  sketches = room;
  prepared = preparedRoom;
  if (!byProbIou) return sketch.sketchBoxes(given, count, room);
  for (let i: usize = 0; i < <usize> count; i++) {
    const own = preparedRoom + i * PREPARED;
    const at = room + i * sketch.SKETCH;
    prepareRotated(given + i * ROTATED, own);
    sketch.sketchBox(given + i * ROTATED, f32x4.demote_f64x2_zero(v128.load(own, TURN)), at);
    sketch.makeReady(at);
  }
}

/** The box of a sketch in float64. */
function preparedOf(at: usize): usize {
  const offset = at - sketches;
  const own = prepared + offset / sketch.SKETCH * PREPARED;
  if (!sketch.isReady(at)) {
    prepareRotated(boxes + offset / sketch.SKETCH * ROTATED, own);
    sketch.makeReady(at);
  }
  return own;
}

/** s of the ProbIoU that is the threshold. */
function likenessOf(least: f64): f64 {
  return max(least * (2 - least), LEAST_LIKENESS);
}

/** See `sideShare` of nms_block.ts. */
export function sideShareOf(least: f64): f64 {
  if (!byProbIou) return least / (1 + sqrt(1 - least * least));
  const likeness = likenessOf(least);
  const square = likeness * likeness;
  return square / (1 + sqrt(1 - square * square));
}

/** Half the width and height of the box around a sketched one, or a little more. */
export function extentOf(at: usize): v128 {
  const turn = f64x2.abs(f64x2.promote_low_f32x4(v128.load64_zero(at, sketch.TURN)));
  const half = f64x2.promote_low_f32x4(v128.load64_zero(at, sketch.HALF));
  // (w cos, h sin) and (w sin, h cos).
  const x = f64x2.mul(half, turn);
  const y = f64x2.mul(half, v128.shuffle<f64>(turn, turn, 1, 0));
  const extent = byProbIou ? f64x2.sqrt(pairSums(f64x2.mul(x, x), f64x2.mul(y, y))) : pairSums(x, y);
  const error = f64x2.mul(pairSums(half, half), f64x2.splat(sketch.TURN_ERROR));
  return f64x2.mul(f64x2.add(extent, error), f64x2.splat(reach));
}

// @ts-ignore: decorator
@inline
function pairSums(x: v128, y: v128): v128 {
  return f64x2.add(v128.shuffle<f64>(x, y, 0, 2), v128.shuffle<f64>(x, y, 1, 3));
}

/** Returns true if the overlap of two sketched boxes is over the threshold. */
export function exceeds(a: usize, b: usize): bool {
  if (byProbIou) {
    const own = preparedOf(a);
    const other = preparedOf(b);
    return alike(own, other) && probIou(own, other) > threshold;
  }
  const surplus = sketch.surplus(a, b, share);
  const doubt = sketch.doubtOf(a, b);
  // Neither is true of NaN.
  if (surplus > doubt) return true;
  if (surplus < -doubt) return false;
  return polygonIou(preparedOf(a), preparedOf(b)) > threshold;
}

/** False where the shapes alone, without the exponential, keep ProbIoU under the threshold: e^(-Bd) is at most 1 / √ρ. */
function alike(a: usize, b: usize): bool {
  const halfA = v128.load(a, HALF);
  const halfB = v128.load(b, HALF);
  const turn = relativeTurn(v128.load(a, TURN), v128.load(b, TURN));
  // (w h', w w') and (h w', h h').
  const across = f64x2.mul(halfA, v128.shuffle<f64>(halfB, halfB, 1, 0));
  const along = f64x2.mul(halfA, halfB);
  const unlike = f64x2.mul(
    f64x2.sub(v128.shuffle<f64>(across, along, 0, 2), v128.shuffle<f64>(across, along, 1, 3)),
    turn,
  );
  const squares = f64x2.mul(unlike, unlike);
  const ownA = areaOf(a) / 4;
  const ownB = areaOf(b) / 4;
  const sum = (ownA - ownB) * (ownA - ownB) + f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1);
  return sum <= mostUnlike * 4 * ownA * ownB;
}
