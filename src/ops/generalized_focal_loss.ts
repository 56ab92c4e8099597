/** Generalized focal loss. */
import { doc } from "../doc.ts";
import { bound, nameOf } from "../operation.ts";
import { atLeastZero, numberParam } from "../params.ts";
import { rangeError } from "../validate.ts";
import { elementLoss } from "./element_loss.ts";

const stem = "generalized_focal_loss";

export const generalizedFocalLoss = elementLoss({
  stem,
  summary: doc`generalized focal loss, with gradient`,
  alias: "gfl",
  labels: false,
  params: {
    yLeft: numberParam(doc`value at σ = 0, rounded to float32 like the targets`, 0),
    yRight: numberParam(doc`value at σ = 1, over \`yLeft\`, rounded to float32 like the targets`, 1),
    beta: atLeastZero(doc`exponent of |y − ŷ|`, 2),
  },
  exponent: "beta",
  fields: {
    yLeft: ["f32", doc`Value at sigmoid 0.`],
    yRight: ["f32", doc`Value at sigmoid 1.`],
    inverseRange: ["f32", doc`1 / (yRight - yLeft).`],
    rangePower: ["f32", doc`(yRight - yLeft)^(beta + 1).`],
  },
  block({ yLeft, yRight, beta }) {
    // As targets are, so that a target of 0.3 is yLeft 0.3.
    const [left, right] = [Math.fround(yLeft), Math.fround(yRight)];
    const range = right - left;
    if (!(range > 0 && range < Infinity)) {
      const place = { op: nameOf(stem), argument: "options.yRight" };
      throw rangeError(place, yRight, `a finite number over yLeft, ${yLeft}`);
    }
    return { yLeft: left, yRight: right, inverseRange: 1 / range, rangePower: range ** (beta + 1) };
  },
  targetRange: ["yLeft", "yRight"],
  tensors:
    doc`pred (N, C) or any shape, logits; target of the same shape, y_l ≤ y ≤ y_r, in the unit of y_l and y_r. Loss: pred's shape`,
  throws: [doc`RangeError if yLeft is not under yRight`],
  bounds: { value: bound(1e-6), power: bound(4e-7), difference: bound(2e-7) },
  errorBound:
    doc`relative, ≤ {value} for value and gradient. For β other than 0, 1, 1.5 and 2 it is ≤ {power}·(1 + β) where that is more. The cancellation in |y − ŷ| adds an error of ≤ {difference} of y_r − y_l (none where y is y_l or y_r). Values count as 0 before they are multiplied by (y_r − y_l)^(β + 1)`,
  source: doc`Li et al. 2020 (Generalized Focal Loss), equation 7`,
});
