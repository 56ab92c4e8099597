/** The training loss of YOLOv8 and its heirs: cross-entropy, complete IoU and distribution focal loss over an assignment by predictions. */
import { ownArray } from "../arrays.ts";
import { doc } from "../doc.ts";
import { binaryCrossEntropyWithLogits } from "../ops/binary_cross_entropy_with_logits.ts";
import { EPS } from "../ops/box_loss.ts";
import { ciouLoss } from "../ops/ciou_loss.ts";
import { runLoss } from "../ops/loss.ts";
import { bound, routine } from "../operation.ts";
import {
  atLeastZero,
  booleanParam,
  integerParam,
  optionalInteger,
  otherParam,
  type Param,
  paramReader,
  type Values,
} from "../params.ts";
import type { CriterionResult, Placement, YoloCriterionInput, YoloCriterionOptions } from "../types.ts";
import { describe, hasMembers, known, matrix, namesOf, number, onHost, type Source, typeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { boxesOf, boxTerm, scaled, type Term, termOf } from "./box_terms.ts";
import { type CheckedYolo, CriterionCall } from "./criterion_call.ts";
import { anchorMap, checkInput, CRITERION_PARAMS, type Grid, readGrid, tensorOf } from "./criterion_input.ts";
import { NEGATIVE } from "./ground_truth.ts";
import {
  anchorWeights,
  collectPositives,
  gatherColumn,
  gatherExactMeans,
  gatherMeans,
  gatherRows,
  labelsOf,
  type Positives,
  qualitiesOf,
  scatterInto,
} from "./positives.ts";
import { dflTerm, distGradient, distributionTargets } from "./side_terms.ts";
import { assignYolo, candidatesOf, pairsIn, pointsOf, type Predictions, type YoloRules } from "./yolo_assign.ts";

const op = "yoloCriterion";
/** How far under the last bin the targets of the distribution end. */
const MARGIN = 0.01;
const GAINS = { box: 7.5, cls: 0.5, dfl: 1.5 };

const PARAMS = {
  gains: otherParam<YoloCriterionOptions["gains"]>(
    doc`weights of the parts, each at least 0. Default box 7.5, cls 0.5, dfl 1.5`,
  ),
  topk: integerParam(doc`number of an object's anchors before conflicts are settled`, 10, { min: 1 }),
  topk2: optionalInteger(doc`number of its anchors afterwards; all without it. One-to-one: topk 7, topk2 1`, {
    min: 1,
  }),
  alpha: atLeastZero(doc`exponent of the score`, 0.5),
  beta: atLeastZero(doc`exponent of the complete IoU`, 6),
  timesBatch: booleanParam(doc`multiply by the number of images, as Ultralytics does`, false),
  ...CRITERION_PARAMS,
} as const satisfies Record<keyof YoloCriterionOptions, Param>;

const readOptions = paramReader(op, PARAMS);
const MEMBERS = namesOf<YoloCriterionInput>({ cls: true, dist: true, head: true, imageSize: true, gt: true });
const GAIN_NAMES = namesOf<typeof GAINS>({ box: true, cls: true, dfl: true });

export const yoloCriterion = routine({
  stem: "yolo_criterion",
  kernels: ["dfl_expectations"],
  shapes: doc`(B, N, C), (B, N, 4·bins) or (B, N, 4), ground truth → (), gradients`,
  tensors:
    doc`cls (B, N, C), logits; dist (B, N, 4·bins), logits, or of a head without bins (B, N, 4), distances l, t, r, b in its \`boxUnit\`; gt for each image. Results without unit; gradients \`cls\` and \`dist\` in the shapes of the maps`,
  summary: doc`training loss of YOLOv8 to 26, with gradients`,
  params: PARAMS,
  throws: [
    doc`TypeError if the head has neither distributions nor distances`,
    doc`TypeError if its boxes are rotated`,
    doc`TypeError if it has an objectness`,
    doc`TypeError if the maps do not fit head, image size and gt`,
    doc`TypeError if gains has another member`,
    doc`RangeError if a gain is under 0`,
    doc`RangeError if a label is no class`,
    doc`RangeError if a box is inverted`,
  ],
  bounds: { part: bound(1e-5, 1e-5), gradient: bound(1e-5, 1e-5) },
  errorBound: doc`≤ {part} of max(1, part). For a gradient, ≤ {gradient} of the largest in its map. On WebGPU the same`,
  source: doc`Ultralytics' detection loss; Feng et al. 2021 (TOOD), section 3.2`,
  check,
  run: (backend: WasmBackend, input: YoloCriterionInput, options?: YoloCriterionOptions<Placement>): CriterionResult =>
    check(input, options).onWasm(backend),
});

function check(input: YoloCriterionInput, options?: YoloCriterionOptions<Placement>): CriterionCall<CheckedYolo> {
  const settings = readOptions(options);
  const { gains: given, timesBatch, grad, placement } = settings;
  const gains = checkGains(given);
  checkInput(op, input, MEMBERS);
  const grid = readGrid(op, input, ["distribution", "distances"]);
  const { bins, numClasses } = grid.head;
  const map = anchorMap(op, "cls", input.cls, grid, numClasses);
  const dist = anchorMap(op, "dist", input.dist, grid, distColumns(bins));
  // Who is positive comes with the run, and its scores do; here they would only be checked.
  const none = { labels: new Int32Array(grid.rows).fill(NEGATIVE) };
  const factor = timesBatch ? grid.gt.length : 1;
  const { checked: cls } = binaryCrossEntropyWithLogits.check(tensorOf(map), none, {
    grad,
    placement,
    reduction: "sum",
  });
  const checked: CheckedYolo = {
    op,
    grid,
    cls: { ...cls, op, pred: map },
    maps: { dist },
    rules: rulesIn(settings),
    gains: { box: gains.box * factor, cls: gains.cls * factor, dfl: gains.dfl * factor },
    units: unitsOf(grid),
    lastTarget: bins - 1 - MARGIN,
    pairs: () => pairsIn(grid),
    candidates: () => candidatesOf(grid),
    settings: { grad, placement },
  };
  return new CriterionCall(checked, criterion);
}

export function rulesOf(options?: YoloCriterionOptions): YoloRules {
  return rulesIn(readOptions(options));
}

function rulesIn({ topk, topk2 = Infinity, alpha, beta }: Values<typeof PARAMS>): YoloRules {
  return { topk, topk2, alpha, beta, eps: EPS };
}

function checkGains(given: YoloCriterionOptions["gains"]): typeof GAINS {
  if (given === undefined) return GAINS;
  const argument = "options.gains";
  if (!hasMembers(given)) throw typeError({ op, argument }, describe(given), "an object");
  known(op, argument, given, GAIN_NAMES);
  const { box = GAINS.box, cls = GAINS.cls, dfl = GAINS.dfl } = given;
  for (const [name, value] of Object.entries({ box, cls, dfl })) {
    number({ op, argument: `${argument}.${name}` }, value, 0, Number.MAX_VALUE);
  }
  return { box, cls, dfl };
}

/** The criterion on WASM. */
function criterion(backend: WasmBackend, checked: CheckedYolo): CriterionResult {
  const { grid, gains, units, settings: { grad } } = checked;
  const clsMap = onHost({ op, argument: "input.cls" }, checked.cls.pred);
  const distMap = onHost({ op, argument: "input.dist" }, checked.maps.dist);
  const points = pointsOf(grid);
  const assignments = grid.gt.map((gt, image) => {
    return assignYolo(grid, points, gt, predictionsOf(backend, grid, units, image, clsMap, distMap), checked.rules);
  });
  const scene = { ...grid, assigned: assignments.map(({ gtIndex }) => gtIndex) };
  const positives = collectPositives(scene);
  const scores = joined(assignments.map((each) => each.scores));
  const pred = boxesOf(joined(assignments.map((each) => each.sides)));
  const divisor = Math.max(scores.reduce((sum, score) => sum + score, 0), 1);
  const ignored = anchorWeights(scene);
  const cls = termOf(runLoss(backend, {
    ...checked.cls,
    labels: ownArray({ op, argument: "labels" }, labelsOf(scene, positives)),
    scores: ownArray({ op, argument: "scores" }, qualitiesOf(scene, positives, scores)),
    settings: {
      ...checked.cls.settings,
      factor: gains.cls / divisor,
      ...(ignored && { weight: matrix({ op, argument: "weights" }, ignored, 1), weightKind: 2 }),
    },
  }));
  const box = boxTerm(backend, ciouLoss, pred, positives.boxes, scaled(scores, gains.box / divisor), grad);
  const weights = scaled(scores, gains.dfl / 4 / divisor);
  const sides = grid.head.bins === 0 ? plainSides : distributedSides;
  const { loss: dfl, grad: slopes } = sides(backend, grid, distMap, positives, { box, pred, weights, units, grad });
  const result = {
    total: cls.loss + box.loss + dfl,
    parts: { cls: cls.loss, box: box.loss, dfl },
    numPos: positives.count,
  };
  if (!grad) return result;
  return {
    ...result,
    grad: { cls: cls.grad, dist: scatterInto(scene, positives)(slopes, distColumns(grid.head.bins)) },
  };
}

function joined(arrays: readonly Float64Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}

function distColumns(bins: number): number {
  return bins === 0 ? 4 : 4 * bins;
}

/** What an image's maps say of its anchors. */
function predictionsOf(
  backend: WasmBackend,
  grid: Grid,
  units: Float64Array,
  image: number,
  cls: Source,
  dist: Source,
): Predictions {
  const { head: { bins, numClasses }, anchors: perImage } = grid;
  const first = image * perImage;
  return {
    logits: (anchors, label) => {
      if (cls.kind !== "f32") {
        const logits = gatherColumn(backend, cls, numClasses, label, anchors, first);
        return (place) => logits[place];
      }
      // Where they lie: of most anchors the overlap says enough.
      const values = backend.values(cls);
      return (place) => values[(first + anchors[place]) * numClasses + label];
    },
    sides: (anchors) => {
      const sides = bins === 0
        ? gatherRows(backend, dist, 4, anchors, first)
        : gatherMeans(backend, dist, bins, anchors, first);
      for (let i = 0; i < sides.length; i++) sides[i] *= units[4 * anchors[i >> 2] + (i & 3)];
      return sides;
    },
    exactSides: (anchors) => {
      const sides = bins === 0
        ? new Float64Array(gatherRows(backend, dist, 4, anchors, first))
        : gatherExactMeans(backend, dist, bins, anchors, first);
      for (let i = 0; i < sides.length; i++) sides[i] *= units[4 * anchors[i >> 2] + (i & 3)];
      return sides;
    },
  };
}

/** (N, 4): what a side of an anchor is to be multiplied by to be in pixels. */
export function unitsOf({ head: { boxes, boxUnit }, levels, anchors, imageSize: [height, width] }: Grid): Float64Array {
  const units = new Float64Array(4 * anchors);
  for (const { stride, firstAnchor, anchors: count } of levels) {
    units.fill(
      boxes === "distribution" || boxUnit === "stride" ? stride : 1,
      4 * firstAnchor,
      4 * (firstAnchor + count),
    );
  }
  return boxUnit === "image" ? units.map((_, i) => i % 2 === 0 ? width : height) : units;
}

/** What the loss of the sides starts from. */
interface Sides {
  readonly box: Term;
  /** (P, 4), the boxes around the anchors' points. */
  readonly pred: Float32Array;
  /** (P), of each side. */
  readonly weights: Float32Array;
  /** (N, 4). */
  readonly units: Float64Array;
  readonly grad: boolean;
}

/** DFL, and the gradient of both to the distributions. */
function distributedSides(
  backend: WasmBackend,
  { head: { bins } }: Grid,
  map: Source,
  positives: Positives,
  { box, weights, grad }: Sides,
): Term {
  const logits = gatherRows(backend, map, 4 * bins, positives.rows);
  const targets = distributionTargets(positives, bins, MARGIN);
  const dfl = dflTerm(backend, logits, positives.count, targets, weights, bins, grad);
  return grad ? { loss: dfl.loss, grad: distGradient(backend, logits, positives, bins, box, dfl) } : dfl;
}

/** The difference to the object's sides in shares of the image, and the gradient of both to the distances. */
function plainSides(
  _backend: WasmBackend,
  grid: Grid,
  _map: Source,
  { rows, sides: target }: Positives,
  { box, pred, weights, units, grad }: Sides,
): Term {
  const [height, width] = grid.imageSize;
  const sides = boxesOf(pred);
  const slopes = new Float32Array(grad ? sides.length : 0);
  let loss = 0;
  for (let i = 0; i < sides.length; i++) {
    const share = weights[i >> 2] / (i % 2 === 0 ? width : height);
    const apart = sides[i] - target[i];
    loss += share * Math.abs(apart);
    if (grad) slopes[i] = (box.grad[i] + share * Math.sign(apart)) * units[4 * (rows[i >> 2] % grid.anchors) + i % 4];
  }
  return { loss, grad: slopes };
}
