/** Binary cross-entropy with logits. */
import { doc } from "../doc.ts";
import { bound } from "../operation.ts";
import { elementLoss } from "./element_loss.ts";

export const binaryCrossEntropyWithLogits = elementLoss({
  stem: "binary_cross_entropy_with_logits",
  summary: doc`binary cross-entropy, with gradient`,
  alias: "bce",
  labels: true,
  params: {},
  bounds: {
    value: bound(1e-6, doc`of value and gradient, also where the logit is saturated`),
    difference: bound(
      3e-7,
      doc`of the smaller of σ and 1 − σ for the difference σ − y, of which float32 leaves no more`,
    ),
  },
  source: doc`Bishop 2006, equation 4.90, on logits`,
});
