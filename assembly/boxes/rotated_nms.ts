// Non-maximum suppression of rotated boxes: that of the upright boxes around them (nms.ts), in which the boxes themselves decide
// (rotated_exceeds.ts).

import { nms_scratch, suppress } from "./nms";
import { takeRotated } from "./nms_block";
import { extentOf, takeBoxes, takeOverlap } from "./rotated_exceeds";
import { PREPARED, ROTATED } from "./rotated_pair";
import { CENTRE, SKETCH } from "./rotated_sketch";

/** Of a box around another. */
const HULL: usize = 16;

/** Bytes of scratch that `rotated_nms` needs for that many boxes. */
export function rotated_nms_scratch(count: i32): usize {
  return <usize> count * (HULL + SKETCH + PREPARED) + nms_scratch(count);
}

/**
 * As `nms`, for boxes of five numbers. Boxes without a finite place, a finite angle and sides over 0 neither go nor suppress.
 */
export function rotated_nms(
  boxes: usize,
  classes: usize,
  order: usize,
  count: i32,
  allBoxes: i32,
  threshold: f64,
  probable: bool,
  limit: i32,
  scratch: usize,
  keep: usize,
  fast: bool,
): i32 {
  const hulls = scratch;
  const sketches = hulls + <usize> allBoxes * HULL;
  const prepared = sketches + <usize> allBoxes * SKETCH;
  takeOverlap(probable, threshold);
  takeBoxes(boxes, allBoxes, sketches, prepared);
  takeRotated(hulls, sketches);
  for (let i: usize = 0; i < <usize> allBoxes; i++) {
    const around = isProper(boxes + i * ROTATED) ? hullOf(sketches + i * SKETCH) : f32x4.splat(NaN);
    v128.store(hulls + i * HULL, around);
  }
  return suppress(hulls, classes, order, count, threshold, limit, prepared + <usize> allBoxes * PREPARED, keep, fast);
}

function isProper(box: usize): bool {
  const most = f32x4.splat(f32.MAX_VALUE);
  const finite = v128.and(
    f32x4.le(f32x4.abs(v128.load(box)), most),
    f32x4.le(f32x4.abs(v128.load32_splat(box, 16)), most),
  );
  return v128.all_true<i32>(finite) && load<f32>(box, 8) > 0 && load<f32>(box, 12) > 0;
}

/** The corners of the box around a sketched one, rounded outwards. */
function hullOf(sketch: usize): v128 {
  const centre = f64x2.promote_low_f32x4(v128.load64_zero(sketch, CENTRE));
  const extent = extentOf(sketch);
  const low = f32x4.demote_f64x2_zero(f64x2.sub(centre, extent));
  const high = f32x4.demote_f64x2_zero(f64x2.add(centre, extent));
  const corners = v128.shuffle<f32>(low, high, 0, 1, 4, 5);
  // More than a unit in the last place, also of denormals.
  const margin = f32x4.add(f32x4.mul(f32x4.abs(corners), f32x4.splat(1.2e-7)), f32x4.splat(1e-45));
  const outwards = v128.xor(margin, i32x4(0x80000000, 0x80000000, 0, 0));
  const most = f32x4.splat(f32.MAX_VALUE);
  return f32x4.pmin(f32x4.pmax(f32x4.add(corners, outwards), f32x4.neg(most)), most);
}
