/** Binary cross-entropy with logits. */
import type { ClassTarget, LossOptions, TensorLike } from "../types.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { classCall, classificationLoss } from "./classification_loss.ts";
import type { Operation } from "./operation.ts";

const op = "binaryCrossEntropyWithLogits";

export const binaryCrossEntropyWithLogits = {
  name: op,
  stem: "binary_cross_entropy_with_logits",
  kernels: ["binary_cross_entropy_with_logits"],
  shapes: "(…), targets or labels → (…) or (N)",
  summary: "binary cross-entropy, with gradient",
  run: (backend: WasmBackend, pred: TensorLike, target: ClassTarget, options?: LossOptions) =>
    classificationLoss(
      backend,
      op,
      "binary_cross_entropy_with_logits",
      classCall(op, pred, target),
      options,
      () => ({}),
    ),
} satisfies Operation;
