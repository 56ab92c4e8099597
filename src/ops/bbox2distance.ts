/** Distances from boxes. */
import type { TensorLike } from "../types.ts";
import { matrixAnywhere, namesOf, number, options as checkOptions } from "../validate.ts";
import { sameRows } from "./distance2bbox.ts";
import { type CheckedRows, rowOperation } from "./row_call.ts";
import { mapRows } from "./rows.ts";

const op = "bbox2distance";

export interface Options {
  maxDistance?: number;
  eps?: number;
}

const OPTIONS = namesOf<Options>({ maxDistance: true, eps: true });

export const bbox2distance = rowOperation({
  name: op,
  stem: "bbox2distance",
  kernels: ["bbox2distance"],
  shapes: "(N, 2), (N, 4) → (N, 4)",
  summary: "points and boxes to distances l, t, r, b",
  check(points: TensorLike, boxes: TensorLike, options?: Options): CheckedRows<Float32Array> {
    const { maxDistance, eps = 0.1 } = checkOptions(op, options, OPTIONS);
    const margin = number({ op, argument: "options.eps" }, eps, 0);
    const limit = maxDistance === undefined
      ? -1
      : number({ op, argument: "options.maxDistance" }, maxDistance, margin) - margin;
    const from = matrixAnywhere({ op, argument: "points" }, points, 2);
    const to = matrixAnywhere({ op, argument: "boxes" }, boxes, 4);
    sameRows(op, "boxes", to.dims[0], from.dims[0]);
    return {
      op,
      stem: "bbox2distance",
      rows: from.dims[0],
      inputs: [{ argument: "points", source: from, columns: 2 }, { argument: "boxes", source: to, columns: 4 }],
      outputs: 1,
      columns: 4,
      counts: {},
      parameters: { limit },
      onWasm: (backend, inputs) =>
        mapRows(op, backend, from.dims[0], inputs, [4], ([point, box], [distance], rows) => {
          backend.kernels.bbox2distance(point, box, limit, rows, distance);
        }),
      resultOf: ([distances]) => distances,
    };
  },
});
