/** NMS of rotated boxes over all pairs, in float64. */
import { N, seeded, tensor } from "../argument_values.ts";
import type { RotatedNmsOptions } from "../../src/types.ts";
import { ranking } from "./nms.ts";
import { pairProbIou } from "./prob_iou.ts";
import { pairIou } from "./rotated_box_iou.ts";

/** The overlap of box i with box j. */
export type Overlaps = (i: number, j: number) => number;

/** Of the boxes; a pair is measured when it is first asked for. */
export function overlapsOf(boxes: Float32Array, overlap: RotatedNmsOptions["overlap"] = "polygon"): Overlaps {
  const count = boxes.length / 5;
  const rows = Array.from({ length: count }, (_, i) => boxes.subarray(5 * i, 5 * i + 5));
  const finite = rows.map((box) => box.every(Number.isFinite));
  const proper = rows.map((box, i) => finite[i] && box[2] > 0 && box[3] > 0);
  const pairOf = overlap === "polygon" ? pairIou : pairProbIou;
  const known = new Float64Array(count * count).fill(-1);
  return (i, j) => {
    if (!finite[i] || !finite[j]) return NaN;
    if (!proper[i] || !proper[j]) return 0;
    const at = i * count + j;
    if (known[at] < 0) known[at] = pairOf(rows[i], rows[j]);
    return known[at];
  };
}

export function rotatedNms(
  boxes: Float32Array,
  scores: ArrayLike<number>,
  options: RotatedNmsOptions,
  overlapOf = overlapsOf(boxes, options.overlap),
): number[] {
  const { iouThreshold, suppression = "greedy", classes, scoreThreshold, maxDetections = Infinity } = options;
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
