/** VarifocalNet's sampling points. */
import { doc } from "../doc.ts";
import { nameOf } from "../operation.ts";
import type { TensorLike } from "../types.ts";
import { matrixAnywhere } from "../validate.ts";
import { sameRows } from "./distance2bbox.ts";
import { type CheckedRows, ROUNDED_ONCE, rowOperation } from "./row_call.ts";
import { mapRows } from "./rows.ts";

const stem = "star_points";
const op = nameOf(stem);

export const starPoints = rowOperation({
  stem,
  kernels: ["star_points"],
  shapes: doc`(N, 2), (N, 4) → (N, 9, 2)`,
  tensors: doc`points (N, 2) and distances (N, 4), both in one unit; result (N, 9, 2) as x, y`,
  summary: doc`points and distances to VarifocalNet's nine sampling points`,
  params: {},
  ...ROUNDED_ONCE,
  source:
    doc`Zhang et al. 2020 (VarifocalNet), star-shaped box feature representation. The paper prints the seventh point as (x + l, y − t), a misprint`,
  check(points: TensorLike, distances: TensorLike): CheckedRows<Float32Array> {
    const from = matrixAnywhere({ op, argument: "points" }, points, 2);
    const to = matrixAnywhere({ op, argument: "distances" }, distances, 4);
    sameRows(op, "distances", to.dims[0], from.dims[0]);
    return {
      op,
      stem,
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
