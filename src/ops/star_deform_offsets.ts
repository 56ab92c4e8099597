/** VarifocalNet's sampling points for a deformable convolution. */
import { doc } from "../doc.ts";
import { bound, nameOf } from "../operation.ts";
import { paramReader, requiredNumber } from "../params.ts";
import type { TensorLike } from "../types.ts";
import { matrixAnywhere, rangeError } from "../validate.ts";
import { type CheckedRows, rowOperation } from "./row_call.ts";
import { mapRows } from "./rows.ts";

const stem = "star_deform_offsets";
const op = nameOf(stem);

const PARAMS = { stride: requiredNumber(doc`stride of the level, over 0 in float32`, { unit: "pixels" }) };

const readOptions = paramReader(op, PARAMS);

export const starDeformOffsets = rowOperation({
  stem,
  kernels: ["star_deform_offsets"],
  shapes: doc`(N, 4) → (N, 18)`,
  tensors: doc`distances (N, 4), sides l, t, r, b in pixels; result (N, 18)`,
  summary: doc`distances to the offsets of a 3×3 deformable convolution`,
  params: PARAMS,
  throws: [doc`RangeError if stride is not a positive float32`],
  bounds: { result: bound(2 ** -23) },
  errorBound:
    doc`exact, but for one rounding of the quotient and one of the difference, together ≤ {result} of max(1, |value|)`,
  source: doc`Zhang et al. 2020 (VarifocalNet), star-shaped box feature representation`,
  check(distances: TensorLike, options: object): CheckedRows<Float32Array> {
    const { stride } = readOptions(options);
    const single = Math.fround(stride);
    if (!(single > 0 && single < Infinity)) {
      throw rangeError({ op, argument: "options.stride" }, stride, "a positive float32");
    }
    const source = matrixAnywhere({ op, argument: "distances" }, distances, 4);
    return {
      op,
      stem,
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
