/** IoU and generalized IoU of two boxes, in float64. */
import { boxes, type Random } from "../random.ts";

type Box = ArrayLike<number>;

const extent = (low: number, high: number) => Math.max(high - low, 0);
const area = (b: Box) => extent(b[0], b[2]) * extent(b[1], b[3]);

function intersection(a: Box, b: Box): number {
  return extent(Math.max(a[0], b[0]), Math.min(a[2], b[2])) * extent(Math.max(a[1], b[1]), Math.min(a[3], b[3]));
}

/** |a ∩ b| / |a ∪ b|; 0 where the union is empty. */
export function iou(a: Box, b: Box): number {
  const shared = intersection(a, b);
  const union = area(a) + area(b) - shared;
  return union === 0 ? 0 : shared / union;
}

/** The IoU of every pair. */
export function boxIou(a: Float32Array, b: Float32Array): number[] {
  return pairs(a, b, iou);
}

export function pairs(a: Float32Array, b: Float32Array, measure: (a: Box, b: Box) => number): number[] {
  const out: number[] = [];
  for (let i = 0; i < a.length; i += 4) {
    for (let j = 0; j < b.length; j += 4) out.push(measure(a.subarray(i, i + 4), b.subarray(j, j + 4)));
  }
  return out;
}

/** IoU − (C − U) / C. */
export function generalizedIou(a: Box, b: Box): number {
  const union = area(a) + area(b) - intersection(a, b);
  const enclosing = extent(Math.min(a[0], b[0]), Math.max(a[2], b[2])) *
    extent(Math.min(a[1], b[1]), Math.max(a[3], b[3]));
  return iou(a, b) - (enclosing === 0 ? 0 : (enclosing - union) / enclosing);
}

/** Of so many boxes and seven others. */
export function inputs(r: Random, rows: number) {
  return [boxes(r, rows), boxes(r, 7)];
}

/** The union, of which an IoU is a share. */
export const unit = () => 1;
