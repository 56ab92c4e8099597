/**
 * Fast NMS: a box goes when it overlaps any better one, kept or not.
 */

/** Indices of the kept boxes (N, 4), best first. `order` has them by score; `labels` is null where classes do not matter. */
export function fastNms(
  boxes: Float32Array,
  labels: Int32Array | null,
  order: Int32Array,
  iouThreshold: number,
  limit: number,
): Int32Array {
  const better = new Map<number, number[]>();
  const kept: number[] = [];
  for (const index of order) {
    if (kept.length === limit) break;
    const label = labels === null ? 0 : labels[index];
    const others = better.get(label) ?? [];
    if (!others.some((other) => boxIou(boxes, other, index) >= iouThreshold)) kept.push(index);
    others.push(index);
    better.set(label, others);
  }
  return Int32Array.from(kept);
}

/** In float64; 0 where the union is. */
function boxIou(boxes: Float32Array, a: number, b: number): number {
  const side = (low: number, high: number) => Math.max(high - low, 0);
  const [i, j] = [4 * a, 4 * b];
  const width = side(Math.max(boxes[i], boxes[j]), Math.min(boxes[i + 2], boxes[j + 2]));
  const height = side(Math.max(boxes[i + 1], boxes[j + 1]), Math.min(boxes[i + 3], boxes[j + 3]));
  const inside = width * height;
  const areaOf = (at: number) => side(boxes[at], boxes[at + 2]) * side(boxes[at + 1], boxes[at + 3]);
  const union = areaOf(i) + areaOf(j) - inside;
  return union === 0 ? 0 : inside / union;
}
