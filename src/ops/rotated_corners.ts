/** Corners of rotated boxes. */
import { doc } from "../doc.ts";
import { bound, nameOf } from "../operation.ts";
import type { TensorLike } from "../types.ts";
import { matrixAnywhere } from "../validate.ts";
import { type CheckedRows, rowOperation } from "./row_call.ts";
import { mapRows } from "./rows.ts";

const stem = "rotated_corners";
const op = nameOf(stem);

export const rotatedCorners = rowOperation({
  stem,
  kernels: ["rotated_corners"],
  shapes: doc`(N, 5) → (N, 8)`,
  tensors: doc`boxes (N, 5): centre x, y, width, height, angle; result (N, 8) as four points x, y`,
  summary: doc`corners of rotated boxes`,
  params: {},
  bounds: { result: bound(6e-8, 4e-7) },
  errorBound: doc`≤ {result}, on WebGPU ≤ {result.webgpu}, of the centre's coordinate and the sides together`,
  source: doc`the rectangle's own geometry; the order is that of Ultralytics' \`xywhr2xyxyxyxy\``,
  check(boxes: TensorLike): CheckedRows<Float32Array> {
    const source = matrixAnywhere({ op, argument: "boxes" }, boxes, 5);
    const [rows] = source.dims;
    return {
      op,
      stem,
      rows,
      inputs: [{ argument: "boxes", source, columns: 5 }],
      outputs: 1,
      columns: 8,
      counts: {},
      parameters: {},
      onWasm: (backend, inputs) =>
        mapRows(op, backend, rows, inputs, [8], ([from], [to], count) => {
          backend.kernels.rotated_corners(from, count, to);
        }),
      resultOf: ([points]) => points,
    };
  },
});
