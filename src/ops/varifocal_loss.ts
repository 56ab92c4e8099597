/** Varifocal loss. */
import type { ClassTarget, LossOptions, TensorLike, VarifocalOptions } from "../types.ts";
import { boolean, namesOf, oneOf, typeError } from "../validate.ts";
import { atLeastZero, classCall, classificationLoss, reachOf } from "./classification_loss.ts";
import { lossOperation } from "./loss_call.ts";
import { LOSS_OPTIONS } from "./checked_loss.ts";

const op = "varifocalLoss";
const OWN = namesOf<VarifocalOptions>({ alpha: true, gamma: true, iouWeighted: true, positives: true });
const OPTIONS = [...LOSS_OPTIONS, ...OWN];

export const varifocalLoss = lossOperation({
  name: op,
  stem: "varifocal_loss",
  shapes: "(…), targets or labels → (…) or (N)",
  summary: "varifocal loss, with gradient",
  check(pred: TensorLike, target: ClassTarget, options?: LossOptions & VarifocalOptions) {
    const call = classCall(op, pred, target);
    const byLabel = call.labels !== null;
    return classificationLoss(
      "varifocal_loss",
      call,
      options,
      OPTIONS,
      ({ alpha = 0.75, gamma = 2, iouWeighted = true, positives = byLabel ? "label" : "quality" }) => {
        const exponent = atLeastZero(op, "gamma", gamma);
        return {
          option: ownArePositive(positives, byLabel) ? 1 : 0,
          exponent,
          alpha: atLeastZero(op, "alpha", alpha),
          scale: boolean({ op, argument: "options.iouWeighted" }, iouWeighted) ? 0 : 1,
          reach: reachOf(exponent),
        };
      },
    );
  },
});

/** Is the element of a label a positive whatever its score? */
function ownArePositive(positives: unknown, byLabel: boolean): boolean {
  const place = { op, argument: "options.positives" };
  if (oneOf(place, positives, ["label", "quality"]) === "quality") return false;
  if (!byLabel) throw typeError(place, '"label"', '"quality" with a dense target, which has no labels');
  return true;
}
