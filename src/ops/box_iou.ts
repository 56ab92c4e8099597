/** Pairwise IoU. */
import { doc } from "../doc.ts";
import { bound } from "../operation.ts";
import type { TensorLike } from "../types.ts";
import { pairwise } from "./pairs.ts";
import { rowOperation } from "./row_call.ts";

export const boxIou = rowOperation({
  stem: "box_iou",
  kernels: ["box_iou"],
  shapes: doc`(N, 4), (M, 4) → (N·M)`,
  tensors: doc`a (N, 4) and b (M, 4), boxes in \`xyxy\`; result (N·M) in [0, 1], row-major`,
  summary: doc`pairwise IoU`,
  params: {},
  bounds: { result: bound(5e-7, 4e-6) },
  errorBound: doc`≤ {result}, on WebGPU ≤ {result.webgpu}, relative to the union`,
  source: doc`Jaccard 1901`,
  check: (a: TensorLike, b: TensorLike) => pairwise("box_iou", a, b, 4, ({ kernels }) => kernels.box_iou),
});
