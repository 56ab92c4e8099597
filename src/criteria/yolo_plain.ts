/**
 * The assignment of `yoloCriterion` over maps that are plain arrays, without kernels: what there is to say of the positives
 * beside the loss.
 */
import type { YoloCriterionInput, YoloCriterionOptions } from "../types.ts";
import { readGrid } from "./criterion_input.ts";
import { assignYolo, pointsOf, type YoloAssignment } from "./yolo_assign.ts";
import { rulesOf, unitsOf } from "./yolo_criterion.ts";

/** Maps of the first image. */
export interface PlainYolo extends Pick<YoloCriterionInput, "head" | "imageSize" | "gt"> {
  readonly cls: Float32Array;
  readonly dist: Float32Array;
}

export function assignPlainYolo(input: PlainYolo, options?: YoloCriterionOptions): YoloAssignment {
  const { cls, dist } = input;
  const grid = readGrid("yoloCriterion", input, ["distribution", "distances"]);
  const { bins, numClasses } = grid.head;
  const units = unitsOf(grid);
  const exactSides = (anchors: Int32Array) => {
    const sides = new Float64Array(4 * anchors.length);
    for (let i = 0; i < sides.length; i++) {
      const side = 4 * anchors[i >> 2] + (i & 3);
      sides[i] = units[side] * (bins === 0 ? dist[side] : expectationAt(dist, side * bins, bins));
    }
    return sides;
  };
  return assignYolo(grid, pointsOf(grid), grid.gt[0], {
    exactSides,
    sides: (anchors) => new Float32Array(exactSides(anchors)),
    logits: (anchors, label) => (place) => cls[anchors[place] * numClasses + label],
  }, rulesOf(options));
}

/** The mean bin of the distribution that begins there; of infinite logits, the largest share it. */
function expectationAt(logits: Float32Array, start: number, bins: number): number {
  let peak = -Infinity;
  for (let bin = 0; bin < bins; bin++) peak = Math.max(peak, logits[start + bin]);
  let sum = 0;
  let weighted = 0;
  for (let bin = 0; bin < bins; bin++) {
    const logit = logits[start + bin];
    const share = logit === peak ? 1 : Math.exp(logit - peak);
    sum += share;
    weighted += share * bin;
  }
  return weighted / sum;
}
