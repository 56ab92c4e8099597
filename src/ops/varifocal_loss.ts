/** Varifocal loss. */
import type { ClassTarget, LossOptions, TensorLike, VarifocalOptions } from "../types.ts";
import { boolean, namesOf } from "../validate.ts";
import { atLeastZero, classCall, classificationLoss } from "./classification_loss.ts";
import { lossOperation } from "./loss.ts";
import { LOSS_OPTIONS } from "./loss_call.ts";

const op = "varifocalLoss";
const OPTIONS = [...LOSS_OPTIONS, ...namesOf<VarifocalOptions>({ alpha: true, gamma: true, iouWeighted: true })];
/** The least normal number, with room for the factor alpha. */
const LEAST_NORMAL = 3e-38;

export const varifocalLoss = lossOperation({
  name: op,
  stem: "varifocal_loss",
  shapes: "(…), targets or labels → (…) or (N)",
  summary: "varifocal loss, with gradient",
  check: (pred: TensorLike, target: ClassTarget, options?: LossOptions & VarifocalOptions) =>
    classificationLoss(
      "varifocal_loss",
      classCall(op, pred, target),
      options,
      OPTIONS,
      ({ alpha = 0.75, gamma = 2, iouWeighted = true }) => {
        const exponent = atLeastZero(op, "gamma", gamma);
        return {
          exponent,
          alpha: atLeastZero(op, "alpha", alpha),
          scale: boolean({ op, argument: "options.iouWeighted" }, iouWeighted) ? 0 : 1,
          low: LEAST_NORMAL ** (1 / (1 + exponent)),
        };
      },
    ),
});
