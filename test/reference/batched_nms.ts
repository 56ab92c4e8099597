/** Greedy NMS of each class by itself, in float64. */
import { nms } from "./nms.ts";

export function batchedNms(
  boxes: Float32Array,
  scores: ArrayLike<number>,
  classes: ArrayLike<number>,
  iouThreshold: number,
): number[] {
  return nms(boxes, scores, iouThreshold, { classes });
}
