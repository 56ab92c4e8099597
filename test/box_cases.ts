/** Pairs of boxes, and how a box loss is compared with its reference. */
import { close } from "./compare.ts";
import { boxes, random } from "./random.ts";
import type { BoxLoss } from "./reference/box_loss.ts";

export interface Both {
  readonly loss: Float32Array;
  readonly grad: Float32Array;
}

export const rowOf = (array: Float32Array, i: number) => array.subarray(4 * i, 4 * i + 4);
export const largest = (values: ArrayLike<number>) => Math.max(...Array.from(values, Math.abs));

/** A gradient is measured by its largest member or, near a minimum, by what one pixel is to the box. */
export function scaleOf(box: ArrayLike<number>, grad: readonly number[]): number {
  const side = Math.max(box[2] - box[0], box[3] - box[1]);
  return Math.max(largest(grad), side > 0 ? 1 / side : 0);
}

/** Every value within its bound of max(1, value), every gradient within its own of its scale; returns the worst of each. */
export function check(
  { loss, grad }: Both,
  wanted: (i: number) => BoxLoss,
  pred: Float32Array,
  what: string,
  least: number,
  [bound, gradientBound]: readonly [number, number],
): [number, number] {
  const worst: [number, number] = [0, 0];
  for (let i = 0; i < loss.length; i++) {
    const want = wanted(i);
    const scale = Math.max(scaleOf(rowOf(pred, i), want.grad), least);
    const size = Math.max(1, Math.abs(want.value));
    worst[0] = Math.max(worst[0], close([loss[i]], [want.value], bound * size, `${what}, value of ${i}`) / size);
    const error = close(rowOf(grad, i), want.grad, gradientBound * scale, `${what}, gradient of ${i}`);
    if (scale > 0) worst[1] = Math.max(worst[1], error / scale);
  }
  return worst;
}

/** Pairs by how they lie: apart, overlapping, all but equal, and in units of the image. */
export function pairs(seed: number, count: number): [string, Float32Array, Float32Array][] {
  const r = random(seed);
  const target = boxes(r, count);
  const moved = (by: number) => target.map((v) => v + by * r.normal());
  const unit = target.map((v) => v / 400);
  return [
    ["any", boxes(r, count), target],
    ["overlapping", moved(4), target],
    ["all but equal", moved(0.01), target],
    ["far", target, boxes(r, count).map((v) => v + 3000)],
    ["unit", unit.map((v) => v + 0.01 * r.normal()), unit],
  ];
}

/** Every pair of these: equal, touching, nested, apart, empty, inverted, tiny and large. */
export const SPECIAL = [
  [10, 20, 42, 36],
  [12, 22, 40, 30],
  [0, 0, 60, 60],
  [42, 20, 60, 36],
  [42, 36, 50, 50],
  [26, 20, 26, 36],
  [10, 28, 42, 28],
  [20, 25, 20, 25],
  [20, 25, 20, 33],
  [20, 25, 33, 25],
  [42, 20, 10, 36],
  [42, 36, 10, 20],
  [60, 50, 0, 0],
  [100, 100, 120, 130],
  [0, 0, 0, 0],
  [1e6, 1e6, 1e6 + 16, 1e6 + 8],
  [1e6, -1e6, 2e6, 3e6],
  [-1e6, -1e6, 1e6, 1e6],
  [1e10, 1e10, 2e10, 3e10],
];
/** Squares of these, and of their differences, leave float32; so do quotients of inverted ones by eps. */
export const EXTREME = [
  ...SPECIAL,
  [-1e18, -1e18, 1e18, 1e18],
  [1e19, 1e19, 3e19, 3e19],
  [2e19, 1e19, 4e19, 2.5e19],
  [1e30, 0, 2e30, 1],
  [-3e38, -3e38, 3e38, 3e38],
  [3e38, 3e38, -3e38, -3e38],
  [2e17, 2e17, -1e17, -1e17],
  [1e-7, 1e-7, 2e-7, 3e-7],
  [1e-20, 1e-20, 2e-20, 3e-20],
  [0, 0, 1e-38, 1e-40],
];

export function product(list: readonly number[][]): [Float32Array, Float32Array] {
  const all = list.flatMap((a) => list.map((b) => [a, b]));
  return [Float32Array.from(all.flatMap(([a]) => a)), Float32Array.from(all.flatMap(([, b]) => b))];
}

/** Boxes for all pairs of them: identical, touching, nested, disjoint, empty, inverted, huge, negative, tiny. */
export const RELATED = Float32Array.from([
  [0, 0, 10, 10],
  [0, 0, 10, 10],
  [10, 0, 20, 10],
  [2, 2, 4, 4],
  [100, 100, 101, 101],
  [5, 5, 5, 5],
  [5, 5, 5, 9],
  [9, 9, 1, 1],
  [-1e9, -1e9, 1e9, 1e9],
  [-10, -10, -1, -1],
  [0, 0, 1e-3, 1e-3],
].flat());

const LARGEST = 2 ** 128 - 2 ** 104;

/** Boxes whose areas, or those of their unions, are over float32. */
export const LARGE = Float32Array.from([
  [0, 0, 1.5e19, 1.5e19],
  [0, 0, 1.5e19, 1.2e19],
  [1e19, 1e19, 3e19, 3e19],
  [-1e30, 2, 1e30, 12],
  [-2e30, 4, 1e30, 14],
  [1e25, 1e25, 1.5e25, 1e38],
  [-3e38, -3e38, 3e38, 3e38],
  [-LARGEST, -LARGEST, LARGEST, LARGEST],
  [0, 0, LARGEST, 1],
  [3e38, 3e38, -3e38, -3e38],
  [0, 0, 10, 10],
].flat());

/** Boxes whose areas are under float32. */
export const TINY = Float32Array.from([
  [0, 0, 1e-23, 1e-23],
  [0, 0, 1e-23, 5e-24],
  [2e-24, 1e-24, 2e-23, 3e-23],
  [1e-30, 1e-30, 3e-30, 3e-30],
  [1e-30, 0, 3e-30, 2e-30],
  [0, 0, 1e-44, 1e-44],
  [0, 0, 1e-44, 4e-45],
  [0, 0, 1e-40, 100],
  [0, 0, 2e-40, 100],
  [0, 0, 0, 0],
].flat());
