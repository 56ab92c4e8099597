/** IoU loss. */
import type { BoxLossOptions, LossOptions, TensorLike } from "../types.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { boxLoss } from "./box_loss.ts";
import type { Operation } from "./operation.ts";

const op = "iouLoss";

export const iouLoss = {
  name: op,
  stem: "iou_loss",
  kernels: ["iou_loss"],
  shapes: "(N, 4), (N, 4) → (N)",
  summary: "IoU loss of boxes, with gradient",
  run: (backend: WasmBackend, pred: TensorLike, target: TensorLike, options?: LossOptions & BoxLossOptions) =>
    boxLoss(backend, op, "iou_loss", pred, target, options),
} satisfies Operation;
