/** Rotated boxes from the corners of rectangles. */
import { doc } from "../doc.ts";
import { bound, nameOf } from "../operation.ts";
import type { TensorLike } from "../types.ts";
import { matrixAnywhere } from "../validate.ts";
import { type CheckedRows, rowOperation } from "./row_call.ts";
import { mapRows } from "./rows.ts";

const stem = "corners_to_rotated";
const op = nameOf(stem);

export const cornersToRotated = rowOperation({
  stem,
  kernels: ["corners_to_rotated"],
  shapes: doc`(N, 8) → (N, 5)`,
  tensors:
    doc`corners (N, 8), four points x, y along the outline; result (N, 5): centre x, y, width, height, angle in [−π/4, 3π/4)`,
  summary: doc`corners of rectangles to rotated boxes`,
  params: {},
  bounds: { result: bound(2.5e-7, 1e-6) },
  errorBound:
    doc`≤ {result}, on WebGPU ≤ {result.webgpu}: of the largest coordinate for the centre, of the longer side for the sizes, in radians for the angle`,
  source: doc`the inverse of \`rotatedCorners\``,
  check(corners: TensorLike): CheckedRows<Float32Array> {
    const source = matrixAnywhere({ op, argument: "corners" }, corners, 8);
    const [rows] = source.dims;
    return {
      op,
      stem,
      rows,
      inputs: [{ argument: "corners", source, columns: 8 }],
      outputs: 1,
      columns: 5,
      counts: {},
      parameters: {},
      onWasm: (backend, inputs) =>
        mapRows(op, backend, rows, inputs, [5], ([from], [to], count) => {
          backend.kernels.corners_to_rotated(from, count, to);
        }),
      resultOf: ([boxes]) => boxes,
    };
  },
});
