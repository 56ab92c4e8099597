/** The training loss of VarifocalNet: varifocal loss, and generalized IoU loss of the initial and of the refined boxes. */
import { doc } from "../doc.ts";
import { ownArray } from "../arrays.ts";
import { alignedBoxIou } from "../ops/aligned_box_iou.ts";
import { EPS } from "../ops/box_loss.ts";
import { giouLoss } from "../ops/giou_loss.ts";
import { runLoss } from "../ops/loss.ts";
import { bound, routine } from "../operation.ts";
import { atLeastZero, type Param, paramReader, type Values } from "../params.ts";
import { varifocalLoss } from "../ops/varifocal_loss.ts";
import type {
  CriterionInput,
  CriterionResult,
  Placement,
  VfnetCriterionInput,
  VfnetCriterionOptions,
} from "../types.ts";
import { namesOf, onHost, type Source } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { boxesOf, boxTerm, scaled, type Term, termOf } from "./box_terms.ts";
import { type CheckedVfnet, CriterionCall } from "./criterion_call.ts";
import { anchorMap, checkInput, CRITERION_PARAMS, INPUTS, NORMALIZER, readScene, tensorOf } from "./criterion_input.ts";
import { collectPositives, gatherRows, labelsOf, type Positives, qualitiesOf, scatterInto } from "./positives.ts";

const op = "vfnetCriterion";
/** A positive whose box misses its object stays a positive. */
const MIN_IOU = 1e-6;

const PARAMS = {
  normalizer: { ...NORMALIZER, text: doc`divisors of the box parts: as published, or as in mmdet's code` },
  lambdaBox: atLeastZero(doc`weight of the initial boxes' part`, 1.5),
  lambdaRefine: atLeastZero(doc`weight of the refined boxes' part`, 2),
  alpha: atLeastZero(doc`factor of negatives in the varifocal loss`, 0.75),
  gamma: atLeastZero(doc`exponent of negatives in the varifocal loss`, 2),
  ...CRITERION_PARAMS,
} as const satisfies Record<keyof VfnetCriterionOptions, Param>;

const readOptions = paramReader(op, PARAMS);
const MEMBERS = [
  ...INPUTS,
  ...namesOf<Omit<VfnetCriterionInput, keyof CriterionInput>>({ distances: true, refined: true }),
];

type Settings = Values<typeof PARAMS>;

export const vfnetCriterion = routine({
  stem: "vfnet_criterion",
  kernels: [],
  shapes: doc`(B, N, C), 2 × (B, N, 4), ground truth → (), gradients`,
  tensors:
    doc`cls (B, N, C), logits; distances and refined (B, N, 4) in pixels; gt and gtIndex (N) for each image. Results without unit; gradients \`cls\`, \`distances\` and \`refined\` in the shapes of the maps`,
  summary: doc`training loss of VarifocalNet, with gradients`,
  params: PARAMS,
  throws: [
    doc`TypeError if the boxes of the head are not distances`,
    doc`TypeError if it has an objectness`,
    doc`TypeError if the maps do not fit head, image size and gt`,
    doc`RangeError if a label is no class`,
    doc`RangeError if an index is no object's`,
    doc`RangeError if a box is inverted`,
  ],
  bounds: { part: bound(1e-6, 8e-6), gradient: bound(1e-6) },
  errorBound:
    doc`≤ {part} of max(1, part). For a gradient, ≤ {gradient} of the largest in its map, for objects whose edges are as float32 has them from the anchor's point (the weight of a box that barely touches its object contains their rounding). On WebGPU ≤ {part.webgpu} of max(1, part) and ≤ {gradient.webgpu} of the largest gradient of a map`,
  source: doc`Zhang et al. 2021 (VarifocalNet), equation 3`,
  check,
  run: (
    backend: WasmBackend,
    input: VfnetCriterionInput,
    options?: VfnetCriterionOptions<Placement>,
  ): CriterionResult => check(input, options).onWasm(backend),
});

function check(input: VfnetCriterionInput, options?: VfnetCriterionOptions<Placement>): CriterionCall<CheckedVfnet> {
  const settings = readOptions(options);
  checkInput(op, input, MEMBERS);
  const scene = readScene(op, input, "distances");
  const map = anchorMap(op, "cls", input.cls, scene, scene.head.numClasses);
  const distances = anchorMap(op, "distances", input.distances, scene, 4);
  const refined = anchorMap(op, "refined", input.refined, scene, 4);
  const positives = collectPositives(scene);
  const { alpha, gamma, grad, placement } = settings;
  const { checked: cls } = varifocalLoss.check(tensorOf(map), { labels: labelsOf(scene, positives) }, {
    alpha,
    gamma,
    // As in mmdet; qualities are over 0 or NaN here.
    positives: "quality",
    grad,
    placement,
    avgFactor: Math.max(positives.count, 1),
  });
  const checked: CheckedVfnet = {
    op,
    scene,
    positives,
    eps: EPS,
    cls: { ...cls, op, pred: map },
    maps: { distances, refined },
    scatter: scatterInto(scene, positives),
    minIou: MIN_IOU,
    settings,
  };
  return new CriterionCall(checked, criterion);
}

/** The criterion on WASM. */
function criterion(backend: WasmBackend, checked: CheckedVfnet): CriterionResult {
  const { scene, positives, settings } = checked;
  const { grad, lambdaBox, lambdaRefine } = settings;
  const distances = onHost({ op, argument: "input.distances" }, checked.maps.distances);
  const refined = onHost({ op, argument: "input.refined" }, checked.maps.refined);
  const initial = boxesTerm(backend, distances, positives, lambdaBox, settings);
  const refinement = boxesTerm(backend, refined, positives, lambdaRefine, settings);
  const scores = qualitiesOf(scene, positives, refinement.iou);
  const cls = termOf(runLoss(backend, { ...checked.cls, scores: ownArray({ op, argument: "scores" }, scores) }));
  const result = {
    total: cls.loss + initial.loss + refinement.loss,
    parts: { cls: cls.loss, box: initial.loss, boxRefine: refinement.loss },
    numPos: positives.count,
  };
  if (!grad) return result;
  return {
    ...result,
    grad: { cls: cls.grad, distances: checked.scatter(initial.grad, 4), refined: checked.scatter(refinement.grad, 4) },
  };
}

/** One map's boxes, weighted by their own IoU. */
function boxesTerm(
  backend: WasmBackend,
  map: Source,
  { count, rows, boxes: target }: Positives,
  lambda: number,
  { normalizer, grad }: Settings,
): Term & { readonly iou: Float32Array } {
  const pred = boxesOf(gatherRows(backend, map, 4, rows));
  const iou = alignedBoxIou.run(backend, pred, target).map((value) => Math.max(value, MIN_IOU));
  const divisor = Math.max(normalizer === "paper" ? count : iou.reduce((sum, value) => sum + value, 0), 1);
  return { ...boxTerm(backend, giouLoss, pred, target, scaled(iou, lambda / divisor), grad), iou };
}
