/** Generalized IoU loss. */
import type { BoxLossOptions, LossOptions, TensorLike } from "../types.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { boxLoss } from "./box_loss.ts";
import type { Operation } from "./operation.ts";

const op = "giouLoss";

export const giouLoss = {
  name: op,
  stem: "giou_loss",
  kernels: ["giou_loss"],
  shapes: "(N, 4), (N, 4) → (N)",
  summary: "generalized IoU loss of boxes, with gradient",
  run: (backend: WasmBackend, pred: TensorLike, target: TensorLike, options?: LossOptions & BoxLossOptions) =>
    boxLoss(backend, op, "giou_loss", pred, target, options),
} satisfies Operation;
