/** Boxes from distances. */
import type { TensorLike } from "../types.ts";
import { matrix, options as checkOptions, size, typeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import type { Operation } from "./operation.ts";
import { mapRows } from "./rows.ts";

const op = "distance2bbox";

export const distance2bbox = {
  name: op,
  stem: "distance2bbox",
  kernels: ["distance2bbox"],
  shapes: "(N, 2), (N, 4) → (N, 4)",
  summary: "points and distances l, t, r, b to boxes",
  run(
    backend: WasmBackend,
    points: TensorLike,
    distances: TensorLike,
    options?: { maxShape?: readonly [number, number] },
  ): Float32Array {
    const { maxShape } = checkOptions(op, options);
    const [maxY, maxX] = maxShape === undefined ? [-1, -1] : size({ op, argument: "options.maxShape" }, maxShape);
    const from = matrix({ op, argument: "points" }, points, 2);
    const to = matrix({ op, argument: "distances" }, distances, 4);
    sameRows(op, "distances", to.rows, from.rows);
    const inputs = [{ source: from, columns: 2 }, { source: to, columns: 4 }];
    const [boxes] = mapRows(op, backend, from.rows, inputs, [4], ([point, distance], [box], rows) => {
      backend.kernels.distance2bbox(point, distance, 1, rows, maxX, maxY, box);
    });
    return boxes;
  },
} satisfies Operation;

/** Both inputs must have as many rows. */
export function sameRows(op: string, argument: string, rows: number, wanted: number, other = "points"): void {
  if (rows !== wanted) throw typeError({ op, argument }, `${rows} rows`, `${wanted}, one per row of ${other}`);
}
