/** Greedy non-maximum suppression. */
import { floorToFloat } from "../float32.ts";
import type { NmsOptions, TensorLike } from "../types.ts";
import type { HostArray } from "../arrays.ts";
import { integer, matrix, namesOf, number, options as checkOptions, vector } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import type { Operation } from "./operation.ts";

export const nms = {
  name: "nms",
  stem: "nms",
  kernels: ["nms", "nms_scratch", "sort_scores"],
  shapes: "(N, 4), (N) → (K)",
  summary: "greedy NMS",
  run: (backend: WasmBackend, boxes: TensorLike, scores: TensorLike, options: NmsOptions): Int32Array =>
    suppress(backend, "nms", boxes, scores, () => null, options),
} satisfies Operation;

const OPTIONS = namesOf<NmsOptions>({ iouThreshold: true, scoreThreshold: true, maxDetections: true });

/** The largest number of boxes that fits a signed index; a limit of no limit. */
const NO_LIMIT = 0x7fffffff;

/** NMS over checked inputs; `classesOf` checks and returns the classes for that many boxes, or null. */
export function suppress(
  backend: WasmBackend,
  op: string,
  boxes: TensorLike,
  scores: TensorLike,
  classesOf: (count: number) => HostArray<Int32Array> | null,
  options: NmsOptions,
): Int32Array {
  const { iouThreshold, scoreThreshold, maxDetections = Infinity } = checkOptions(op, options, OPTIONS, true);
  const threshold = number({ op, argument: "options.iouThreshold" }, iouThreshold, 0, 1);
  const least = scoreThreshold === undefined
    ? NaN
    : number({ op, argument: "options.scoreThreshold" }, scoreThreshold, 0, 1);
  const limit = integer({ op, argument: "options.maxDetections" }, maxDetections, 0);
  const corners = matrix({ op, argument: "boxes" }, boxes, 4);
  const count = corners.dims[0];
  const ranking = vector({ op, argument: "scores" }, scores, count);
  const classes = classesOf(count);
  if (count === 0) return new Int32Array(0);
  const { kernels, memory } = backend;
  return memory.frame(op, (allocate) => {
    const order = allocate(count * 4);
    const keep = allocate(count * 4);
    const rank = allocate(backend.room(count));
    const labels = classes === null ? 0 : allocate(count * 4);
    const box = backend.resident(corners) === 0 ? allocate(backend.room(count * 4)) : 0;
    const scratch = allocate(Math.max(count * 12, kernels.nms_scratch(count)));
    const scorePointer = backend.stage(ranking, 0, count, rank);
    const boxPointer = backend.stage(corners, 0, count * 4, box);
    if (classes !== null) memory.ints.set(backend.values(classes), labels >> 2);
    const sorted = kernels.sort_scores(scorePointer, count, floorToFloat(least), order, scratch);
    const most = Math.min(limit, NO_LIMIT);
    const kept = kernels.nms(boxPointer, labels, order, sorted, threshold, most, scratch, keep);
    return memory.ints.slice(keep >> 2, (keep >> 2) + kept);
  });
}
