/** SIoU loss. */
import type { BoxLossOptions, LossOptions, TensorLike } from "../types.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { boxLoss } from "./box_loss.ts";
import type { Operation } from "./operation.ts";

const op = "siouLoss";

export const siouLoss = {
  name: op,
  stem: "siou_loss",
  kernels: ["siou_loss"],
  shapes: "(N, 4), (N, 4) → (N)",
  summary: "SIoU loss of boxes, with gradient",
  run: (backend: WasmBackend, pred: TensorLike, target: TensorLike, options?: LossOptions & BoxLossOptions) =>
    boxLoss(backend, op, "siou_loss", pred, target, options),
} satisfies Operation;
