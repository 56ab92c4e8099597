/** Complete IoU loss. */
import type { BoxLossOptions, LossOptions, TensorLike } from "../types.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { boxLoss } from "./box_loss.ts";
import type { Operation } from "./operation.ts";

const op = "ciouLoss";

export const ciouLoss = {
  name: op,
  stem: "ciou_loss",
  kernels: ["ciou_loss"],
  shapes: "(N, 4), (N, 4) → (N)",
  summary: "complete IoU loss of boxes, with gradient",
  run: (backend: WasmBackend, pred: TensorLike, target: TensorLike, options?: LossOptions & BoxLossOptions) =>
    boxLoss(backend, op, "ciou_loss", pred, target, options),
} satisfies Operation;
