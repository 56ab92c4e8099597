/** VarifocalNet's sampling points for a deformable convolution. */
import type { TensorLike } from "../types.ts";
import { matrixAnywhere, namesOf, number, options as checkOptions, rangeError } from "../validate.ts";
import { type CheckedRows, rowOperation } from "./row_call.ts";
import { mapRows } from "./rows.ts";

const op = "starDeformOffsets";

export interface Options {
  stride: number;
}

const OPTIONS = namesOf<Options>({ stride: true });

export const starDeformOffsets = rowOperation({
  name: op,
  stem: "star_deform_offsets",
  kernels: ["star_deform_offsets"],
  shapes: "(N, 4) → (N, 18)",
  summary: "distances to the offsets of a 3×3 deformable convolution",
  check(distances: TensorLike, options: Options): CheckedRows<Float32Array> {
    const place = { op, argument: "options.stride" };
    const stride = number(place, checkOptions(op, options, OPTIONS, true).stride);
    const single = Math.fround(stride);
    if (!(single > 0 && single < Infinity)) throw rangeError(place, stride, "a positive float32");
    const source = matrixAnywhere({ op, argument: "distances" }, distances, 4);
    return {
      op,
      stem: "star_deform_offsets",
      rows: source.dims[0],
      inputs: [{ argument: "distances", source, columns: 4 }],
      outputs: 1,
      columns: 18,
      counts: {},
      parameters: inverseOf(single),
      onWasm: (backend, inputs) =>
        mapRows(op, backend, source.dims[0], inputs, [18], ([distance], [offset], rows) => {
          backend.kernels.star_deform_offsets(distance, stride, rows, offset);
        }),
      resultOf: ([offsets]) => offsets,
    };
  },
});

/** 1 / stride as a product whose factors float32 has: that of the mantissa, and a power of two in two parts. */
function inverseOf(stride: number): Record<string, number> {
  const exponent = Math.floor(Math.log2(stride));
  const half = exponent >> 1;
  return { inverse: 2 ** exponent / stride, power: 2 ** -half, power_left: 2 ** (half - exponent) };
}
