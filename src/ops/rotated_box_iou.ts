/** Pairwise IoU of rotated boxes. */
import { doc } from "../doc.ts";
import { bound, nameOf, routine } from "../operation.ts";
import type { TensorLike } from "../types.ts";
import { matrix } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { pairsOf } from "./pairs.ts";

const stem = "rotated_box_iou";
const op = nameOf(stem);

export const rotatedBoxIou = routine({
  stem,
  kernels: ["rotated_box_iou", "rotated_pairs_scratch"],
  shapes: doc`(N, 5), (M, 5) → (N·M)`,
  tensors:
    doc`a (N, 5) and b (M, 5), rotated boxes: centre x, y, width, height, angle; result (N·M) in [0, 1], row-major`,
  summary: doc`pairwise IoU of rotated boxes`,
  params: {},
  bounds: { result: bound(1e-6) },
  errorBound: doc`absolute, ≤ {result}, for sides of up to 10⁹ : 1; computed in float64 and rounded once`,
  source: doc`Jaccard 1901; Green's theorem along one box's outline, in the frame of the other`,
  run(backend: WasmBackend, a: TensorLike, b: TensorLike): Float32Array {
    const first = matrix({ op, argument: "a" }, a, 5);
    const second = matrix({ op, argument: "b" }, b, 5);
    return pairsOf(op, backend, first, second, ({ kernels }, allocate) => {
      const scratch = allocate(kernels.rotated_pairs_scratch());
      return (a, countA, b, countB, dst) => kernels.rotated_box_iou(a, countA, b, countB, scratch, dst);
    });
  },
});
