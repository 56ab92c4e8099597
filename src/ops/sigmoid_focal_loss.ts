/** Focal loss. */
import { doc } from "../doc.ts";
import { bound } from "../operation.ts";
import { atLeastZero, numberParam } from "../params.ts";
import { elementLoss } from "./element_loss.ts";

export const sigmoidFocalLoss = elementLoss({
  stem: "sigmoid_focal_loss",
  summary: doc`focal loss, with gradient`,
  alias: "focal",
  labels: true,
  params: {
    alpha: numberParam(doc`weight of positives; a negative value turns class weighting off`, 0.25, {
      min: -Number.MAX_VALUE,
      max: 1,
    }),
    gamma: atLeastZero(doc`exponent of 1 − p_t`, 2),
  },
  exponent: "gamma",
  fields: {
    lowWeight: ["f32", doc`The lesser of the class weights of targets 0 and 1.`],
    lowTarget: ["f32", doc`Its target.`],
    weightSlope: ["f32", doc`Class weight of target 0 less that of target 1.`],
  },
  // The class weight is linear in the target: lowWeight + weightSlope · (lowTarget − target). From its lesser end nothing cancels.
  block({ alpha }) {
    const weighted = alpha >= 0;
    return {
      lowWeight: weighted ? Math.min(alpha, 1 - alpha) : 1,
      lowTarget: alpha < 0.5 ? 1 : 0,
      weightSlope: weighted ? 1 - 2 * alpha : 0,
    };
  },
  bounds: { value: bound(1e-6), power: bound(4e-7), difference: bound(3e-7) },
  errorBound:
    doc`relative, ≤ {value} of the value and of the gradient's larger term. For γ other than 0, 1, 1.5 and 2 it is ≤ {power}·(1 + γ) where that is more, because the power multiplies the rounding of its base. Soft targets add the error of two differences, ≤ {difference}: of 1 − 2y, and of σ − y relative to the smaller of σ and 1 − σ`,
  source: doc`Lin et al. 2017 (Focal Loss), equation 5`,
});
