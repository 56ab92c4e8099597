/** Greedy NMS over all pairs, in float64. */
import { iou } from "./box_iou.ts";

/** Indices of the scores over the threshold that are not NaN, best first, equal ones by index. */
export function ranking(scores: ArrayLike<number>, threshold = -Infinity): number[] {
  return Array.from(scores, (_, i) => i)
    .filter((i) => scores[i] > threshold || (threshold === -Infinity && scores[i] === -Infinity))
    .sort((i, j) => scores[j] - scores[i] || i - j);
}

export function nms(
  boxes: Float32Array,
  scores: ArrayLike<number>,
  iouThreshold: number,
  { classes, scoreThreshold, limit = Infinity }: {
    classes?: ArrayLike<number>;
    scoreThreshold?: number;
    limit?: number;
  } = {},
): number[] {
  const box = (i: number) => boxes.subarray(4 * i, 4 * i + 4);
  const kept: number[] = [];
  for (const i of ranking(scores, scoreThreshold)) {
    if (kept.length >= limit) break;
    const rivals = classes === undefined ? kept : kept.filter((j) => classes[j] === classes[i]);
    if (!rivals.some((j) => iou(box(i), box(j)) > iouThreshold)) kept.push(i);
  }
  return kept;
}
