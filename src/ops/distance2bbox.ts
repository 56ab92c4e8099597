/** Boxes from distances. */
import type { TensorLike } from "../types.ts";
import { matrixAnywhere, namesOf, options as checkOptions, size, typeError } from "../validate.ts";
import { type CheckedRows, rowOperation } from "./row_call.ts";
import { mapRows } from "./rows.ts";

const op = "distance2bbox";

export interface Options {
  maxShape?: readonly [number, number];
}

const OPTIONS = namesOf<Options>({ maxShape: true });

export const distance2bbox = rowOperation({
  name: op,
  stem: "distance2bbox",
  kernels: ["distance2bbox"],
  shapes: "(N, 2), (N, 4) → (N, 4)",
  summary: "points and distances l, t, r, b to boxes",
  check(points: TensorLike, distances: TensorLike, options?: Options): CheckedRows<Float32Array> {
    const { maxShape } = checkOptions(op, options, OPTIONS);
    const [maxY, maxX] = maxShape === undefined ? [-1, -1] : size({ op, argument: "options.maxShape" }, maxShape);
    const from = matrixAnywhere({ op, argument: "points" }, points, 2);
    const to = matrixAnywhere({ op, argument: "distances" }, distances, 4);
    sameRows(op, "distances", to.dims[0], from.dims[0]);
    return {
      op,
      stem: "distance2bbox",
      rows: from.dims[0],
      inputs: [{ argument: "points", source: from, columns: 2 }, { argument: "distances", source: to, columns: 4 }],
      outputs: 1,
      columns: 4,
      counts: {},
      parameters: { max_x: maxX, max_y: maxY },
      onWasm: (backend, inputs) =>
        mapRows(op, backend, from.dims[0], inputs, [4], ([point, distance], [box], rows) => {
          backend.kernels.distance2bbox(point, distance, 1, rows, maxX, maxY, box);
        }),
      resultOf: ([boxes]) => boxes,
    };
  },
});

/** Both inputs must have as many rows. */
export function sameRows(op: string, argument: string, rows: number, wanted: number, other = "points"): void {
  if (rows !== wanted) throw typeError({ op, argument }, `${rows} rows`, `${wanted}, one per row of ${other}`);
}
