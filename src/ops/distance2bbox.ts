/** Boxes from distances. */
import { doc } from "../doc.ts";
import { optionalSize, paramReader } from "../params.ts";
import type { TensorLike } from "../types.ts";
import { matrixAnywhere, typeError } from "../validate.ts";
import { type CheckedRows, ROUNDED_ONCE, rowOperation } from "./row_call.ts";
import { mapRows } from "./rows.ts";

const op = "distance2bbox";

const PARAMS = { maxShape: optionalSize(doc`image to clamp to, [height, width]`) };

const readOptions = paramReader(op, PARAMS);

export const distance2bbox = rowOperation({
  stem: op,
  kernels: ["distance2bbox"],
  shapes: doc`(N, 2), (N, 4) → (N, 4)`,
  tensors: doc`points (N, 2) and distances (N, 4), both in one unit; result (N, 4) in \`xyxy\``,
  summary: doc`points and distances l, t, r, b to boxes`,
  params: PARAMS,
  ...ROUNDED_ONCE,
  source: doc`Tian et al. 2019 (FCOS), section 3.1`,
  check(points: TensorLike, distances: TensorLike, options?: object): CheckedRows<Float32Array> {
    const [maxY, maxX] = readOptions(options).maxShape ?? [-1, -1];
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
