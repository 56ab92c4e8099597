// Pairwise IoU and generalized IoU of two sets of boxes. An empty or inverted box has area 0; two of those have IoU 0.
// Pairs whose areas leave float32 are done again in float64.

import { storeFirst } from "../lanes";
import { bounded, exactGeneralizedIou, exactIou } from "./exact_iou";

/** Boxes of b that are held with their corners apart. */
const TILE: i32 = 256;
const CORNERS = memory.data(<i32> (4 * TILE * 4), 16);
const ROW: usize = <usize> TILE << 2;
/** Where areas lie that have all digits of a float32. */
const MIN_AREA: f32 = 1e-30;
const MAX_AREA: f32 = 1e38;
const IOUS = memory.data(16, 16);

/** dst (countA, countB) = |a ∩ b| / |a ∪ b|. */
export function box_iou(a: usize, countA: i32, b: usize, countB: i32, dst: usize): void {
  pairwise<f32>(a, countA, b, countB, dst, false);
}

/** dst (countA, countB) = IoU - (enclosing area - union) / enclosing area. */
export function generalized_box_iou(a: usize, countA: i32, b: usize, countB: i32, dst: usize): void {
  pairwise<f32>(a, countA, b, countB, dst, true);
}

// @ts-ignore: decorator
@inline
function pairwise<T>(a: usize, countA: i32, b: usize, countB: i32, dst: usize, generalized: bool): void {
  for (let done = 0; done < countB; done += TILE) {
    const boxes = min(TILE, countB - done);
    loadCorners(b + (<usize> done << 4), boxes);
    for (let i = 0; i < countA; i++) {
      const box = v128.load(a + (<usize> i << 4));
      let to = dst + (<usize> (i * countB + done) << 2);
      let left = boxes;
      let at = CORNERS;
      for (; left >= 4; left -= 4) {
        v128.store(to, generalized ? generalizedIou(box, at) : iou(box, at));
        at += 16;
        to += 16;
      }
      if (left > 0) storeFirst(to, generalized ? generalizedIou(box, at) : iou(box, at), left);
    }
  }
}

/** Corner rows x1, y1, x2, y2 of up to TILE boxes. */
function loadCorners(boxes: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    const to = CORNERS + (<usize> i << 2);
    store<f32>(to, load<f32>(boxes));
    store<f32>(to + ROW, load<f32>(boxes, 4));
    store<f32>(to + 2 * ROW, load<f32>(boxes, 8));
    store<f32>(to + 3 * ROW, load<f32>(boxes, 12));
    boxes += 16;
  }
}

// @ts-ignore: decorator
@inline
function extent(low: v128, high: v128): v128 {
  return f32x4.max(f32x4.sub(high, low), f32x4.splat(0));
}

// @ts-ignore: decorator
@inline
function ratio(part: v128, whole: v128): v128 {
  const zero = f32x4.splat(0);
  return v128.andnot(f32x4.div(part, whole), f32x4.eq(whole, zero));
}

// @ts-ignore: decorator
@inline
function iou(box: v128, at: usize): v128 {
  const x1 = v128.shuffle<f32>(box, box, 0, 0, 0, 0);
  const y1 = v128.shuffle<f32>(box, box, 1, 1, 1, 1);
  const x2 = v128.shuffle<f32>(box, box, 2, 2, 2, 2);
  const y2 = v128.shuffle<f32>(box, box, 3, 3, 3, 3);
  const bx1 = v128.load(at);
  const by1 = v128.load(at + ROW);
  const bx2 = v128.load(at + 2 * ROW);
  const by2 = v128.load(at + 3 * ROW);
  const intersection = overlap(x1, y1, x2, y2, bx1, by1, bx2, by2);
  const whole = union(x1, y1, x2, y2, bx1, by1, bx2, by2, intersection);
  return checked(ratio(intersection, whole), whole, whole, box, at, false);
}

// @ts-ignore: decorator
@inline
function generalizedIou(box: v128, at: usize): v128 {
  const x1 = v128.shuffle<f32>(box, box, 0, 0, 0, 0);
  const y1 = v128.shuffle<f32>(box, box, 1, 1, 1, 1);
  const x2 = v128.shuffle<f32>(box, box, 2, 2, 2, 2);
  const y2 = v128.shuffle<f32>(box, box, 3, 3, 3, 3);
  const bx1 = v128.load(at);
  const by1 = v128.load(at + ROW);
  const bx2 = v128.load(at + 2 * ROW);
  const by2 = v128.load(at + 3 * ROW);
  const intersection = overlap(x1, y1, x2, y2, bx1, by1, bx2, by2);
  const whole = union(x1, y1, x2, y2, bx1, by1, bx2, by2, intersection);
  const enclosing = f32x4.mul(
    extent(f32x4.min(x1, bx1), f32x4.max(x2, bx2)),
    extent(f32x4.min(y1, by1), f32x4.max(y2, by2)),
  );
  const rest = f32x4.max(f32x4.sub(enclosing, whole), f32x4.splat(0));
  const ious = f32x4.sub(ratio(intersection, whole), ratio(rest, enclosing));
  return checked(ious, whole, enclosing, box, at, true);
}

/** The four values, unless the smallest or largest of their areas leave the range. */
// @ts-ignore: decorator
@inline
function checked(ious: v128, smallest: v128, largest: v128, box: v128, at: usize, generalized: bool): v128 {
  const fits = v128.and(f32x4.ge(smallest, f32x4.splat(MIN_AREA)), f32x4.le(largest, f32x4.splat(MAX_AREA)));
  return v128.all_true<i32>(fits) ? ious : exactly(ious, fits, box, at, generalized);
}

/** The four values, in float64 where they do not fit. */
function exactly(ious: v128, fits: v128, box: v128, at: usize, generalized: bool): v128 {
  const a = bounded(box);
  for (let i: usize = 0; i < 16; i += 4) {
    const other = at + i;
    const b = bounded(f32x4(load<f32>(other), load<f32>(other + ROW), load<f32>(other + 2 * ROW), load<f32>(other + 3 * ROW)));
    const iou = generalized ? exactGeneralizedIou(a, b) : exactIou(a, b);
    store<f32>(IOUS + i, <f32> iou);
  }
  return v128.bitselect(ious, v128.load(IOUS), fits);
}

// @ts-ignore: decorator
@inline
function overlap(
  x1: v128,
  y1: v128,
  x2: v128,
  y2: v128,
  bx1: v128,
  by1: v128,
  bx2: v128,
  by2: v128,
): v128 {
  return f32x4.mul(
    extent(f32x4.max(x1, bx1), f32x4.min(x2, bx2)),
    extent(f32x4.max(y1, by1), f32x4.min(y2, by2)),
  );
}

// @ts-ignore: decorator
@inline
function union(
  x1: v128,
  y1: v128,
  x2: v128,
  y2: v128,
  bx1: v128,
  by1: v128,
  bx2: v128,
  by2: v128,
  intersection: v128,
): v128 {
  const area = f32x4.mul(extent(x1, x2), extent(y1, y2));
  const other = f32x4.mul(extent(bx1, bx2), extent(by1, by2));
  // At least the overlap, whatever is rounded: no IoU is over 1.
  return f32x4.add(area, f32x4.sub(other, intersection));
}
