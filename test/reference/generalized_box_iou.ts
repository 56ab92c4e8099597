/** Generalized IoU of every pair, in float64. */
import { generalizedIou, pairs } from "./box_iou.ts";

export function generalizedBoxIou(a: Float32Array, b: Float32Array): number[] {
  return pairs(a, b, generalizedIou);
}

export { inputs, unit } from "./box_iou.ts";
