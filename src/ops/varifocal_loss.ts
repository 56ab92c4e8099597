/** Varifocal loss. */
import type { ClassTarget, LossOptions, TensorLike, VarifocalOptions } from "../types.ts";
import { boolean } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { atLeastZero, classCall, classificationLoss } from "./classification_loss.ts";
import type { Operation } from "./operation.ts";

const op = "varifocalLoss";
/** The least normal number, with room for the factor alpha. */
const LEAST_NORMAL = 3e-38;

export const varifocalLoss = {
  name: op,
  stem: "varifocal_loss",
  kernels: ["varifocal_loss"],
  shapes: "(…), targets or labels → (…) or (N)",
  summary: "varifocal loss, with gradient",
  run: (backend: WasmBackend, pred: TensorLike, target: ClassTarget, options?: LossOptions & VarifocalOptions) =>
    classificationLoss(
      backend,
      op,
      "varifocal_loss",
      classCall(op, pred, target),
      options,
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
} satisfies Operation;
