/** Adaptive training sample selection over every anchor and every object, in float64. */
import { truth } from "../argument_values.ts";
import { iou } from "./box_iou.ts";

export interface AtssScene {
  imageSize: [number, number];
  strides: number[];
  anchorOffset?: number;
  anchorScale?: number;
  topk?: number;
  /** (K, 4). */
  boxes: ArrayLike<number>;
  /** Crowd regions (K, 4). */
  ignore?: ArrayLike<number>;
}

export interface Assigned {
  gtIndex: number[];
  iou: number[];
}

export type Box = readonly number[];

export function boxesOf(values: ArrayLike<number> = []): Box[] {
  return Array.from({ length: values.length / 4 }, (_, i) => [0, 1, 2, 3].map((side) => values[4 * i + side]));
}

/** Further than 0.01 from every side. */
export function isInside(x: number, y: number, box: Box): boolean {
  return Math.min(x - box[0], y - box[1], box[2] - x, box[3] - y) > 0.01;
}

interface Anchor {
  x: number;
  y: number;
  box: Box;
}

function anchorsOf({ imageSize: [height, width], strides, anchorOffset = 0, anchorScale = 8 }: AtssScene): Anchor[][] {
  return strides.map((stride) => {
    const [rows, columns] = [Math.ceil(height / stride), Math.ceil(width / stride)];
    const half = anchorScale * stride / 2;
    return Array.from({ length: rows * columns }, (_, i) => {
      const x = (i % columns + anchorOffset) * stride;
      const y = (Math.floor(i / columns) + anchorOffset) * stride;
      return { x, y, box: [x - half, y - half, x + half, y + half] };
    });
  });
}

function nearest(level: readonly Anchor[], box: Box, topk: number): Anchor[] {
  const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
  const distance = (anchor: Anchor) => (anchor.x - x) ** 2 + (anchor.y - y) ** 2;
  // The sort is stable.
  return level.toSorted((a, b) => distance(a) - distance(b)).slice(0, topk);
}

/** v ≥ mean + unbiased standard deviation, both from differences of pairs, which are 0 where all are equal. */
function reachesThreshold(v: number, values: readonly number[]): boolean {
  const n = values.length;
  const pairs = values.flatMap((a, i) => values.slice(0, i).map((b) => (a - b) ** 2));
  const variance = pairs.reduce((sum, square) => sum + square, 0) / (n * (n - 1));
  return values.reduce((sum, each) => sum + (v - each), 0) / n >= Math.sqrt(variance);
}

export function atssAssign(scene: AtssScene): Assigned {
  const levels = anchorsOf(scene);
  const objects = boxesOf(scene.boxes);
  const positives = objects.map((box) => {
    const candidates = levels.flatMap((level) => nearest(level, box, scene.topk ?? 9));
    const ious = candidates.map((anchor) => iou(anchor.box, box));
    return new Set(candidates.filter(({ x, y }, i) => reachesThreshold(ious[i], ious) && isInside(x, y, box)));
  });
  const crowds = boxesOf(scene.ignore);
  const found = levels.flat().map((anchor) => {
    let best = { gt: -1, iou: 0 };
    objects.forEach((box, gt) => {
      const overlap = iou(anchor.box, box);
      if (positives[gt].has(anchor) && (best.gt < 0 || overlap > best.iou)) best = { gt, iou: overlap };
    });
    if (best.gt < 0 && crowds.some((crowd) => shareIn(anchor.box, crowd) > 0.5)) return { gt: -2, iou: 0 };
    return best;
  });
  return { gtIndex: found.map(({ gt }) => gt), iou: found.map((each) => each.iou) };
}

/** How much of the first box lies in the second. */
function shareIn(a: Box, b: Box): number {
  const width = Math.max(Math.min(a[2], b[2]) - Math.max(a[0], b[0]), 0);
  const height = Math.max(Math.min(a[3], b[3]) - Math.max(a[1], b[1]), 0);
  return width * height / ((a[2] - a[0]) * (a[3] - a[1]));
}

export const argumentCases = [() => [{ imageSize: [32, 32], strides: [8, 16], topk: 5 }, truth()]];
