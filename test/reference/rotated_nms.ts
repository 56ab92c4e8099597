/** NMS of rotated boxes over all pairs, in float64. */
import { N, seeded, tensor } from "../argument_values.ts";
import type { RotatedNmsOptions } from "../../src/types.ts";
import { ranking } from "./nms.ts";
import { pairProbIou } from "./prob_iou.ts";
import { pairIou } from "./rotated_box_iou.ts";

export function rotatedNms(
  boxes: Float32Array,
  scores: ArrayLike<number>,
  options: RotatedNmsOptions,
): number[] {
  const { iouThreshold, overlap = "polygon", suppression = "greedy", classes, scoreThreshold } = options;
  const { maxDetections = Infinity } = options;
  const box = (i: number) => boxes.subarray(5 * i, 5 * i + 5);
  const isFinite = (i: number) => box(i).every(Number.isFinite);
  const isProper = (i: number) => isFinite(i) && boxes[5 * i + 2] > 0 && boxes[5 * i + 3] > 0;
  const overlapOf = (i: number, j: number) => {
    if (!isFinite(i) || !isFinite(j)) return NaN;
    if (!isProper(i) || !isProper(j)) return 0;
    return overlap === "polygon" ? pairIou(box(i), box(j)) : pairProbIou(box(i), box(j));
  };
  const isFast = suppression === "fast";
  const rivals: number[] = [];
  const kept: number[] = [];
  for (const i of ranking(scores, scoreThreshold)) {
    if (kept.length >= maxDetections) break;
    const goes = rivals.some((j) => {
      if (classes !== undefined && classes[i] !== classes[j]) return false;
      const value = overlapOf(i, j);
      return isFast ? value >= iouThreshold : value > iouThreshold;
    });
    if (!goes) kept.push(i);
    if (!goes || isFast) rivals.push(i);
  }
  return kept;
}

const someRotated = () => ({
  data: seeded(5 * N, 1).map((share, i) => i % 5 === 4 ? 9 * share : 4 + 20 * share),
  dims: [N, 5],
});

export const argumentCases = [
  () => [someRotated(), tensor([N], 2), { iouThreshold: 0.3, scoreThreshold: 0.1, maxDetections: 7 }],
  () => [someRotated(), tensor([N], 2), {
    iouThreshold: 0.3,
    overlap: "probiou",
    suppression: "fast",
    classes: Int32Array.from({ length: N }, (_, i) => i & 1),
  }],
];
