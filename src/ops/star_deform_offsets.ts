/** VarifocalNet's sampling points for a deformable convolution. */
import type { TensorLike } from "../types.ts";
import { matrix, number, options as checkOptions, rangeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import type { Operation } from "./operation.ts";
import { mapRows } from "./rows.ts";

const op = "starDeformOffsets";

export const starDeformOffsets = {
  name: op,
  stem: "star_deform_offsets",
  kernels: ["star_deform_offsets"],
  shapes: "(N, 4) → (N, 18)",
  summary: "distances to the offsets of a 3×3 deformable convolution",
  run(backend: WasmBackend, distances: TensorLike, options: { stride: number }): Float32Array {
    const place = { op, argument: "options.stride" };
    const stride = number(place, checkOptions(op, options, true).stride);
    if (!(stride > 0 && stride < Infinity)) throw rangeError(place, stride, "a positive number");
    const source = matrix({ op, argument: "distances" }, distances, 4);
    const inputs = [{ source, columns: 4 }];
    const [offsets] = mapRows(op, backend, source.rows, inputs, [18], ([distance], [offset], rows) => {
      backend.kernels.star_deform_offsets(distance, stride, rows, offset);
    });
    return offsets;
  },
} satisfies Operation;
