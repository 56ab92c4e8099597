/** Quality focal loss. */
import type { ClassTarget, LossOptions, QualityFocalOptions, TensorLike } from "../types.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { atLeastZero, classCall, classificationLoss, reachOf } from "./classification_loss.ts";
import type { Operation } from "./operation.ts";

const op = "qualityFocalLoss";

export const qualityFocalLoss = {
  name: op,
  stem: "quality_focal_loss",
  kernels: ["quality_focal_loss"],
  shapes: "(…), targets or labels → (…) or (N)",
  summary: "quality focal loss, with gradient",
  run: (backend: WasmBackend, pred: TensorLike, target: ClassTarget, options?: LossOptions & QualityFocalOptions) =>
    classificationLoss(backend, op, "quality_focal_loss", classCall(op, pred, target), options, ({ beta = 2 }) => {
      const exponent = atLeastZero(op, "beta", beta);
      return { exponent, reach: reachOf(exponent) };
    }),
} satisfies Operation;
