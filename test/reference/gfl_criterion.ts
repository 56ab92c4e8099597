/**
 * The training loss of GFL (Li et al. 2020, equation 8, and mmdet's normalisers), in float64.
 *
 * Qualities and weights are constants of the gradient; they can be given, so that differences leave them as they are.
 */
import { heads } from "densehead";
import { ANCHORS, BINS, CLASSES, scene, tensor } from "../argument_values.ts";
import { iouLoss } from "./iou_loss.ts";
import {
  boxAt,
  classification,
  type Criterion,
  ignoredRows,
  type Positive,
  positivesOf,
  rowOf,
  type Scene,
  sumOf,
} from "./criterion.ts";
import { softmax } from "./dfl_decode.ts";
import { distributionFocalLoss } from "./distribution_focal_loss.ts";
import { giouLoss } from "./giou_loss.ts";
import { qualityFocalLoss } from "./quality_focal_loss.ts";

export interface GflScene extends Scene {
  dist: ArrayLike<number>;
}

export interface GflConstants {
  quality: number[];
  weight: number[];
}

export function gflConstants(scene: GflScene): GflConstants {
  const { head, cls } = scene;
  const positives = positivesOf(scene);
  return {
    quality: positives.map((positive) => {
      const decoded = sidesOf(scene, positive).map(({ mean }) => mean * positive.stride);
      return 1 - iouLoss(boxAt(positive, decoded), positive.box, { eps: 0 }).value;
    }),
    weight: positives.map(({ row }) => 1 / (1 + Math.exp(-Math.max(...rowOf(cls, head.numClasses, row))))),
  };
}

export function gflCriterion(
  scene: GflScene,
  { normalizer = "paper", lambdaBox = 2, lambdaDfl = 1 / 4, beta = 2 } = {},
  { quality, weight }: GflConstants = gflConstants(scene),
): Criterion {
  const { bins } = scene.head;
  const positives = positivesOf(scene);
  const mmdet = normalizer === "mmdet";
  const counts = scene.gtIndex.map((indices) => Array.from(indices).filter((index) => index >= 0).length);
  const clsDivisor = mmdet ? sumOf(counts.map((count) => Math.max(count, 1))) : Math.max(positives.length, 1);
  const divisor = mmdet ? Math.max(sumOf(weight), 1) : Math.max(positives.length, 1);
  const sides = mmdet ? 4 : 1;
  const qfl = classification(
    scene,
    positives,
    quality,
    ignoredRows(scene),
    (x, y) => qualityFocalLoss(x, y, { beta }),
  );
  let [box, dfl] = [0, 0];
  const grad = Array.from(scene.dist, () => 0);
  positives.forEach((positive, i) => {
    const { row, stride } = positive;
    const decoded = sidesOf(scene, positive);
    const giou = giouLoss(boxAt(positive, decoded.map(({ mean }) => mean * stride)), positive.box);
    box += lambdaBox * weight[i] * giou.value / divisor;
    decoded.forEach(({ logits, shares, mean, target }, side) => {
      const fine = distributionFocalLoss(logits, target);
      dfl += lambdaDfl * weight[i] * fine.value / divisor / sides;
      const direction = side < 2 ? -1 : 1;
      for (let bin = 0; bin < bins; bin++) {
        const throughBox = lambdaBox * giou.grad[side] * direction * stride * shares[bin] * (bin - mean);
        const throughDfl = lambdaDfl * fine.grad[bin] / sides;
        grad[(row * 4 + side) * bins + bin] = weight[i] * (throughBox + throughDfl) / divisor;
      }
    });
  });
  const cls = qfl.sum / clsDivisor;
  return {
    total: cls + box + dfl,
    parts: { cls, box, dfl },
    numPos: positives.length,
    grad: { cls: qfl.grad.map((value) => value / clsDivisor), dist: grad },
  };
}

interface Side {
  logits: number[];
  shares: number[];
  /** Expectation, in bins. */
  mean: number;
  /** What the expectation should be, in bins. */
  target: number;
}

function sidesOf({ head: { bins }, dist }: GflScene, { row, x, y, stride, box: [x1, y1, x2, y2] }: Positive): Side[] {
  return [x - x1, y - y1, x2 - x, y2 - y].map((distance, side) => {
    const logits = rowOf(dist, bins, row * 4 + side);
    const shares = softmax(logits);
    const mean = sumOf(shares.map((share, bin) => share * bin));
    return { logits, shares, mean, target: Math.min(Math.max(distance / stride, 0), bins - 1.1) };
  });
}

export const argumentCases = [() => [
  {
    ...scene(heads.gfl({ numClasses: CLASSES, bins: BINS, strides: [8, 16] })),
    cls: tensor([1, ANCHORS, CLASSES], 1, -3, 3),
    dist: tensor([1, ANCHORS, 4 * BINS], 2, -3, 3),
  },
  { grad: true, beta: 2 },
]];
