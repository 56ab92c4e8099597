/** VarifocalNet's sampling points. */
import type { TensorLike } from "../types.ts";
import { matrix } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { sameRows } from "./distance2bbox.ts";
import type { Operation } from "./operation.ts";
import { mapRows } from "./rows.ts";

const op = "starPoints";

export const starPoints = {
  name: op,
  stem: "star_points",
  kernels: ["star_points"],
  shapes: "(N, 2), (N, 4) → (N, 9, 2)",
  summary: "points and distances to VarifocalNet's nine sampling points",
  run(backend: WasmBackend, points: TensorLike, distances: TensorLike): Float32Array {
    const from = matrix({ op, argument: "points" }, points, 2);
    const to = matrix({ op, argument: "distances" }, distances, 4);
    sameRows(op, "distances", to.rows, from.rows);
    const inputs = [{ source: from, columns: 2 }, { source: to, columns: 4 }];
    const [stars] = mapRows(op, backend, from.rows, inputs, [18], ([point, distance], [star], rows) => {
      backend.kernels.star_points(point, distance, rows, star);
    });
    return stars;
  },
} satisfies Operation;
