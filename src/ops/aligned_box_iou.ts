/** IoU of boxes pair by pair. */
import { doc } from "../doc.ts";
import { bound, nameOf } from "../operation.ts";
import type { TensorLike } from "../types.ts";
import { matrixAnywhere } from "../validate.ts";
import { sameRows } from "./distance2bbox.ts";
import { type CheckedRows, rowOperation } from "./row_call.ts";
import { mapRows } from "./rows.ts";

const stem = "aligned_box_iou";
const op = nameOf(stem);

export const alignedBoxIou = rowOperation({
  stem,
  kernels: ["aligned_box_iou"],
  shapes: doc`(N, 4), (N, 4) → (N)`,
  tensors: doc`a (N, 4) and b (N, 4), boxes in \`xyxy\`; result (N) in [0, 1]`,
  summary: doc`IoU of each box with its own target`,
  params: {},
  bounds: { result: bound(6e-8, 4e-6) },
  errorBound: doc`rounded once, ≤ {result}, on WebGPU ≤ {result.webgpu}, relative to the union`,
  source: doc`Jaccard 1901`,
  check(a: TensorLike, b: TensorLike): CheckedRows<Float32Array> {
    const first = matrixAnywhere({ op, argument: "a" }, a, 4);
    const second = matrixAnywhere({ op, argument: "b" }, b, 4);
    const [rows] = first.dims;
    sameRows(op, "b", second.dims[0], rows, "a");
    return {
      op,
      stem,
      rows,
      inputs: [{ argument: "a", source: first, columns: 4 }, { argument: "b", source: second, columns: 4 }],
      outputs: 1,
      columns: 1,
      counts: {},
      parameters: {},
      onWasm: (backend, inputs) =>
        mapRows(op, backend, rows, inputs, [1], ([boxes, others], [iou], count) => {
          backend.kernels.aligned_box_iou(boxes, others, count, iou);
        }),
      resultOf: ([ious]) => ious,
    };
  },
});
