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
  throws: [doc`TypeError if the target has another shape`],
  bounds: { value: bound(1e-6), difference: bound(3e-7) },
  errorBound:
    doc`relative, ≤ {value} for value and gradient, for saturated logits too. The difference σ − y adds ≤ {difference} of the smaller of σ and 1 − σ, because float32 keeps no more of it where y is nearly σ (nothing is lost at x = 0)`,
  source: doc`Bishop 2006 (Pattern Recognition and Machine Learning), equation 4.90, on logits`,
});
