/** Matchability-aware loss. */
import { doc } from "../doc.ts";
import { bound } from "../operation.ts";
import { atLeastZero } from "../params.ts";
import { elementLoss } from "./element_loss.ts";
import { VARIFOCAL_FIELDS } from "./varifocal_loss.ts";

export const matchabilityAwareLoss = elementLoss({
  stem: "matchability_aware_loss",
  summary: doc`matchability-aware loss, with gradient`,
  alias: "mal",
  labels: true,
  params: {
    gamma: atLeastZero(doc`exponent of q in positives and of σ in negatives`, 1.5),
    alpha: atLeastZero(doc`factor of negatives only`, 1),
  },
  exponent: "gamma",
  fields: VARIFOCAL_FIELDS,
  block: ({ alpha }, labelled) => ({ alpha, leastWeight: 1, slope: 0, ownIsPositive: labelled ? 1 : 0 }),
  tensors:
    doc`pred (N, C) or any shape, logits; target: qualities q of the same shape in [0, 1], or labels (N) with scores for pred (N, C). Loss: pred's shape, or (N) with labels`,
  bounds: { value: bound(1e-6), power: bound(4e-7), difference: bound(3e-7) },
  errorBound:
    doc`relative, ≤ {value} for value and gradient. For γ other than 0, 1, 1.5 and 2 it is ≤ {power}·(1 + γ) where that is more, because the power multiplies the rounding of its base. The rounding of q^γ to float32 adds ≤ {difference}·|x| to a positive's value and ≤ {difference} to its gradient`,
  source: doc`Huang et al. 2024 (DEIM), section 3.3, with α and the constant weight of its code`,
});
