/** Non-maximum suppression within each class. */
import type { NmsOptions, TensorLike } from "../types.ts";
import { arrayOf } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { suppress } from "./nms.ts";
import type { Operation } from "./operation.ts";

export const batchedNms = {
  name: "batchedNms",
  stem: "batched_nms",
  kernels: ["nms", "nms_scratch", "sort_scores"],
  shapes: "(N, 4), (N), (N) → (K)",
  summary: "greedy NMS within each class",
  run: (
    backend: WasmBackend,
    boxes: TensorLike,
    scores: TensorLike,
    classes: Int32Array,
    options: NmsOptions,
  ): Int32Array =>
    suppress(
      backend,
      "batchedNms",
      boxes,
      scores,
      (count) => arrayOf({ op: "batchedNms", argument: "classes" }, "Int32Array", classes, count),
      options,
    ),
} satisfies Operation;
