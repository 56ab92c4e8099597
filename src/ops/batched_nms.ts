/** Non-maximum suppression within each class. */
import { doc } from "../doc.ts";
import { nameOf, routine } from "../operation.ts";
import { paramReader } from "../params.ts";
import type { NmsOptions, TensorLike } from "../types.ts";
import { arrayOf } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { NMS_KERNELS, NMS_PARAMS, upright } from "./nms.ts";

const stem = "batched_nms";
const op = nameOf(stem);
const readOptions = paramReader(op, NMS_PARAMS);

export const batchedNms = routine({
  stem,
  kernels: NMS_KERNELS,
  shapes: doc`(N, 4), (N), (N) → (K)`,
  tensors: doc`boxes (N, 4) in \`xyxy\`, scores (N) and classes (N); result (K), indices`,
  summary: doc`greedy NMS within each class`,
  params: NMS_PARAMS,
  bounds: {},
  errorBound: doc`exact`,
  source: doc`Girshick et al. 2014 (R-CNN), section 2.2; the rules are those of torchvision's \`batched_nms\``,
  run: (
    backend: WasmBackend,
    boxes: TensorLike,
    scores: TensorLike,
    classes: Int32Array,
    options: NmsOptions,
  ): Int32Array =>
    upright(
      backend,
      op,
      boxes,
      scores,
      (count) => arrayOf({ op, argument: "classes" }, "Int32Array", classes, count),
      readOptions(options),
    ),
});
