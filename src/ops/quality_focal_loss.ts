/** Quality focal loss. */
import { doc } from "../doc.ts";
import { bound } from "../operation.ts";
import { atLeastZero } from "../params.ts";
import { elementLoss } from "./element_loss.ts";

export const qualityFocalLoss = elementLoss({
  stem: "quality_focal_loss",
  summary: doc`quality focal loss, with gradient`,
  alias: "qfl",
  labels: true,
  params: { beta: atLeastZero(doc`exponent of |y − σ|`, 2) },
  exponent: "beta",
  tensors:
    doc`pred (N, C) or any shape, logits; target: qualities of the same shape in [0, 1], or labels (N) with scores for pred (N, C). Loss: pred's shape, or (N) with labels`,
  bounds: { value: bound(1e-6), power: bound(4e-7), difference: bound(2e-7) },
  errorBound:
    doc`relative, ≤ {value} for value and gradient. For β other than 0, 1, 1.5 and 2 it is ≤ {power}·(1 + β) where that is more, because the power multiplies the rounding of its base. The cancellation in |y − σ| adds an error of ≤ {difference} to the difference (none where y is 0 or 1)`,
  source: doc`Li et al. 2020 (Generalized Focal Loss), equation 2`,
});
