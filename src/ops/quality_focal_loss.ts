/** Quality focal loss. */
import type { ClassTarget, LossOptions, QualityFocalOptions, TensorLike } from "../types.ts";
import { namesOf } from "../validate.ts";
import { atLeastZero, classCall, classificationLoss, reachOf } from "./classification_loss.ts";
import { lossOperation } from "./loss_call.ts";
import { LOSS_OPTIONS } from "./checked_loss.ts";

const op = "qualityFocalLoss";
const OPTIONS = [...LOSS_OPTIONS, ...namesOf<QualityFocalOptions>({ beta: true })];

export const qualityFocalLoss = lossOperation({
  name: op,
  stem: "quality_focal_loss",
  shapes: "(…), targets or labels → (…) or (N)",
  summary: "quality focal loss, with gradient",
  check: (pred: TensorLike, target: ClassTarget, options?: LossOptions & QualityFocalOptions) =>
    classificationLoss("quality_focal_loss", classCall(op, pred, target), options, OPTIONS, ({ beta = 2 }) => {
      const exponent = atLeastZero(op, "beta", beta);
      return { exponent, reach: reachOf(exponent) };
    }),
});
