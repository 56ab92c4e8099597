/** Greedy NMS over all pairs, in float64. */
import { boxes as someBoxes, N, tensor } from "../argument_values.ts";
import type { NmsOptions } from "../../src/types.ts";
import { iou } from "./box_iou.ts";

/** Indices of the scores over the threshold that are not NaN, best first, equal ones by index. */
export function ranking(scores: ArrayLike<number>, threshold = -Infinity): number[] {
  return Array.from(scores, (_, i) => i)
    .filter((i) => scores[i] > threshold || (threshold === -Infinity && scores[i] === -Infinity))
    .sort((i, j) => scores[j] - scores[i] || i - j);
}

export function nms(boxes: Float32Array, scores: ArrayLike<number>, options: NmsOptions): number[] {
  return suppress(boxes, scores, options);
}

/** NMS of each class by itself where there are classes. */
export function suppress(
  boxes: Float32Array,
  scores: ArrayLike<number>,
  { iouThreshold, scoreThreshold, maxDetections = Infinity }: NmsOptions,
  classes?: ArrayLike<number>,
): number[] {
  const box = (i: number) => boxes.subarray(4 * i, 4 * i + 4);
  const kept: number[] = [];
  for (const i of ranking(scores, scoreThreshold)) {
    if (kept.length >= maxDetections) break;
    const rivals = classes === undefined ? kept : kept.filter((j) => classes[j] === classes[i]);
    if (!rivals.some((j) => iou(box(i), box(j)) > iouThreshold)) kept.push(i);
  }
  return kept;
}

export const argumentCases = [
  () => [someBoxes(1), tensor([N], 2), { iouThreshold: 0.3, scoreThreshold: 0.1, maxDetections: 7 }],
];
