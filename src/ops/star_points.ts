/** VarifocalNet's sampling points. */
import type { TensorLike } from "../types.ts";
import { matrixAnywhere } from "../validate.ts";
import { sameRows } from "./distance2bbox.ts";
import { type CheckedRows, rowOperation } from "./row_call.ts";
import { mapRows } from "./rows.ts";

const op = "starPoints";

export const starPoints = rowOperation({
  name: op,
  stem: "star_points",
  kernels: ["star_points"],
  shapes: "(N, 2), (N, 4) → (N, 9, 2)",
  summary: "points and distances to VarifocalNet's nine sampling points",
  check(points: TensorLike, distances: TensorLike): CheckedRows<Float32Array> {
    const from = matrixAnywhere({ op, argument: "points" }, points, 2);
    const to = matrixAnywhere({ op, argument: "distances" }, distances, 4);
    sameRows(op, "distances", to.dims[0], from.dims[0]);
    return {
      op,
      stem: "star_points",
      rows: from.dims[0],
      inputs: [{ argument: "points", source: from, columns: 2 }, { argument: "distances", source: to, columns: 4 }],
      outputs: 1,
      columns: 18,
      counts: {},
      parameters: {},
      onWasm: (backend, inputs) =>
        mapRows(op, backend, from.dims[0], inputs, [18], ([point, distance], [star], rows) => {
          backend.kernels.star_points(point, distance, rows, star);
        }),
      resultOf: ([stars]) => stars,
    };
  },
});
