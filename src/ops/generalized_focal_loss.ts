/** Generalized focal loss. */
import type { GeneralizedFocalOptions, LossOptions, TensorLike } from "../types.ts";
import { namesOf, number, rangeError } from "../validate.ts";
import { atLeastZero, classificationLoss, denseCall, reachOf } from "./classification_loss.ts";
import { lossOperation } from "./loss_call.ts";
import { LOSS_OPTIONS } from "./checked_loss.ts";

const op = "generalizedFocalLoss";
const OPTIONS = [...LOSS_OPTIONS, ...namesOf<GeneralizedFocalOptions>({ yLeft: true, yRight: true, beta: true })];

export const generalizedFocalLoss = lossOperation({
  name: op,
  stem: "generalized_focal_loss",
  shapes: "(…), (…) → (…)",
  summary: "generalized focal loss, with gradient",
  check: (
    pred: TensorLike,
    target: TensorLike,
    options?: LossOptions & GeneralizedFocalOptions,
  ) =>
    classificationLoss(
      "generalized_focal_loss",
      denseCall(op, pred, target),
      options,
      OPTIONS,
      ({ yLeft = 0, yRight = 1, beta = 2 }) => {
        const exponent = atLeastZero(op, "beta", beta);
        // As targets are, so that a target of 0.3 is yLeft 0.3.
        const low = Math.fround(number({ op, argument: "options.yLeft" }, yLeft));
        const high = Math.fround(number({ op, argument: "options.yRight" }, yRight));
        const range = high - low;
        if (!(range > 0 && range < Infinity)) {
          throw rangeError({ op, argument: "options.yRight" }, yRight, `a finite number over yLeft, ${yLeft}`);
        }
        const scale = range ** (exponent + 1);
        return { exponent, reach: reachOf(exponent), low, alpha: high, inverse: 1 / range, scale };
      },
    ),
});
