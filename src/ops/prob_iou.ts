/** Pairwise ProbIoU of rotated boxes. */
import { doc } from "../doc.ts";
import { bound } from "../operation.ts";
import type { TensorLike } from "../types.ts";
import { pairwise } from "./pairs.ts";
import { rowOperation } from "./row_call.ts";

export const probIou = rowOperation({
  stem: "prob_iou",
  kernels: ["prob_iou", "rotated_pairs_scratch"],
  shapes: doc`(N, 5), (M, 5) → (N·M)`,
  tensors:
    doc`a (N, 5) and b (M, 5), rotated boxes: centre x, y, width, height, angle; result (N·M) in [0, 1], row-major`,
  summary: doc`pairwise ProbIoU of rotated boxes`,
  params: {},
  bounds: { result: bound(1e-7, 2e-6) },
  errorBound: doc`absolute, ≤ {result}, on WebGPU ≤ {result.webgpu} for sides of up to 100 : 1`,
  source: doc`Llerena et al. 2021 (Gaussian Bounding Boxes and Probabilistic IoU), section 3`,
  check: (a: TensorLike, b: TensorLike) =>
    pairwise("prob_iou", a, b, 5, ({ kernels }, allocate) => {
      const scratch = allocate(kernels.rotated_pairs_scratch());
      return (a, countA, b, countB, dst) => kernels.prob_iou(a, countA, b, countB, scratch, dst);
    }),
});
