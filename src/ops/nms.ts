/** Greedy non-maximum suppression. */
import { doc } from "../doc.ts";
import type { HostArray } from "../arrays.ts";
import { floorToFloat } from "../float32.ts";
import { routine } from "../operation.ts";
import { integerParam, optionalNumber, type Param, paramReader, requiredNumber, type Values } from "../params.ts";
import type { NmsOptions, TensorLike } from "../types.ts";
import { matrix, vector } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";

export const NMS_KERNELS = ["nms", "nms_scratch", "sort_scores"] as const;

export const NMS_PARAMS = {
  iouThreshold: requiredNumber(doc`IoU with a kept box over which NMS drops a box`, { min: 0, max: 1 }),
  scoreThreshold: optionalNumber(
    doc`score that a box must be over; by default NMS drops only boxes whose score is NaN`,
    { min: 0, max: 1 },
  ),
  maxDetections: integerParam(doc`largest number of boxes to keep`, Infinity, { min: 0 }),
} as const satisfies Record<keyof NmsOptions, Param>;

const readOptions = paramReader("nms", NMS_PARAMS);

export const nms = routine({
  stem: "nms",
  kernels: NMS_KERNELS,
  shapes: doc`(N, 4), (N) → (K)`,
  tensors: doc`boxes (N, 4) in \`xyxy\` and scores (N); result (K), indices`,
  summary: doc`greedy NMS`,
  params: NMS_PARAMS,
  bounds: {},
  errorBound: doc`exact`,
  source: doc`Girshick et al. 2014 (R-CNN), section 2.2; the rules are those of torchvision's \`nms\``,
  run: (backend: WasmBackend, boxes: TensorLike, scores: TensorLike, options: NmsOptions): Int32Array =>
    suppress(backend, "nms", boxes, scores, () => null, readOptions(options)),
});

/** The largest number of boxes that fits a signed index; a limit of no limit. */
const NO_LIMIT = 0x7fffffff;

/** NMS over checked inputs; `classesOf` checks and returns the classes for that many boxes, or null. */
export function suppress(
  backend: WasmBackend,
  op: string,
  boxes: TensorLike,
  scores: TensorLike,
  classesOf: (count: number) => HostArray<Int32Array> | null,
  options: Values<typeof NMS_PARAMS>,
): Int32Array {
  const { iouThreshold, scoreThreshold = NaN, maxDetections } = options;
  const corners = matrix({ op, argument: "boxes" }, boxes, 4);
  const count = corners.dims[0];
  const ranking = vector({ op, argument: "scores" }, scores, count);
  const classes = classesOf(count);
  if (count === 0) return new Int32Array(0);
  const { kernels, memory } = backend;
  return memory.frame(op, (allocate) => {
    const order = allocate(count * 4);
    const keep = allocate(count * 4);
    const rank = allocate(backend.stagingBytes(count));
    const labels = classes === null ? 0 : allocate(count * 4);
    const box = backend.resident(corners) === 0 ? allocate(backend.stagingBytes(count * 4)) : 0;
    const scratch = allocate(Math.max(count * 12, kernels.nms_scratch(count)));
    const scorePointer = backend.stage(ranking, 0, count, rank);
    const boxPointer = backend.stage(corners, 0, count * 4, box);
    if (classes !== null) memory.ints.set(backend.values(classes), labels >> 2);
    const sorted = kernels.sort_scores(scorePointer, count, floorToFloat(scoreThreshold), order, scratch);
    const most = Math.min(maxDetections, NO_LIMIT);
    const kept = kernels.nms(boxPointer, labels, order, sorted, iouThreshold, most, scratch, keep, false);
    return memory.ints.slice(keep >> 2, (keep >> 2) + kept);
  });
}
