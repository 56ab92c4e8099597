/** Pairwise generalized IoU. */
import type { TensorLike } from "../types.ts";
import { pairwise } from "./box_iou.ts";
import { rowOperation } from "./row_call.ts";

export const generalizedBoxIou = rowOperation({
  name: "generalizedBoxIou",
  stem: "generalized_box_iou",
  kernels: ["generalized_box_iou"],
  shapes: "(N, 4), (M, 4) → (N·M)",
  summary: "pairwise generalized IoU",
  check: (a: TensorLike, b: TensorLike) => pairwise("generalizedBoxIou", "generalized_box_iou", a, b),
});
