/** Greedy NMS of each class by itself, in float64. */
import { boxes as someBoxes, N, tensor } from "../argument_values.ts";
import type { NmsOptions } from "../../src/types.ts";
import { suppress } from "./nms.ts";

export function batchedNms(
  boxes: Float32Array,
  scores: ArrayLike<number>,
  classes: ArrayLike<number>,
  options: NmsOptions,
): number[] {
  return suppress(boxes, scores, options, classes);
}

export const argumentCases = [
  () => [someBoxes(1), tensor([N], 2), Int32Array.from({ length: N }, (_, i) => i & 1), { iouThreshold: 0.3 }],
];
