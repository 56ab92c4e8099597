/** VarifocalNet's refinement. */
import { doc } from "../doc.ts";
import { bound, nameOf } from "../operation.ts";
import { choiceParam, paramReader } from "../params.ts";
import type { TensorLike } from "../types.ts";
import { matrixAnywhere } from "../validate.ts";
import { sameRows } from "./distance2bbox.ts";
import { type CheckedRows, rowOperation } from "./row_call.ts";
import { mapRows } from "./rows.ts";

const stem = "refine_distances";
const op = nameOf(stem);

const PARAMS = {
  kind: choiceParam(
    doc`"multiply": distances · deltas. "exp": distances · exp(deltas)`,
    ["multiply", "exp"],
    "multiply",
  ),
};

const readOptions = paramReader(op, PARAMS);

export const refineDistances = rowOperation({
  stem,
  kernels: ["refine_distances", "refine_distances_exp"],
  shapes: doc`(N, 4), (N, 4) → (N, 4)`,
  tensors: doc`distances (N, 4) in any unit and deltas (N, 4); result (N, 4) in the unit of the distances`,
  summary: doc`distances times a correction or its exponential`,
  params: PARAMS,
  bounds: { result: bound(3e-7, 4e-6) },
  errorBound: doc`exact, but for one rounding; with "exp" relative, ≤ {result}, on WebGPU ≤ {result.webgpu}`,
  source: doc`Zhang et al. 2020 (VarifocalNet), bounding box refinement. The exponential is that of its code`,
  check(distances: TensorLike, deltas: TensorLike, options?: object): CheckedRows<Float32Array> {
    const exponential = readOptions(options).kind === "exp";
    const initial = matrixAnywhere({ op, argument: "distances" }, distances, 4);
    const factors = matrixAnywhere({ op, argument: "deltas" }, deltas, 4);
    sameRows(op, "deltas", factors.dims[0], initial.dims[0], "distances");
    return {
      op,
      stem,
      rows: initial.dims[0],
      inputs: [
        { argument: "distances", source: initial, columns: 4 },
        { argument: "deltas", source: factors, columns: 4 },
      ],
      outputs: 1,
      columns: 4,
      counts: { exponential: exponential ? 1 : 0 },
      parameters: {},
      onWasm(backend, inputs) {
        const { refine_distances, refine_distances_exp } = backend.kernels;
        const refine = exponential ? refine_distances_exp : refine_distances;
        return mapRows(op, backend, initial.dims[0], inputs, [4], ([distance, delta], [out], rows) => {
          refine(distance, delta, rows, out);
        });
      },
      resultOf: ([refined]) => refined,
    };
  },
});
