// All pairs of two sets of rotated boxes, by one measure or the other. Four pairs at a time are first looked at from afar, in float32:
// most of them are so far apart that their value is 0 for sure.

import { storeFirst } from "../lanes";
import { polygonIou, PREPARED, prepareRotated, probIous, radiusOf, ROTATED } from "./rotated_pair";

/** Boxes of b that are held prepared in the scratch, behind one of a; their centres and reaches follow in float32. */
const TILE: i32 = 128;
const ROW: usize = <usize> TILE << 2;
const FAR: usize = <usize> (TILE + 1) * PREPARED;
/** Values of four pairs. */
const VALUES: usize = FAR + 3 * ROW;

/** Distances in reaches from which on polygons, and ProbIoU in float64, are apart; with room for the rounding of float32. */
const POLYGON_FAR: f32 = 1.000002;
const PROB_FAR: f32 = 54;

/** Bytes of scratch that the pairs of any number of boxes need. */
export function rotated_pairs_scratch(): usize {
  return VALUES + 16;
}

/** dst (countA, countB) by one of the measures. */
export function rotatedPairs(
  a: usize,
  countA: i32,
  b: usize,
  countB: i32,
  scratch: usize,
  dst: usize,
  prob: bool,
): void {
  for (let done = 0; done < countB; done += TILE) {
    const boxes = min(TILE, countB - done);
    loadTile(b + <usize> done * ROTATED, boxes, scratch);
    for (let i = 0; i < countA; i++) {
      prepareRotated(a + <usize> i * ROTATED, scratch);
      row(scratch, boxes, dst + (<usize> (i * countB + done) << 2), prob);
    }
  }
}

function loadTile(boxes: usize, count: i32, scratch: usize): void {
  for (let i = 0; i < count; i++) {
    const to = scratch + <usize> (i + 1) * PREPARED;
    prepareRotated(boxes + <usize> i * ROTATED, to);
    const far = scratch + FAR + (<usize> i << 2);
    store<f32>(far, <f32> load<f64>(to));
    store<f32>(far + ROW, <f32> load<f64>(to, 8));
    store<f32>(far + 2 * ROW, <f32> radiusOf(to));
  }
}

/** The values of the box before the tile with each box of it. */
function row(box: usize, count: i32, dst: usize, prob: bool): void {
  const x = f32x4.splat(<f32> load<f64>(box));
  const y = f32x4.splat(<f32> load<f64>(box, 8));
  const reach = f32x4.splat(<f32> radiusOf(box));
  const far = f32x4.splat(prob ? PROB_FAR : POLYGON_FAR);
  for (let i = 0; i < count; i += 4) {
    const at = box + FAR + (<usize> i << 2);
    const dx = f32x4.sub(v128.load(at), x);
    const dy = f32x4.sub(v128.load(at + ROW), y);
    const sum = f32x4.add(v128.load(at + 2 * ROW), reach);
    const distance = f32x4.add(f32x4.mul(dx, dx), f32x4.mul(dy, dy));
    const least = f32x4.add(f32x4.mul(f32x4.mul(sum, sum), far), f32x4.splat(1e-36));
    // NaN is near, to be told.
    const near = ~i32x4.bitmask(f32x4.gt(distance, least)) & 15;
    const values = near == 0 ? f32x4.splat(0) : prob ? gaussians(box, i, near) : polygons(box, i, near);
    if (count - i >= 4) v128.store(dst, values);
    else storeFirst(dst, values, count - i);
    dst += 16;
  }
}

/** The IoU of four polygons, 0 for lanes that are not near. */
function polygons(box: usize, first: i32, near: i32): v128 {
  v128.store(box + VALUES, f32x4.splat(0));
  for (; near != 0; near &= near - 1) {
    const lane = ctz(near);
    const iou = polygonIou(box, box + <usize> (first + lane + 1) * PREPARED);
    store<f32>(box + VALUES + (<usize> lane << 2), <f32> iou);
  }
  return v128.load(box + VALUES);
}

/** ProbIoU of four boxes, 0 for pairs of lanes that are not near. */
function gaussians(box: usize, first: i32, near: i32): v128 {
  const others = box + <usize> (first + 1) * PREPARED;
  const low = near & 3 ? probIous(box, others, others + PREPARED) : f64x2.splat(0);
  const high = near & 12 ? probIous(box, others + 2 * PREPARED, others + 3 * PREPARED) : f64x2.splat(0);
  return v128.shuffle<f64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}
