/** VarifocalNet's sampling points for a deformable convolution. */
import type { TensorLike } from "../types.ts";
import { matrixAnywhere, number, options as checkOptions, rangeError } from "../validate.ts";
import { type RowCall, rowOperation } from "./row_call.ts";
import { mapRows } from "./rows.ts";

const op = "starDeformOffsets";

export const starDeformOffsets = rowOperation({
  name: op,
  stem: "star_deform_offsets",
  kernels: ["star_deform_offsets"],
  shapes: "(N, 4) → (N, 18)",
  summary: "distances to the offsets of a 3×3 deformable convolution",
  check(distances: TensorLike, options: { stride: number }): RowCall<Float32Array> {
    const place = { op, argument: "options.stride" };
    const stride = number(place, checkOptions(op, options, true).stride);
    if (!(stride > 0 && stride < Infinity)) throw rangeError(place, stride, "a positive number");
    const source = matrixAnywhere({ op, argument: "distances" }, distances, 4);
    return {
      op,
      stem: "star_deform_offsets",
      rows: source.rows,
      inputs: [{ argument: "distances", source, columns: 4 }],
      outputs: 1,
      columns: 18,
      counts: {},
      parameters: { inverse_stride: 1 / stride },
      onWasm: (backend, inputs) =>
        mapRows(op, backend, source.rows, inputs, [18], ([distance], [offset], rows) => {
          backend.kernels.star_deform_offsets(distance, stride, rows, offset);
        }),
      resultOf: ([offsets]) => offsets,
    };
  },
});
