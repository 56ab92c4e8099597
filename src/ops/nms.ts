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
    upright(backend, "nms", boxes, scores, () => null, readOptions(options)),
});

/** Checks the classes for that many boxes and returns them, or null where all boxes compete. */
type ClassesOf = (count: number) => HostArray<Int32Array> | null;

/** NMS of upright boxes with checked options. */
export function upright(
  backend: WasmBackend,
  op: string,
  boxes: TensorLike,
  scores: TensorLike,
  classesOf: ClassesOf,
  options: Values<typeof NMS_PARAMS>,
): Int32Array {
  const { kernels } = backend;
  return suppress(backend, op, { boxes, scores, classesOf, columns: 4 }, options, {
    scratchBytes: (count) => kernels.nms_scratch(count),
    run: ({ boxes, labels, order, sorted, most, scratch, keep }) =>
      kernels.nms(boxes, labels, order, sorted, options.iouThreshold, most, scratch, keep, false),
  });
}

/** The tensors of a call; `columns` are the numbers of a box. */
interface Input {
  readonly boxes: TensorLike;
  readonly scores: TensorLike;
  readonly classesOf: ClassesOf;
  readonly columns: number;
}

/** What a kernel reads and writes: pointers, and numbers of boxes. */
interface Staged {
  readonly boxes: number;
  /** 0 where all boxes compete. */
  readonly labels: number;
  readonly order: number;
  readonly sorted: number;
  readonly count: number;
  /** The largest number to keep. */
  readonly most: number;
  readonly scratch: number;
  readonly keep: number;
}

interface Kernel {
  scratchBytes(count: number): number;
  /** Writes kept indices and returns how many. */
  run(staged: Staged): number;
}

/** The largest number of boxes that fits a signed index; a limit of no limit. */
const NO_LIMIT = 0x7fffffff;

/** Brings the boxes and their order to linear memory, and the kept indices back. */
export function suppress(
  backend: WasmBackend,
  op: string,
  { boxes, scores, classesOf, columns }: Input,
  { scoreThreshold = NaN, maxDetections }: Pick<Values<typeof NMS_PARAMS>, "scoreThreshold" | "maxDetections">,
  kernel: Kernel,
): Int32Array {
  const rows = matrix({ op, argument: "boxes" }, boxes, columns);
  const count = rows.dims[0];
  const ranking = vector({ op, argument: "scores" }, scores, count);
  const classes = classesOf(count);
  if (count === 0) return new Int32Array(0);
  const { kernels, memory } = backend;
  return memory.frame(op, (allocate) => {
    const order = allocate(count * 4);
    const keep = allocate(count * 4);
    const rank = allocate(backend.stagingBytes(count));
    const labels = classes === null ? 0 : allocate(count * 4);
    const box = backend.resident(rows) === 0 ? allocate(backend.stagingBytes(count * columns)) : 0;
    const scratch = allocate(Math.max(count * 16, kernel.scratchBytes(count)));
    const scorePointer = backend.stage(ranking, 0, count, rank);
    const boxPointer = backend.stage(rows, 0, count * columns, box);
    if (classes !== null) memory.ints.set(backend.values(classes), labels >> 2);
    const sorted = kernels.sort_scores(scorePointer, count, floorToFloat(scoreThreshold), order, scratch);
    const most = Math.min(maxDetections, NO_LIMIT);
    const kept = kernel.run({ boxes: boxPointer, labels, order, sorted, count, most, scratch, keep });
    return memory.ints.slice(keep >> 2, (keep >> 2) + kept);
  });
}
