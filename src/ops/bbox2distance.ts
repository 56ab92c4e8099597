/** Distances from boxes. */
import { doc } from "../doc.ts";
import { numberParam, optionalNumber, paramReader } from "../params.ts";
import type { TensorLike } from "../types.ts";
import { matrixAnywhere, number } from "../validate.ts";
import { sameRows } from "./distance2bbox.ts";
import { type CheckedRows, ROUNDED_ONCE, rowOperation } from "./row_call.ts";
import { mapRows } from "./rows.ts";

const op = "bbox2distance";

const PARAMS = {
  maxDistance: optionalNumber(doc`distances are clamped to [0, maxDistance − eps]`),
  eps: numberParam(doc`how far under maxDistance they end`, 0.1, { min: 0 }),
};

const readOptions = paramReader(op, PARAMS);

export const bbox2distance = rowOperation({
  stem: op,
  kernels: ["bbox2distance"],
  shapes: doc`(N, 2), (N, 4) → (N, 4)`,
  tensors: doc`points (N, 2) and boxes (N, 4), both in one unit; result (N, 4), sides l, t, r, b`,
  summary: doc`points and boxes to distances l, t, r, b`,
  params: PARAMS,
  throws: [doc`RangeError if maxDistance is under eps`],
  ...ROUNDED_ONCE,
  source: doc`Tian et al. 2019 (FCOS), equation 1; the clamp is that of mmdet`,
  check(points: TensorLike, boxes: TensorLike, options?: object): CheckedRows<Float32Array> {
    const { maxDistance, eps } = readOptions(options);
    const limit = maxDistance === undefined
      ? -1
      : number({ op, argument: "options.maxDistance" }, maxDistance, eps) - eps;
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
