/** Soft non-maximum suppression. */
import type { SoftNmsOptions, TensorLike } from "../types.ts";
import { integer, matrix, namesOf, number, oneOf, options as checkOptions, rangeError, vector } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import type { Operation } from "./operation.ts";

const op = "softNms";
const OPTIONS = namesOf<SoftNmsOptions>({
  method: true,
  sigma: true,
  iouThreshold: true,
  minScore: true,
  maxDetections: true,
});
const METHODS = ["linear", "gaussian"] as const;

export const softNms = {
  name: op,
  stem: "soft_nms",
  kernels: ["soft_nms"],
  shapes: "(N, 4), (N) → (K), (K)",
  summary: "soft-NMS, linear or gaussian",
  run(
    backend: WasmBackend,
    boxes: TensorLike,
    scores: TensorLike,
    options?: SoftNmsOptions,
  ): { indices: Int32Array; scores: Float32Array } {
    const given = checkOptions(op, options, OPTIONS);
    const method = oneOf({ op, argument: "options.method" }, given.method ?? "gaussian", METHODS);
    const sigma = number({ op, argument: "options.sigma" }, given.sigma ?? 0.5);
    if (!(sigma > 0)) throw rangeError({ op, argument: "options.sigma" }, sigma, "a number over 0");
    const threshold = number({ op, argument: "options.iouThreshold" }, given.iouThreshold ?? 0.3, 0, 1);
    const minScore = number({ op, argument: "options.minScore" }, given.minScore ?? 0.001, 0, 1);
    const limit = integer({ op, argument: "options.maxDetections" }, given.maxDetections ?? Infinity, 0);
    const corners = matrix({ op, argument: "boxes" }, boxes, 4);
    const count = corners.dims[0];
    const ranking = vector({ op, argument: "scores" }, scores, count);
    const { kernels, memory } = backend;
    return memory.frame(op, (allocate) => {
      const work = allocate(count * 8);
      const keep = allocate(count * 4);
      const kept = allocate(count * 4);
      const rank = backend.stage(ranking, 0, count, allocate(backend.room(count)));
      const box = backend.stage(corners, 0, count * 4, allocate(backend.room(count * 4)));
      memory.view(Float64Array, work, count).set(memory.view(Float32Array, rank, count));
      const most = Math.min(limit, count);
      const code = METHODS.indexOf(method);
      const n = kernels.soft_nms(box, work, count, code, sigma, threshold, minScore, most, keep, kept);
      return {
        indices: memory.ints.slice(keep >> 2, (keep >> 2) + n),
        scores: memory.floats.slice(kept >> 2, (kept >> 2) + n),
      };
    });
  },
} satisfies Operation;
