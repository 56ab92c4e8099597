/** Task-aligned assignment: which ground truth each anchor learns, by what the network predicts there. */
import { doc } from "../doc.ts";
import { nameOf, routine } from "../operation.ts";
import { sameRows } from "../ops/distance2bbox.ts";
import { mapRows } from "../ops/rows.ts";
import { atLeastZero, integerParam, type Param, paramReader, type Values } from "../params.ts";
import type { GroundTruth, TaskAlignedAssignment, TaskAlignedOptions, TensorLike } from "../types.ts";
import { describeTensor, matrix, rangeError, type Source, tensor, typeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { type Candidate, keep } from "./best_candidates.ts";
import {
  type Box,
  boxAt,
  type CheckedGroundTruth,
  checkGroundTruth,
  IGNORED,
  isInside,
  NEGATIVE,
} from "./ground_truth.ts";

const stem = "task_aligned_assign";
const op = nameOf(stem);

const PARAMS = {
  topk: integerParam(doc`largest number of anchors of an object`, 13, { min: 1 }),
  alpha: atLeastZero(doc`exponent of the score`, 1),
  beta: atLeastZero(doc`exponent of the IoU`, 6),
} as const satisfies Record<keyof TaskAlignedOptions, Param>;

const readOptions = paramReader(op, PARAMS);

type Settings = Values<typeof PARAMS>;

/** Keeps the target finite where the best alignment is tiny. */
const EPSILON = 1e-7;

export const taskAlignedAssign = routine({
  stem,
  kernels: [],
  shapes: doc`(N, C), (N, 4), (N, 2), gt (K, 4) → (N), (N), (N·C)`,
  tensors:
    doc`scores (N, C), probabilities; boxes (N, 4) in \`xyxy\`, points (N, 2) and gt in pixels; results (N), (N), (N·C)`,
  throws: [
    doc`RangeError if a label is outside 0…C−1`,
    doc`RangeError if a box of gt is inverted or not finite`,
  ],
  summary: doc`TAL: ground truth and target scores of each anchor`,
  params: PARAMS,
  bounds: {},
  errorBound: doc`\`gtIndex\` is exact; \`iou\` and \`targetScores\` are rounded once`,
  source: doc`Feng et al. 2021 (TOOD), section 3.2`,
  run(
    backend: WasmBackend,
    scores: TensorLike,
    boxes: TensorLike,
    points: TensorLike,
    gt: GroundTruth,
    options?: TaskAlignedOptions,
  ): TaskAlignedAssignment {
    const settings = readOptions(options);
    const at = matrix({ op, argument: "points" }, points, 2);
    const predicted = matrix({ op, argument: "boxes" }, boxes, 4);
    sameRows(op, "boxes", predicted.dims[0], at.dims[0]);
    const probabilities = scoreMatrix(scores, at.dims[0]);
    const objects = checkGroundTruth({ op, argument: "gt" }, gt);
    if (at.dims[0] > 0) checkLabels(objects.labels, probabilities.classes);
    const gtIndex = new Int32Array(at.dims[0]).fill(NEGATIVE);
    const inputs = [
      { source: probabilities, columns: probabilities.classes },
      { source: predicted, columns: 4 },
      { source: at, columns: 2 },
    ];
    const best: Candidate[][] = Array.from({ length: objects.count }, () => []);
    let firstAnchor = 0;
    mapRows(op, backend, at.dims[0], inputs, [], ([score, box, point], _, rows) => {
      const floats = backend.memory.floats;
      const chunk: Chunk = {
        firstAnchor,
        rows,
        classes: probabilities.classes,
        scores: floats.subarray(score >> 2),
        boxes: floats.subarray(box >> 2),
        points: floats.subarray(point >> 2),
      };
      best.forEach((candidates, index) => collect(chunk, objects, index, settings, candidates));
      ignoreCrowds(chunk, objects.ignore, gtIndex);
      firstAnchor += rows;
    });
    return targets(best, objects.labels, probabilities.classes, gtIndex);
  },
});

/** (N, C). */
function scoreMatrix(scores: TensorLike, rows: number): Source & { readonly classes: number } {
  const place = { op, argument: "scores" };
  const found = tensor(place, scores, (length) => rows === 0 ? [0, 0] : [rows, length / rows]);
  const [height, classes] = found.dims;
  if (found.dims.length !== 2 || height !== rows || !Number.isInteger(classes)) {
    throw typeError(place, describeTensor(scores, found), `shape (${rows}, C), a row for each point`);
  }
  return { ...found, classes };
}

function checkLabels(labels: Int32Array, classes: number): void {
  labels.forEach((label, i) => {
    if (label < 0 || label >= classes) {
      throw rangeError({ op, argument: `gt.labels[${i}]` }, label, `a class from 0 to ${classes - 1}`);
    }
  });
}

/** Rows of the inputs as float32, from the first on. */
interface Chunk {
  readonly firstAnchor: number;
  readonly rows: number;
  readonly classes: number;
  readonly scores: Float32Array;
  readonly boxes: Float32Array;
  readonly points: Float32Array;
}

/** Adds the chunk's anchors to the object's best. */
function collect(
  { firstAnchor, rows, classes, scores, boxes, points }: Chunk,
  objects: CheckedGroundTruth,
  index: number,
  { topk, alpha, beta }: Settings,
  best: Candidate[],
): void {
  const object = boxAt(objects.boxes, index);
  const label = objects.labels[index];
  for (let row = 0; row < rows; row++) {
    if (!isInside(points[row * 2], points[row * 2 + 1], object)) continue;
    const iou = overlapOf(boxAt(boxes, row), object);
    const score = scores[row * classes + label];
    const alignment = score ** alpha * iou ** beta;
    // NaN to the power of 0 is 1.
    const valid = score >= 0 && iou >= 0 && alignment > 0 && alignment < Infinity;
    if (valid) keep(best, { anchor: firstAnchor + row, alignment, iou }, topk);
  }
}

/** IoU of a box with an object whose area is not 0; NaN where the box has one. */
function overlapOf(box: Box, { x1, y1, x2, y2 }: Box): number {
  const shared = Math.max(Math.min(box.x2, x2) - Math.max(box.x1, x1), 0) *
    Math.max(Math.min(box.y2, y2) - Math.max(box.y1, y1), 0);
  const area = Math.max(box.x2 - box.x1, 0) * Math.max(box.y2 - box.y1, 0);
  return shared / (area + (x2 - x1) * (y2 - y1) - shared);
}

/** What belongs to no object in the end stays ignored. */
function ignoreCrowds({ firstAnchor, rows, points }: Chunk, ignore: Float32Array, gtIndex: Int32Array): void {
  for (let region = 0; region < ignore.length / 4; region++) {
    const crowd = boxAt(ignore, region);
    for (let row = 0; row < rows; row++) {
      if (isInside(points[row * 2], points[row * 2 + 1], crowd, 0)) gtIndex[firstAnchor + row] = IGNORED;
    }
  }
}

/** Every anchor goes to the object it overlaps most; then the alignments of an object's anchors are scaled to its best IoU. */
function targets(
  best: readonly (readonly Candidate[])[],
  labels: Int32Array,
  classes: number,
  gtIndex: Int32Array,
): TaskAlignedAssignment {
  const iou = new Float64Array(gtIndex.length);
  best.forEach((candidates, index) => {
    for (const candidate of candidates) {
      const { anchor } = candidate;
      if (gtIndex[anchor] >= 0 && candidate.iou <= iou[anchor]) continue;
      gtIndex[anchor] = index;
      iou[anchor] = candidate.iou;
    }
  });
  const targetScores = new Float32Array(gtIndex.length * classes);
  best.forEach((candidates, index) => {
    const own = candidates.filter(({ anchor }) => gtIndex[anchor] === index);
    const mostAligned = own.reduce((most, { alignment }) => Math.max(most, alignment), 0);
    const highestIou = own.reduce((most, candidate) => Math.max(most, candidate.iou), 0);
    for (const { anchor, alignment } of own) {
      targetScores[anchor * classes + labels[index]] = alignment / (mostAligned + EPSILON) * highestIou;
    }
  });
  return { gtIndex, iou: new Float32Array(iou), targetScores };
}
