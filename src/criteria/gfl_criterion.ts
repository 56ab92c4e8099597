/** The training loss of GFL: quality focal, generalized IoU and distribution focal loss over one assignment. */
import { doc } from "../doc.ts";
import { ownArray } from "../arrays.ts";
import { dflDecode } from "../ops/dfl_decode.ts";
import { EPS } from "../ops/box_loss.ts";
import { giouLoss } from "../ops/giou_loss.ts";
import { runLoss } from "../ops/loss.ts";
import { alignedBoxIou } from "../ops/aligned_box_iou.ts";
import { bound, routine } from "../operation.ts";
import { atLeastZero, type Param, paramReader, type Values } from "../params.ts";
import { qualityFocalLoss } from "../ops/quality_focal_loss.ts";
import type { CriterionInput, CriterionResult, GflCriterionInput, GflCriterionOptions, Placement } from "../types.ts";
import { namesOf, onHost } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { boxesOf, boxTerm, scaled, termOf } from "./box_terms.ts";
import { type CheckedGfl, CriterionCall } from "./criterion_call.ts";
import { anchorMap, checkInput, CRITERION_PARAMS, INPUTS, NORMALIZER, readScene, tensorOf } from "./criterion_input.ts";
import {
  anchorWeights,
  collectPositives,
  gatherRows,
  labelsOf,
  type Positives,
  qualitiesOf,
  scatterInto,
  topScores,
} from "./positives.ts";
import { dflTerm, distGradient, distributionTargets } from "./side_terms.ts";

const op = "gflCriterion";
/** How far under the last bin the targets of the distribution end. */
const MARGIN = 0.1;

const PARAMS = {
  normalizer: NORMALIZER,
  lambdaBox: atLeastZero(doc`weight of the box part`, 2),
  lambdaDfl: atLeastZero(doc`weight of the distributions' part`, 0.25),
  beta: atLeastZero(doc`exponent of the quality focal loss`, 2),
  ...CRITERION_PARAMS,
} as const satisfies Record<keyof GflCriterionOptions, Param>;

const readOptions = paramReader(op, PARAMS);
const MEMBERS = [...INPUTS, ...namesOf<Omit<GflCriterionInput, keyof CriterionInput>>({ dist: true })];

type Settings = Values<typeof PARAMS>;

export const gflCriterion = routine({
  stem: "gfl_criterion",
  kernels: [],
  shapes: doc`(B, N, C), (B, N, 4·bins), ground truth → (), gradients`,
  tensors:
    doc`cls (B, N, C) and dist (B, N, 4·bins), logits; gt and gtIndex (N) for each image. Results without unit; gradients \`cls\` and \`dist\` in the shapes of the maps`,
  summary: doc`training loss of GFL, with gradients`,
  params: PARAMS,
  throws: [
    doc`TypeError if the head has no distributions`,
    doc`TypeError if it has an objectness`,
    doc`TypeError if the maps do not fit head, image size and gt`,
    doc`RangeError if a label is no class`,
    doc`RangeError if an index is no object's`,
    doc`RangeError if a box is inverted`,
  ],
  bounds: { part: bound(1e-6, 8e-6), dfl: bound(4e-6, 8e-6), gradient: bound(1e-6) },
  errorBound:
    doc`≤ {part} of max(1, part), ≤ {dfl} for \`dfl\`, whose targets are float32. For a gradient, ≤ {gradient} of the largest in its map. On WebGPU ≤ {part.webgpu} of max(1, part) and ≤ {gradient.webgpu} of the largest gradient of a map`,
  source: doc`Li et al. 2020 (Generalized Focal Loss), equation 8`,
  check,
  run: (backend: WasmBackend, input: GflCriterionInput, options?: GflCriterionOptions<Placement>): CriterionResult =>
    check(input, options).onWasm(backend),
});

function check(input: GflCriterionInput, options?: GflCriterionOptions<Placement>): CriterionCall<CheckedGfl> {
  const settings = readOptions(options);
  checkInput(op, input, MEMBERS);
  const scene = readScene(op, input, "distribution");
  const map = anchorMap(op, "cls", input.cls, scene, scene.head.numClasses);
  const dist = anchorMap(op, "dist", input.dist, scene, 4 * scene.head.bins);
  const positives = collectPositives(scene);
  const { beta, grad, placement } = settings;
  const { checked: cls } = qualityFocalLoss.check(tensorOf(map), { labels: labelsOf(scene, positives) }, {
    beta,
    grad,
    placement,
    weight: anchorWeights(scene),
    avgFactor: clsDivisor(settings.normalizer, positives),
  });
  const targets = distributionTargets(positives, scene.head.bins, MARGIN);
  const scatter = scatterInto(scene, positives);
  const checked: CheckedGfl = {
    op,
    scene,
    positives,
    eps: EPS,
    cls: { ...cls, op, pred: map },
    maps: { dist },
    scatter,
    targets,
    settings,
  };
  return new CriterionCall(checked, criterion);
}

/** The criterion on WASM. */
function criterion(backend: WasmBackend, checked: CheckedGfl): CriterionResult {
  const { scene, positives, targets, settings } = checked;
  const { bins, numClasses } = scene.head;
  const { lambdaBox, lambdaDfl, grad } = settings;
  const clsMap = onHost({ op, argument: "input.cls" }, checked.cls.pred);
  const distMap = onHost({ op, argument: "input.dist" }, checked.maps.dist);
  const confidence = topScores(backend, clsMap, numClasses, positives.rows);
  const logits = gatherRows(backend, distMap, 4 * bins, positives.rows);
  const pred = decode(backend, logits, positives, bins);
  const scores = qualitiesOf(scene, positives, alignedBoxIou.run(backend, pred, positives.boxes));
  const divisors = divisorsOf(settings.normalizer, positives, confidence);
  const cls = termOf(runLoss(backend, { ...checked.cls, scores: ownArray({ op, argument: "scores" }, scores) }));
  const box = boxTerm(backend, giouLoss, pred, positives.boxes, scaled(confidence, lambdaBox / divisors.box), grad);
  const dfl = dflTerm(
    backend,
    logits,
    positives.count,
    targets,
    scaled(confidence, lambdaDfl / divisors.dfl),
    bins,
    grad,
  );
  const result = {
    total: cls.loss + box.loss + dfl.loss,
    parts: { cls: cls.loss, box: box.loss, dfl: dfl.loss },
    numPos: positives.count,
  };
  if (!grad) return result;
  const distGrad = distGradient(backend, logits, positives, bins, box, dfl);
  return { ...result, grad: { cls: cls.grad, dist: checked.scatter(distGrad, 4 * bins) } };
}

/** Boxes (P, 4) around the anchors' points, in pixels. */
function decode(backend: WasmBackend, logits: Float32Array, { count, strides }: Positives, bins: number): Float32Array {
  const sides = dflDecode.run(backend, { data: logits, dims: [count, 4 * bins] }, { bins });
  return boxesOf(sides.map((side, i) => side * strides[i >> 2]));
}

/** What the sum over all anchors is divided by. */
function clsDivisor(normalizer: Settings["normalizer"], { count, perImage }: Positives): number {
  const counted = normalizer === "paper" ? count : perImage.reduce((sum, found) => sum + Math.max(found, 1), 0);
  return Math.max(counted, 1);
}

/** What the sums over the positives are divided by. */
function divisorsOf(
  normalizer: Settings["normalizer"],
  { count }: Positives,
  confidence: Float32Array,
): { box: number; dfl: number } {
  const atLeastOne = Math.max(count, 1);
  if (normalizer === "paper") return { box: atLeastOne, dfl: atLeastOne };
  const confidences = Math.max(confidence.reduce((sum, score) => sum + score, 0), 1);
  return { box: confidences, dfl: 4 * confidences };
}
