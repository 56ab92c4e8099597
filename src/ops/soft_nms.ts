/** Soft non-maximum suppression. */
import { doc } from "../doc.ts";
import { nameOf, routine } from "../operation.ts";
import { choiceParam, integerParam, numberParam, type Param, paramReader } from "../params.ts";
import type { SoftNmsOptions, TensorLike } from "../types.ts";
import { matrix, vector } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";

const stem = "soft_nms";
const op = nameOf(stem);
/** In the order of the kernel's codes. */
const METHODS = ["linear", "gaussian"] as const;

const PARAMS = {
  method: choiceParam(
    doc`"gaussian": score · exp(−IoU² / sigma). "linear": score · (1 − IoU) where IoU ≥ iouThreshold`,
    METHODS,
    "gaussian",
  ),
  sigma: numberParam(doc`width of the gaussian decay`, 0.5, { over: 0 }),
  iouThreshold: numberParam(doc`IoU from which on "linear" decays scores`, 0.3, { min: 0, max: 1 }),
  minScore: numberParam(doc`least score; soft-NMS ends when the best score left is under it`, 0.001, {
    min: 0,
    max: 1,
  }),
  maxDetections: integerParam(doc`largest number of boxes to keep`, Infinity, { min: 0 }),
} as const satisfies Record<keyof SoftNmsOptions, Param>;

const readOptions = paramReader(op, PARAMS);

export const softNms = routine({
  stem,
  kernels: ["soft_nms"],
  shapes: doc`(N, 4), (N) → (K), (K)`,
  tensors: doc`boxes (N, 4) in \`xyxy\` and scores (N); results (K) and (K)`,
  summary: doc`soft-NMS, linear or gaussian`,
  params: PARAMS,
  bounds: {},
  errorBound: doc`scores decay in float64 and are rounded once`,
  source: doc`Bodla et al. 2017 (Soft-NMS), equations 2 and 3`,
  run(
    backend: WasmBackend,
    boxes: TensorLike,
    scores: TensorLike,
    options?: SoftNmsOptions,
  ): { indices: Int32Array; scores: Float32Array } {
    const { method, sigma, iouThreshold, minScore, maxDetections } = readOptions(options);
    const corners = matrix({ op, argument: "boxes" }, boxes, 4);
    const count = corners.dims[0];
    const ranking = vector({ op, argument: "scores" }, scores, count);
    const { kernels, memory } = backend;
    return memory.frame(op, (allocate) => {
      const work = allocate(count * 8);
      const keep = allocate(count * 4);
      const kept = allocate(count * 4);
      const rank = backend.stage(ranking, 0, count, allocate(backend.stagingBytes(count)));
      const box = backend.stage(corners, 0, count * 4, allocate(backend.stagingBytes(count * 4)));
      memory.view(Float64Array, work, count).set(memory.view(Float32Array, rank, count));
      const most = Math.min(maxDetections, count);
      const code = METHODS.indexOf(method);
      const n = kernels.soft_nms(box, work, count, code, sigma, iouThreshold, minScore, most, keep, kept);
      return {
        indices: memory.ints.slice(keep >> 2, (keep >> 2) + n),
        scores: memory.floats.slice(kept >> 2, (kept >> 2) + n),
      };
    });
  },
});
