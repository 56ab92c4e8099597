/** Soft-NMS, in float64. */
import { boxes as someBoxes, N, tensor } from "../argument_values.ts";
import { iou } from "./box_iou.ts";

export function softNms(
  boxes: Float32Array,
  scores: ArrayLike<number>,
  { method = "gaussian", sigma = 0.5, iouThreshold = 0.3, minScore = 0.001, maxDetections = Infinity } = {},
): { indices: number[]; scores: number[] } {
  const left = new Map(Array.from(scores, (score, i) => [i, score] as const).filter(([, s]) => s >= minScore));
  const box = (i: number) => boxes.subarray(4 * i, 4 * i + 4);
  const kept = { indices: [] as number[], scores: [] as number[] };
  while (left.size > 0 && kept.indices.length < maxDetections) {
    const [best, score] = [...left].reduce((a, b) => b[1] > a[1] ? b : a);
    kept.indices.push(best);
    kept.scores.push(score);
    left.delete(best);
    for (const [i, s] of left) {
      // NaN of infinite boxes is no overlap.
      const overlap = iou(box(best), box(i)) || 0;
      const linear = overlap >= iouThreshold ? 1 - overlap : 1;
      const decayed = s * (method === "linear" ? linear : Math.exp(-overlap * overlap / sigma));
      if (decayed >= minScore) left.set(i, decayed);
      else left.delete(i);
    }
  }
  return kept;
}

export const argumentCases = [
  () => [someBoxes(1), tensor([N], 2), { method: "linear", sigma: 0.4, minScore: 0.2 }],
];
