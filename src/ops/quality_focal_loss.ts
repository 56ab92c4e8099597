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
  bounds: {
    value: bound(1e-6, doc`of value and gradient`),
    power: bound(
      4e-7,
      doc`times 1 + β, where that is more, for β other than 0, 1, 1.5 and 2: the base's rounding is multiplied`,
    ),
    difference: bound(2e-7, doc`for the cancellation in |y − σ|; none where y is 0 or 1`),
  },
  source: doc`Li et al. 2020 (Generalized Focal Loss), equation 2`,
});
