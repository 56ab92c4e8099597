/** The training loss of VarifocalNet: varifocal loss, and generalized IoU loss of the initial and of the refined boxes. */
import { ownArray } from "../arrays.ts";
import { atLeastZero } from "../ops/classification_loss.ts";
import { runLoss } from "../ops/loss.ts";
import type { Operation } from "../ops/operation.ts";
import { varifocalLoss } from "../ops/varifocal_loss.ts";
import type {
  CriterionInput,
  CriterionResult,
  Placement,
  VfnetCriterionInput,
  VfnetCriterionOptions,
} from "../types.ts";
import { boolean, namesOf, oneOf, onHost, options as checkOptions, type Source } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { alignedIou, boxesOf, boxTerm, scaled, type Term, termOf } from "./box_terms.ts";
import { type CheckedVfnet, CriterionCall } from "./criterion_call.ts";
import { anchorMap, checkInput, INPUTS, readScene, tensorOf } from "./criterion_input.ts";
import { collectPositives, gatherRows, labelsOf, type Positives, qualitiesOf, scatterInto } from "./positives.ts";

const op = "vfnetCriterion";
/** A positive whose box misses its object stays a positive. */
const LEAST_IOU = 1e-6;

const OPTIONS = namesOf<VfnetCriterionOptions>({
  normalizer: true,
  lambdaBox: true,
  lambdaRefine: true,
  alpha: true,
  gamma: true,
  grad: true,
  placement: true,
});
const MEMBERS = [
  ...INPUTS,
  ...namesOf<Omit<VfnetCriterionInput, keyof CriterionInput>>({ distances: true, refined: true }),
];

type Settings = Required<VfnetCriterionOptions<Placement>>;

export const vfnetCriterion = {
  name: op,
  stem: "vfnet_criterion",
  kernels: ["aligned_iou"],
  shapes: "(B, N, C), 2 × (B, N, 4), ground truth → (), gradients",
  summary: "training loss of VarifocalNet, with gradients",
  check,
  run: (
    backend: WasmBackend,
    input: VfnetCriterionInput,
    options?: VfnetCriterionOptions<Placement>,
  ): CriterionResult => check(input, options).onWasm(backend),
} satisfies Operation;

function check(input: VfnetCriterionInput, options?: VfnetCriterionOptions<Placement>): CriterionCall<CheckedVfnet> {
  const settings = readSettings(checkOptions(op, options, OPTIONS));
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
    cls: { ...cls, op, pred: map },
    maps: { distances, refined },
    scatter: scatterInto(scene, positives),
    leastIou: LEAST_IOU,
    settings,
  };
  return new CriterionCall(checked, criterion);
}

function readSettings(given: Partial<VfnetCriterionOptions<Placement>>): Settings {
  const place = (member: string) => ({ op, argument: `options.${member}` });
  return {
    normalizer: oneOf(place("normalizer"), given.normalizer ?? "paper", ["paper", "mmdet"]),
    lambdaBox: atLeastZero(op, "lambdaBox", given.lambdaBox ?? 1.5),
    lambdaRefine: atLeastZero(op, "lambdaRefine", given.lambdaRefine ?? 2),
    alpha: atLeastZero(op, "alpha", given.alpha ?? 0.75),
    gamma: atLeastZero(op, "gamma", given.gamma ?? 2),
    grad: boolean(place("grad"), given.grad ?? false),
    placement: oneOf(place("placement"), given.placement ?? "host", ["host", "gpu"]),
  };
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
  const iou = alignedIou(backend, op, pred, target).map((value) => Math.max(value, LEAST_IOU));
  const divisor = Math.max(normalizer === "paper" ? count : iou.reduce((sum, value) => sum + value, 0), 1);
  return { ...boxTerm(backend, pred, target, scaled(iou, lambda / divisor), grad), iou };
}
