/** VarifocalNet's refinement. */
import type { TensorLike } from "../types.ts";
import { matrixAnywhere, namesOf, oneOf, options as checkOptions } from "../validate.ts";
import { sameRows } from "./distance2bbox.ts";
import { type CheckedRows, rowOperation } from "./row_call.ts";
import { mapRows } from "./rows.ts";

const op = "refineDistances";

export interface Options {
  kind?: "multiply" | "exp";
}

const OPTIONS = namesOf<Options>({ kind: true });

export const refineDistances = rowOperation({
  name: op,
  stem: "refine_distances",
  kernels: ["refine_distances", "refine_distances_exp"],
  shapes: "(N, 4), (N, 4) → (N, 4)",
  summary: "distances times a correction or its exponential",
  check(distances: TensorLike, deltas: TensorLike, options?: Options): CheckedRows<Float32Array> {
    const { kind = "multiply" } = checkOptions(op, options, OPTIONS);
    const exponential = oneOf({ op, argument: "options.kind" }, kind, ["multiply", "exp"]) === "exp";
    const initial = matrixAnywhere({ op, argument: "distances" }, distances, 4);
    const factors = matrixAnywhere({ op, argument: "deltas" }, deltas, 4);
    sameRows(op, "deltas", factors.dims[0], initial.dims[0], "distances");
    return {
      op,
      stem: "refine_distances",
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
