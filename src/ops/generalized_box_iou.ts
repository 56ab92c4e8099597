/** Pairwise generalized IoU. */
import { doc } from "../doc.ts";
import { bound } from "../operation.ts";
import type { TensorLike } from "../types.ts";
import { pairwise } from "./pairs.ts";
import { rowOperation } from "./row_call.ts";

export const generalizedBoxIou = rowOperation({
  stem: "generalized_box_iou",
  kernels: ["generalized_box_iou"],
  shapes: doc`(N, 4), (M, 4) → (N·M)`,
  tensors: doc`a (N, 4) and b (M, 4), boxes in \`xyxy\`; result (N·M) in [−1, 1], row-major`,
  summary: doc`pairwise generalized IoU`,
  params: {},
  bounds: { result: bound(1e-6) },
  errorBound: doc`absolute, ≤ {result}`,
  source: doc`Rezatofighi et al. 2019 (Generalized Intersection over Union), algorithm 1`,
  check: (a: TensorLike, b: TensorLike) =>
    pairwise("generalized_box_iou", a, b, 4, ({ kernels }) => kernels.generalized_box_iou),
});
