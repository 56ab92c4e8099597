/** Binary cross-entropy with logits. */
import type { ClassTarget, LossOptions, TensorLike } from "../types.ts";
import { classCall, classificationLoss } from "./classification_loss.ts";
import { lossOperation } from "./loss_call.ts";
import { LOSS_OPTIONS } from "./checked_loss.ts";

const op = "binaryCrossEntropyWithLogits";

export const binaryCrossEntropyWithLogits = lossOperation({
  name: op,
  stem: "binary_cross_entropy_with_logits",
  shapes: "(…), targets or labels → (…) or (N)",
  summary: "binary cross-entropy, with gradient",
  check: (pred: TensorLike, target: ClassTarget, options?: LossOptions) =>
    classificationLoss(
      "binary_cross_entropy_with_logits",
      classCall(op, pred, target),
      options,
      LOSS_OPTIONS,
      () => ({}),
    ),
});
