/** VarifocalNet's refinement. */
import type { TensorLike } from "../types.ts";
import { matrix, oneOf, options as checkOptions } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { sameRows } from "./distance2bbox.ts";
import type { Operation } from "./operation.ts";
import { mapRows } from "./rows.ts";

const op = "refineDistances";

export const refineDistances = {
  name: op,
  stem: "refine_distances",
  kernels: ["refine_distances", "refine_distances_exp"],
  shapes: "(N, 4), (N, 4) → (N, 4)",
  summary: "distances times a correction or its exponential",
  run(
    backend: WasmBackend,
    distances: TensorLike,
    deltas: TensorLike,
    options?: { kind?: "multiply" | "exp" },
  ): Float32Array {
    const { kind = "multiply" } = checkOptions(op, options);
    const exponential = oneOf({ op, argument: "options.kind" }, kind, ["multiply", "exp"]) === "exp";
    const { refine_distances, refine_distances_exp } = backend.kernels;
    const refine = exponential ? refine_distances_exp : refine_distances;
    const initial = matrix({ op, argument: "distances" }, distances, 4);
    const factors = matrix({ op, argument: "deltas" }, deltas, 4);
    sameRows(op, "deltas", factors.rows, initial.rows, "distances");
    const inputs = [{ source: initial, columns: 4 }, { source: factors, columns: 4 }];
    const [refined] = mapRows(op, backend, initial.rows, inputs, [4], ([distance, delta], [out], rows) => {
      refine(distance, delta, rows, out);
    });
    return refined;
  },
} satisfies Operation;
