/** The training loss of GFL: quality focal, generalized IoU and distribution focal loss over one assignment. */
import { atLeastZero } from "../ops/classification_loss.ts";
import { dflDecode } from "../ops/dfl_decode.ts";
import { distributionFocalLoss } from "../ops/distribution_focal_loss.ts";
import type { Operation } from "../ops/operation.ts";
import { qualityFocalLoss } from "../ops/quality_focal_loss.ts";
import { mapRows } from "../ops/rows.ts";
import type { CriterionResult, GflCriterionInput, GflCriterionOptions, LabelTarget } from "../types.ts";
import { boolean, matrix, oneOf, options as checkOptions, type Source } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { alignedIou, boxesOf, boxTerm, scaled, type Term, termOf } from "./box_terms.ts";
import { anchorMap, readScene, type Scene, tensorOf } from "./criterion_input.ts";
import {
  anchorWeights,
  collectPositives,
  gatherRows,
  labelTarget,
  type Positives,
  scatterRows,
  topScores,
} from "./positives.ts";

const op = "gflCriterion";
/** How far under the last bin the targets of the distribution end. */
const MARGIN = 0.1;

type Settings = Required<GflCriterionOptions>;

export const gflCriterion = {
  name: op,
  stem: "gfl_criterion",
  kernels: ["aligned_iou", "dfl_decode_grad"],
  shapes: "(B, N, C), (B, N, 4·bins), ground truth → (), gradients",
  summary: "training loss of GFL, with gradients",
  run(backend: WasmBackend, input: GflCriterionInput, options?: GflCriterionOptions): CriterionResult {
    const settings = readSettings(checkOptions(op, options));
    const scene = readScene(op, input, "distribution");
    const cls = anchorMap(op, "cls", input.cls, scene, scene.head.numClasses);
    const dist = anchorMap(op, "dist", input.dist, scene, 4 * scene.head.bins);
    return backend.memory.frame(op, () => criterion(backend, scene, cls, dist, settings));
  },
} satisfies Operation;

function readSettings(given: Partial<GflCriterionOptions>): Settings {
  const place = (member: string) => ({ op, argument: `options.${member}` });
  return {
    normalizer: oneOf(place("normalizer"), given.normalizer ?? "paper", ["paper", "mmdet"]),
    lambdaBox: atLeastZero(op, "lambdaBox", given.lambdaBox ?? 2),
    lambdaDfl: atLeastZero(op, "lambdaDfl", given.lambdaDfl ?? 0.25),
    beta: atLeastZero(op, "beta", given.beta ?? 2),
    grad: boolean(place("grad"), given.grad ?? false),
  };
}

function criterion(
  backend: WasmBackend,
  scene: Scene,
  clsMap: Source,
  distMap: Source,
  settings: Settings,
): CriterionResult {
  const { bins, numClasses } = scene.head;
  const { lambdaBox, lambdaDfl, grad } = settings;
  const positives = collectPositives(scene);
  const confidence = topScores(backend, clsMap, numClasses, positives.rows);
  const logits = gatherRows(backend, distMap, 4 * bins, positives.rows);
  const pred = decode(backend, logits, positives, bins);
  const target = boxesOf(positives.sides);
  const quality = alignedIou(backend, op, pred, target);
  const divisors = divisorsOf(settings.normalizer, positives, confidence);
  const cls = clsTerm(backend, clsMap, scene, labelTarget(scene, positives, quality), divisors.cls, settings);
  const box = boxTerm(backend, pred, target, scaled(confidence, lambdaBox / divisors.box), grad);
  const dfl = dflTerm(backend, logits, positives, scaled(confidence, lambdaDfl / divisors.dfl), bins, grad);
  const result = {
    total: cls.loss + box.loss + dfl.loss,
    parts: { cls: cls.loss, box: box.loss, dfl: dfl.loss },
    numPos: positives.count,
  };
  if (!grad) return result;
  const distGrad = distGradient(backend, logits, positives, bins, box, dfl);
  return { ...result, grad: { cls: cls.grad, dist: scatterRows(scene, positives, distGrad, 4 * bins) } };
}

/** Boxes (P, 4) around the anchors' points, in pixels. */
function decode(backend: WasmBackend, logits: Float32Array, { count, strides }: Positives, bins: number): Float32Array {
  const sides = dflDecode.run(backend, { data: logits, dims: [count, 4 * bins] }, { bins });
  return boxesOf(sides.map((side, i) => side * strides[i >> 2]));
}

/** What the sum of each part is divided by. */
function divisorsOf(
  normalizer: Settings["normalizer"],
  { count, perImage }: Positives,
  confidence: Float32Array,
): { cls: number; box: number; dfl: number } {
  const atLeastOne = Math.max(count, 1);
  if (normalizer === "paper") return { cls: atLeastOne, box: atLeastOne, dfl: atLeastOne };
  const perImageAtLeastOne = perImage.reduce((sum, found) => sum + Math.max(found, 1), 0);
  const confidences = Math.max(confidence.reduce((sum, score) => sum + score, 0), 1);
  return { cls: Math.max(perImageAtLeastOne, 1), box: confidences, dfl: 4 * confidences };
}

/** Quality focal loss of all anchors but the ignored ones. */
function clsTerm(
  backend: WasmBackend,
  map: Source,
  scene: Scene,
  target: LabelTarget,
  avgFactor: number,
  { beta, grad }: Settings,
): Term {
  const weight = anchorWeights(scene);
  return termOf(qualityFocalLoss.run(backend, tensorOf(backend, map), target, { beta, grad, weight, avgFactor }));
}

/** Distribution focal loss of the four sides, each with its positive's weight. */
function dflTerm(
  backend: WasmBackend,
  logits: Float32Array,
  { count, sides, strides }: Positives,
  weights: Float32Array,
  bins: number,
  grad: boolean,
): Term {
  const last = bins - 1 - MARGIN;
  const target = sides.map((side, i) => Math.min(Math.max(side / strides[i >> 2], 0), last));
  const weight = sides.map((_, i) => weights[i >> 2]);
  const pred = { data: logits, dims: [4 * count, bins] };
  return termOf(distributionFocalLoss.run(backend, pred, target, { reduction: "sum", weight, grad }));
}

/** (P, 4·bins): through the boxes, which are the stride times the mean of each side's distribution, and of the bins. */
function distGradient(
  backend: WasmBackend,
  logits: Float32Array,
  { count, strides }: Positives,
  bins: number,
  box: Term,
  dfl: Term,
): Float32Array {
  const slopes = box.grad.map((slope, i) => slope * strides[i >> 2]);
  const inputs = [
    { source: matrix({ op, argument: "dist" }, logits, bins), columns: bins },
    { source: matrix({ op, argument: "slopes" }, slopes, 1), columns: 1 },
  ];
  const [grad] = mapRows(op, backend, 4 * count, inputs, [bins], ([row, slope], [out], rows) => {
    backend.kernels.dfl_decode_grad(row, slope, rows, bins, out);
  });
  for (let i = 0; i < grad.length; i++) grad[i] += dfl.grad[i];
  return grad;
}
