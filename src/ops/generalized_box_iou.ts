/** Pairwise generalized IoU. */
import type { TensorLike } from "../types.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { pairwise } from "./box_iou.ts";
import type { Operation } from "./operation.ts";

export const generalizedBoxIou = {
  name: "generalizedBoxIou",
  stem: "generalized_box_iou",
  kernels: ["generalized_box_iou"],
  shapes: "(N, 4), (M, 4) → (N·M)",
  summary: "pairwise generalized IoU",
  run: (backend: WasmBackend, a: TensorLike, b: TensorLike): Float32Array =>
    pairwise(backend, "generalizedBoxIou", backend.kernels.generalized_box_iou, a, b),
} satisfies Operation;
