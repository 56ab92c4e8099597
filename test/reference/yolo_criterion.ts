/**
 * The training loss of YOLOv8 (Ultralytics' semantics), in float64: every anchor against every object.
 *
 * The assignment and the target scores are constants of the gradient; they can be given, so that differences leave them as they are.
 */
import { heads } from "densehead";
import { ANCHORS, BINS, CLASSES, scene, tensor } from "../argument_values.ts";
import { binaryCrossEntropyWithLogits } from "./binary_cross_entropy_with_logits.ts";
import { ciouLoss, heldAt } from "./ciou_loss.ts";
import {
  boxAt,
  classification,
  type Criterion,
  ignoredRows,
  positivesOf,
  rowOf,
  type Scene,
  sumOf,
} from "./criterion.ts";
import { points } from "./detect.ts";
import { softmax } from "./dfl_decode.ts";
import { distributionFocalLoss } from "./distribution_focal_loss.ts";

export interface YoloScene extends Omit<Scene, "gtIndex"> {
  gt: { boxes: ArrayLike<number>; labels: ArrayLike<number>; ignore?: ArrayLike<number> }[];
  dist: ArrayLike<number>;
}

export interface YoloSettings {
  gains?: { box?: number; cls?: number; dfl?: number };
  topk?: number;
  topk2?: number;
  alpha?: number;
  beta?: number;
  timesBatch?: boolean;
}

export interface YoloConstants {
  gtIndex: number[][];
  /** (B·N), the target scores. */
  scores: number[];
  /** α of the CIoU would be a constant too; differences hold it at the boxes of these maps. */
  dist: ArrayLike<number>;
}

/** One image: the object and the score of each anchor. */
function assign(scene: YoloScene, image: number, settings: YoloSettings): { index: number; score: number }[] {
  const { topk = 10, topk2 = Infinity, alpha = 0.5, beta = 6 } = settings;
  const { head: { numClasses }, cls, gt } = scene;
  const grid = points(scene.head, scene.imageSize);
  const { boxes, labels, ignore = [] } = gt[image];
  const objects = Array.from(labels, (label, i) => ({ label, box: rowOf(boxes, 4, i) }));
  // Of each anchor and each object; null outside.
  const pairs = grid.map(({ x, y, stride }, anchor) => {
    const row = image * grid.length + anchor;
    const sides = sidesOf(scene, row, stride).map(({ distance }) => distance);
    const own = [x - sides[0], y - sides[1], x + sides[2], y + sides[3]];
    return objects.map(({ label, box }) => {
      if (!isInside(x, y, box)) return null;
      const ciou = 1 - ciouLoss(own, box).value;
      const score = 1 / (1 + Math.exp(-cls[row * numClasses + label]));
      const t = Number.isNaN(ciou) || Number.isNaN(score) ? 0 : score ** alpha * Math.max(ciou, 0) ** beta;
      return { ciou, t };
    });
  });
  const t = (anchor: number, object: number) => pairs[anchor][object]?.t ?? 0;
  const highest = (anchors: number[], object: number, count: number) =>
    anchors.toSorted((a, b) => t(b, object) - t(a, object) || a - b).slice(0, count);
  const all = Array.from(grid.keys());
  const chosen = objects.map((_, object) =>
    new Set(highest(all.filter((anchor) => t(anchor, object) > 0), object, topk))
  );
  const owner = all.map((anchor) => {
    const choosing = chosen.flatMap((set, object) => set.has(anchor) ? [object] : []);
    if (choosing.length < 2) return choosing[0] ?? -1;
    const known = (object: number) => pairs[anchor][object]?.ciou ?? NaN;
    const around = objects.flatMap((_, object) => Number.isNaN(known(object)) ? [] : [object]);
    return around.toSorted((a, b) => known(b) - known(a) || a - b)[0];
  });
  const kept = objects.map((_, object) => highest(all.filter((anchor) => owner[anchor] === object), object, topk2));
  return all.map((anchor) => {
    const index = kept.findIndex((own) => own.includes(anchor));
    if (index < 0) {
      const { x, y } = grid[anchor];
      const crowds = Array.from({ length: ignore.length / 4 }, (_, i) => rowOf(ignore, 4, i));
      return { index: crowds.some((crowd) => isInside(x, y, crowd)) ? -2 : -1, score: 0 };
    }
    const most = Math.max(...kept[index].map((each) => t(each, index)));
    const best = Math.max(0, ...kept[index].map((each) => pairs[each][index]?.ciou ?? 0));
    return { index, score: t(anchor, index) * best / (most + 1e-9) };
  });
}

function isInside(x: number, y: number, [x1, y1, x2, y2]: number[]): boolean {
  return Math.min(x - x1, y - y1, x2 - x, y2 - y) > 1e-9;
}

export function yoloConstants(scene: YoloScene, settings: YoloSettings = {}): YoloConstants {
  const images = scene.gt.map((_, image) => assign(scene, image, settings));
  return {
    gtIndex: images.map((anchors) => anchors.map(({ index }) => index)),
    scores: images.flatMap((anchors) => anchors.map(({ score }) => score)),
    dist: scene.dist,
  };
}

export function yoloCriterion(
  scene: YoloScene,
  settings: YoloSettings = {},
  { gtIndex, scores, dist }: YoloConstants = yoloConstants(scene, settings),
): Criterion {
  const gains = { box: 7.5, cls: 0.5, dfl: 1.5, ...settings.gains };
  const { head: { bins }, imageSize: [height, width] } = scene;
  const assigned = { ...scene, gtIndex };
  const positives = positivesOf(assigned);
  const weight = positives.map(({ row }) => scores[row]);
  const factor = (settings.timesBatch ? scene.gt.length : 1) / Math.max(sumOf(weight), 1);
  const bce = classification(
    assigned,
    positives,
    weight,
    ignoredRows(assigned),
    (x, y) => binaryCrossEntropyWithLogits(x, y, {}),
  );
  let [box, dfl] = [0, 0];
  const grad = Array.from(scene.dist, () => 0);
  positives.forEach((positive, i) => {
    const { row, x, y, stride, box: [x1, y1, x2, y2] } = positive;
    const sides = sidesOf(scene, row, stride);
    const held = sidesOf({ ...scene, dist }, row, stride);
    const ciou = ciouHeld(
      boxAt(positive, sides.map(({ distance }) => distance)),
      positive.box,
      boxAt(positive, held.map(({ distance }) => distance)),
    );
    box += gains.box * factor * weight[i] * ciou.value;
    const target = [x - x1, y - y1, x2 - x, y2 - y];
    sides.forEach(({ unit, distance, logits, shares, mean }, side) => {
      const share = gains.dfl * factor * weight[i] / 4;
      const slope = gains.box * factor * weight[i] * ciou.grad[side] * (side < 2 ? -1 : 1) * unit;
      if (bins === 0) {
        const extent = side % 2 === 0 ? width : height;
        dfl += share * Math.abs(distance - target[side]) / extent;
        grad[4 * row + side] = slope + share * Math.sign(distance - target[side]) * unit / extent;
        return;
      }
      const fine = distributionFocalLoss(logits, Math.min(Math.max(target[side] / unit, 0), bins - 1.01));
      dfl += share * fine.value;
      for (let bin = 0; bin < bins; bin++) {
        grad[(row * 4 + side) * bins + bin] = slope * shares[bin] * (bin - mean) + share * fine.grad[bin];
      }
    });
  });
  const cls = gains.cls * factor * bce.sum;
  return {
    total: cls + box + dfl,
    parts: { cls, box, dfl },
    numPos: positives.length,
    grad: { cls: bce.grad.map((value) => gains.cls * factor * value), dist: grad },
  };
}

/** The loss with the gradient at `pred`, its value with the α of `held`. */
function ciouHeld(pred: number[], target: number[], held: number[]): { value: number; grad: number[] } {
  return { value: heldAt(held, target)(pred), grad: ciouLoss(pred, target).grad };
}

interface Side {
  logits: number[];
  shares: number[];
  /** Expectation, in bins. */
  mean: number;
  /** In pixels. */
  distance: number;
  /** Pixels of a bin, or of 1. */
  unit: number;
}

function sidesOf({ head, imageSize: [height, width], dist }: YoloScene, row: number, stride: number): Side[] {
  const { bins, boxUnit = "pixel" } = head;
  return [0, 1, 2, 3].map((side) => {
    if (bins === 0) {
      const unit = { pixel: 1, stride, image: side % 2 === 0 ? width : height }[boxUnit];
      return { logits: [], shares: [], mean: NaN, distance: dist[4 * row + side] * unit, unit };
    }
    const logits = rowOf(dist, bins, row * 4 + side);
    const shares = softmax(logits);
    const mean = sumOf(shares.map((share, bin) => share * bin));
    return { logits, shares, mean, distance: mean * stride, unit: stride };
  });
}

export const argumentCases = [() => {
  const { gtIndex: _, gt: [{ boxes, labels }], ...given } = scene(
    heads.yolov8({ numClasses: CLASSES, bins: BINS, strides: [8, 16] }),
  );
  return [
    {
      ...given,
      gt: [{ boxes, labels }],
      cls: tensor([1, ANCHORS, CLASSES], 1, -3, 3),
      dist: tensor([1, ANCHORS, 4 * BINS], 2, -3, 3),
    },
    { grad: true, topk: 3, topk2: 2, timesBatch: true, gains: { box: 1, cls: 1, dfl: 1 } },
  ];
}];
