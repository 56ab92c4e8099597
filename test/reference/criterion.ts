/** What the references of the criteria share, in float64: positives with their points, and the maps as flat rows. */
import type { HeadSpec } from "densehead";
import { points } from "./detect.ts";

/** A batch with its assignment; maps are (B·N, columns), flat. */
export interface Scene {
  head: HeadSpec;
  imageSize: readonly [number, number];
  gt: { boxes: ArrayLike<number>; labels: ArrayLike<number> }[];
  gtIndex: ArrayLike<number>[];
  cls: ArrayLike<number>;
}

export interface Positive {
  /** Row in the maps. */
  row: number;
  x: number;
  y: number;
  stride: number;
  /** x1, y1, x2, y2. */
  box: number[];
  label: number;
}

export interface Criterion {
  total: number;
  parts: Record<string, number>;
  numPos: number;
  grad: Record<string, number[]>;
}

export function positivesOf({ head, imageSize, gt, gtIndex }: Scene): Positive[] {
  const grid = points(head, imageSize);
  return gtIndex.flatMap((indices, image) =>
    Array.from(indices).flatMap((index, anchor) => {
      if (index < 0) return [];
      const { boxes, labels } = gt[image];
      const box = [0, 1, 2, 3].map((edge) => boxes[4 * index + edge]);
      // Points have a row of their own, in the grid.
      const { x, y, stride } = grid[anchor];
      return [{ row: image * grid.length + anchor, x, y, stride, box, label: labels[index] }];
    })
  );
}

/** Rows of the batch with index −2. */
export function ignoredRows({ gtIndex }: Scene): Set<number> {
  return new Set(gtIndex.flatMap((indices) => Array.from(indices)).flatMap((index, row) => index === -2 ? [row] : []));
}

export function rowOf(map: ArrayLike<number>, columns: number, row: number): number[] {
  return Array.from({ length: columns }, (_, i) => map[row * columns + i]);
}

/** The box whose sides are that far from the point. */
export function boxAt({ x, y }: Positive, [l, t, r, b]: number[]): number[] {
  return [x - l, y - t, x + r, y + b];
}

/** A classification loss over all rows that are not ignored: its sum, and its gradient over all rows. */
export function classification(
  scene: Scene,
  positives: Positive[],
  quality: number[],
  ignored: Set<number>,
  loss: (x: number, y: number) => { value: number; grad: number },
): { sum: number; grad: number[] } {
  const { numClasses } = scene.head;
  const targets = new Map(positives.map(({ row, label }, i) => [row * numClasses + label, quality[i]]));
  let sum = 0;
  const grad = Array.from(scene.cls, (x, i) => {
    if (ignored.has(Math.floor(i / numClasses))) return 0;
    const { value, grad } = loss(x, targets.get(i) ?? 0);
    sum += value;
    return grad;
  });
  return { sum, grad };
}

export function sumOf(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
