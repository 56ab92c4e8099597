/** Focal loss. */
import type { ClassTarget, FocalOptions, LossOptions, TensorLike } from "../types.ts";
import { namesOf, number } from "../validate.ts";
import { atLeastZero, classCall, classificationLoss, reachOf } from "./classification_loss.ts";
import { lossOperation } from "./loss_call.ts";
import { LOSS_OPTIONS } from "./checked_loss.ts";

const op = "sigmoidFocalLoss";
const OPTIONS = [...LOSS_OPTIONS, ...namesOf<FocalOptions>({ alpha: true, gamma: true })];

export const sigmoidFocalLoss = lossOperation({
  name: op,
  stem: "sigmoid_focal_loss",
  shapes: "(…), targets or labels → (…) or (N)",
  summary: "focal loss, with gradient",
  check: (pred: TensorLike, target: ClassTarget, options?: LossOptions & FocalOptions) =>
    classificationLoss(
      "sigmoid_focal_loss",
      classCall(op, pred, target),
      options,
      OPTIONS,
      ({ alpha = 0.25, gamma = 2 }) => {
        const exponent = atLeastZero(op, "gamma", gamma);
        const weighted = number({ op, argument: "options.alpha" }, alpha, -Number.MAX_VALUE, 1) >= 0;
        // α_t = low + scale (end − t), from the end where it is less.
        const end = alpha < 0.5 ? 1 : 0;
        return {
          exponent,
          reach: reachOf(exponent),
          low: weighted ? Math.min(alpha, 1 - alpha) : 1,
          alpha: end,
          scale: weighted ? 1 - 2 * alpha : 0,
        };
      },
    ),
});
