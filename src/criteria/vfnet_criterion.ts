/** The training loss of VarifocalNet: varifocal loss, and generalized IoU loss of the initial and of the refined boxes. */
import { atLeastZero } from "../ops/classification_loss.ts";
import type { Operation } from "../ops/operation.ts";
import { varifocalLoss } from "../ops/varifocal_loss.ts";
import type { CriterionResult, VfnetCriterionInput, VfnetCriterionOptions } from "../types.ts";
import { boolean, oneOf, options as checkOptions, type Source } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { alignedIou, boxesOf, boxTerm, scaled, type Term, termOf } from "./box_terms.ts";
import { anchorMap, readScene, type Scene, tensorOf } from "./criterion_input.ts";
import { collectPositives, gatherRows, labelTarget, type Positives, scatterRows } from "./positives.ts";

const op = "vfnetCriterion";
/** A positive whose box misses its object stays a positive. */
const LEAST_IOU = 1e-6;

type Settings = Required<VfnetCriterionOptions>;

export const vfnetCriterion = {
  name: op,
  stem: "vfnet_criterion",
  kernels: ["aligned_iou"],
  shapes: "(B, N, C), 2 × (B, N, 4), ground truth → (), gradients",
  summary: "training loss of VarifocalNet, with gradients",
  run(backend: WasmBackend, input: VfnetCriterionInput, options?: VfnetCriterionOptions): CriterionResult {
    const settings = readSettings(checkOptions(op, options));
    const scene = readScene(op, input, "distances");
    const cls = anchorMap(op, "cls", input.cls, scene, scene.head.numClasses);
    const distances = anchorMap(op, "distances", input.distances, scene, 4);
    const refined = anchorMap(op, "refined", input.refined, scene, 4);
    return backend.memory.frame(op, () => criterion(backend, scene, cls, distances, refined, settings));
  },
} satisfies Operation;

function readSettings(given: Partial<VfnetCriterionOptions>): Settings {
  const place = (member: string) => ({ op, argument: `options.${member}` });
  return {
    normalizer: oneOf(place("normalizer"), given.normalizer ?? "paper", ["paper", "mmdet"]),
    lambdaBox: atLeastZero(op, "lambdaBox", given.lambdaBox ?? 1.5),
    lambdaRefine: atLeastZero(op, "lambdaRefine", given.lambdaRefine ?? 2),
    alpha: atLeastZero(op, "alpha", given.alpha ?? 0.75),
    gamma: atLeastZero(op, "gamma", given.gamma ?? 2),
    grad: boolean(place("grad"), given.grad ?? false),
  };
}

function criterion(
  backend: WasmBackend,
  scene: Scene,
  clsMap: Source,
  distances: Source,
  refined: Source,
  settings: Settings,
): CriterionResult {
  const { alpha, gamma, grad, lambdaBox, lambdaRefine } = settings;
  const positives = collectPositives(scene);
  const initial = boxesTerm(backend, distances, positives, lambdaBox, settings);
  const refinement = boxesTerm(backend, refined, positives, lambdaRefine, settings);
  const labels = labelTarget(scene, positives, refinement.iou);
  const avgFactor = Math.max(positives.count, 1);
  const cls = termOf(
    varifocalLoss.run(backend, tensorOf(backend, clsMap), labels, { alpha, gamma, grad, avgFactor }),
  );
  const result = {
    total: cls.loss + initial.loss + refinement.loss,
    parts: { cls: cls.loss, box: initial.loss, boxRefine: refinement.loss },
    numPos: positives.count,
  };
  if (!grad) return result;
  const scatter = (term: Term) => scatterRows(scene, positives, term.grad, 4);
  return { ...result, grad: { cls: cls.grad, distances: scatter(initial), refined: scatter(refinement) } };
}

/** One map's boxes, weighted by their own IoU. */
function boxesTerm(
  backend: WasmBackend,
  map: Source,
  { count, rows, sides }: Positives,
  lambda: number,
  { normalizer, grad }: Settings,
): Term & { readonly iou: Float32Array } {
  const pred = boxesOf(gatherRows(backend, map, 4, rows));
  const target = boxesOf(sides);
  const iou = alignedIou(backend, op, pred, target).map((value) => Math.max(value, LEAST_IOU));
  const divisor = Math.max(normalizer === "paper" ? count : iou.reduce((sum, value) => sum + value, 0), 1);
  return { ...boxTerm(backend, pred, target, scaled(iou, lambda / divisor), grad), iou };
}
