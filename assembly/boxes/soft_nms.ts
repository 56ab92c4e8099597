// Soft-NMS (Bodla et al. 2017): a kept box lowers the scores of the boxes it overlaps instead of removing them.

import { expF64x2 } from "../math";

const LINEAR: i32 = 0;

/**
 * Repeatedly keeps the best of the boxes left (equal scores: lower index) and multiplies every other score by 1 - IoU where
 * IoU >= iouThreshold (linear), or by exp(-IoU² / sigma) (gaussian). Ends at `limit` boxes or when the best score is under
 * `minScore`. `work` holds the scores in float64 and is consumed; a NaN score never is the best.
 */
export function soft_nms(
  boxes: usize,
  work: usize,
  count: i32,
  method: i32,
  sigma: f64,
  iouThreshold: f64,
  minScore: f64,
  limit: i32,
  keep: usize,
  keptScores: usize,
): i32 {
  let kept = 0;
  while (kept < limit) {
    const best = indexOfBest(work, count, minScore);
    if (best < 0) break;
    const score = work + (<usize> best << 3);
    store<i32>(keep + (<usize> kept << 2), best);
    store<f32>(keptScores + (<usize> kept << 2), <f32> load<f64>(score));
    kept++;
    store<f64>(score, -Infinity);
    decay(boxes, best, work, count, method, sigma, iouThreshold, minScore);
  }
  return kept;
}

function indexOfBest(work: usize, count: i32, minScore: f64): i32 {
  let best = -1;
  let top = -Infinity;
  for (let i = 0; i < count; i++) {
    const score = load<f64>(work + (<usize> i << 3));
    if (score > top && score >= minScore) {
      top = score;
      best = i;
    }
  }
  return best;
}

/** Two boxes at a time; the last of an odd number stands in both lanes. */
function decay(
  boxes: usize,
  best: i32,
  work: usize,
  count: i32,
  method: i32,
  sigma: f64,
  iouThreshold: f64,
  minScore: f64,
): void {
  const box = boxes + (<usize> best << 4);
  const x1 = widened(v128.load32_splat(box));
  const y1 = widened(v128.load32_splat(box, 4));
  const x2 = widened(v128.load32_splat(box, 8));
  const y2 = widened(v128.load32_splat(box, 12));
  const area = f64x2.mul(f64x2.sub(x2, x1), f64x2.sub(y2, y1));
  for (let i = 0; i < count; i += 2) {
    const j = min(i + 1, count - 1);
    const first = work + (<usize> i << 3);
    const second = work + (<usize> j << 3);
    const scores = f64x2(load<f64>(first), load<f64>(second));
    const left = f64x2.ge(scores, f64x2.splat(minScore));
    if (!v128.any_true(left)) continue;
    const overlap = ious(x1, y1, x2, y2, area, boxes + (<usize> i << 4), boxes + (<usize> j << 4));
    const meets = v128.and(left, f64x2.gt(overlap, f64x2.splat(0)));
    const changed = method == LINEAR ? v128.and(meets, f64x2.ge(overlap, f64x2.splat(iouThreshold))) : meets;
    if (!v128.any_true(changed)) continue;
    const factor = method == LINEAR
      ? f64x2.sub(f64x2.splat(1), overlap)
      : expF64x2(f64x2.div(f64x2.mul(f64x2.neg(overlap), overlap), f64x2.splat(sigma)));
    const decayed = v128.bitselect(f64x2.mul(scores, factor), scores, changed);
    store<f64>(first, f64x2.extract_lane(decayed, 0));
    store<f64>(second, f64x2.extract_lane(decayed, 1));
  }
}

/** IoU of a box, given by its corners and area, with each of two; not over 0 if they do not meet. */
// @ts-ignore: decorator
@inline
function ious(x1: v128, y1: v128, x2: v128, y2: v128, area: v128, first: usize, second: usize): v128 {
  const a = v128.load(first);
  const b = v128.load(second);
  const low = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const high = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const otherX1 = widened(low);
  const otherY1 = widened(v128.shuffle<f64>(low, low, 1, 1));
  const otherX2 = widened(high);
  const otherY2 = widened(v128.shuffle<f64>(high, high, 1, 1));
  // What pmin and pmax drop of a NaN is in the areas.
  const w = f64x2.sub(f64x2.pmin(x2, otherX2), f64x2.pmax(x1, otherX1));
  const h = f64x2.sub(f64x2.pmin(y2, otherY2), f64x2.pmax(y1, otherY1));
  const zero = f64x2.splat(0);
  const overlap = f64x2.mul(f64x2.pmax(w, zero), f64x2.pmax(h, zero));
  const otherArea = f64x2.mul(f64x2.sub(otherX2, otherX1), f64x2.sub(otherY2, otherY1));
  return f64x2.div(overlap, f64x2.sub(f64x2.add(area, otherArea), overlap));
}

// @ts-ignore: decorator
@inline
function widened(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}
