/** Distances from boxes. */
import type { TensorLike } from "../types.ts";
import { matrix, number, options as checkOptions } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { sameRows } from "./distance2bbox.ts";
import type { Operation } from "./operation.ts";
import { mapRows } from "./rows.ts";

const op = "bbox2distance";

export const bbox2distance = {
  name: op,
  stem: "bbox2distance",
  kernels: ["bbox2distance"],
  shapes: "(N, 2), (N, 4) → (N, 4)",
  summary: "points and boxes to distances l, t, r, b",
  run(
    backend: WasmBackend,
    points: TensorLike,
    boxes: TensorLike,
    options?: { maxDistance?: number; eps?: number },
  ): Float32Array {
    const { maxDistance, eps = 0.1 } = checkOptions(op, options);
    const margin = number({ op, argument: "options.eps" }, eps, 0);
    const limit = maxDistance === undefined
      ? -1
      : number({ op, argument: "options.maxDistance" }, maxDistance, margin) - margin;
    const from = matrix({ op, argument: "points" }, points, 2);
    const to = matrix({ op, argument: "boxes" }, boxes, 4);
    sameRows(op, "boxes", to.rows, from.rows);
    const inputs = [{ source: from, columns: 2 }, { source: to, columns: 4 }];
    const [distances] = mapRows(op, backend, from.rows, inputs, [4], ([point, box], [distance], rows) => {
      backend.kernels.bbox2distance(point, box, limit, rows, distance);
    });
    return distances;
  },
} satisfies Operation;
