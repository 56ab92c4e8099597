// Soft-NMS (Bodla et al. 2017): a kept box lowers the scores of the boxes it overlaps instead of removing them.

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
  for (let i = 0; i < count; i++) {
    const at = work + (<usize> i << 3);
    const score = load<f64>(at);
    if (!(score >= minScore)) continue;
    const overlap = iou(box, boxes + (<usize> i << 4));
    if (!(overlap > 0)) continue;
    if (method == LINEAR) {
      if (overlap >= iouThreshold) store<f64>(at, score * (1 - overlap));
    } else {
      store<f64>(at, score * Math.exp(-overlap * overlap / sigma));
    }
  }
}

// @ts-ignore: decorator
@inline
function iou(a: usize, b: usize): f64 {
  const ax1 = <f64> load<f32>(a);
  const ay1 = <f64> load<f32>(a, 4);
  const ax2 = <f64> load<f32>(a, 8);
  const ay2 = <f64> load<f32>(a, 12);
  const bx1 = <f64> load<f32>(b);
  const by1 = <f64> load<f32>(b, 4);
  const bx2 = <f64> load<f32>(b, 8);
  const by2 = <f64> load<f32>(b, 12);
  const w = min(ax2, bx2) - max(ax1, bx1);
  const h = min(ay2, by2) - max(ay1, by1);
  if (!(w > 0 && h > 0)) return 0;
  const overlap = w * h;
  return overlap / ((ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - overlap);
}
