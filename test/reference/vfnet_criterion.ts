/**
 * The training loss of VarifocalNet (Zhang et al. 2021, equation 3, and mmdet's normalisers), in float64.
 *
 * The IoUs, weights and qualities, are constants of the gradient; they can be given, so that differences leave them as they are.
 */
import { heads } from "densehead";
import { ANCHORS, CLASSES, scene, tensor } from "../argument_values.ts";
import {
  boxAt,
  classification,
  type Criterion,
  type Positive,
  positivesOf,
  rowOf,
  type Scene,
  sumOf,
} from "./criterion.ts";
import { giouLoss } from "./giou_loss.ts";
import { iouLoss } from "./iou_loss.ts";
import { varifocalLoss } from "./varifocal_loss.ts";

export interface VfnetScene extends Scene {
  distances: ArrayLike<number>;
  refined: ArrayLike<number>;
}

export interface VfnetConstants {
  initial: number[];
  refined: number[];
}

export function vfnetConstants(scene: VfnetScene): VfnetConstants {
  const positives = positivesOf(scene);
  const ious = (map: ArrayLike<number>) =>
    positives.map((positive) => {
      const { value } = iouLoss(boxAt(positive, rowOf(map, 4, positive.row)), positive.box, { eps: 0 });
      return Math.max(1 - value, 1e-6);
    });
  return { initial: ious(scene.distances), refined: ious(scene.refined) };
}

export function vfnetCriterion(
  scene: VfnetScene,
  { normalizer = "paper", lambdaBox = 1.5, lambdaRefine = 2, alpha = 0.75, gamma = 2 } = {},
  ious: VfnetConstants = vfnetConstants(scene),
): Criterion {
  const positives = positivesOf(scene);
  const count = Math.max(positives.length, 1);
  const divisorOf = (weight: number[]) => normalizer === "mmdet" ? Math.max(sumOf(weight), 1) : count;
  const vfl = classification(
    scene,
    positives,
    ious.refined,
    new Set(),
    (x, y) => varifocalLoss(x, y, { alpha, gamma }),
  );
  const initial = boxLoss(positives, scene.distances, ious.initial, lambdaBox / divisorOf(ious.initial));
  const refinement = boxLoss(positives, scene.refined, ious.refined, lambdaRefine / divisorOf(ious.refined));
  const cls = vfl.sum / count;
  return {
    total: cls + initial.value + refinement.value,
    parts: { cls, box: initial.value, boxRefine: refinement.value },
    numPos: positives.length,
    grad: { cls: vfl.grad.map((value) => value / count), distances: initial.grad, refined: refinement.grad },
  };
}

function boxLoss(
  positives: Positive[],
  map: ArrayLike<number>,
  weight: number[],
  factor: number,
): { value: number; grad: number[] } {
  let value = 0;
  const grad = Array.from(map, () => 0);
  positives.forEach((positive, i) => {
    const loss = giouLoss(boxAt(positive, rowOf(map, 4, positive.row)), positive.box);
    value += factor * weight[i] * loss.value;
    loss.grad.forEach((slope, side) => {
      grad[positive.row * 4 + side] = factor * weight[i] * slope * (side < 2 ? -1 : 1);
    });
  });
  return { value, grad };
}

export const argumentCases = [() => [
  {
    ...scene(heads.vfnet({ numClasses: CLASSES, strides: [8, 16] })),
    cls: tensor([1, ANCHORS, CLASSES], 1, -3, 3),
    distances: tensor([1, ANCHORS, 4], 2, 0, 9),
    refined: tensor([1, ANCHORS, 4], 3, 0, 9),
  },
  { grad: true, normalizer: "mmdet" },
]];
