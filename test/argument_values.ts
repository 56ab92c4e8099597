/** Seeded arguments of a few rows: what calls of operations are made of. */
import { random } from "./random.ts";

export const N = 8;
export const CLASSES = 4;
export const BINS = 4;

export const seeded = (length: number, seed: number, low = 0, high = 1): Float32Array<ArrayBuffer> => {
  const r = random(seed);
  return Float32Array.from({ length }, () => r.uniform(low, high));
};
export const tensor = (dims: number[], seed: number, low = 0, high = 1) => ({
  data: seeded(dims.reduce((a, b) => a * b, 1), seed, low, high),
  dims,
});
export const boxes = (seed: number) => {
  const found = tensor([N, 4], seed, 0, 20);
  for (let i = 0; i < found.data.length; i++) if (i % 4 > 1) found.data[i] += 20;
  return found;
};
export const classesOf = (length: number): Int32Array<ArrayBuffer> => {
  return Int32Array.from({ length }, (_, i) => i % CLASSES);
};
export const truth = () => ({
  boxes: Float32Array.of(2, 2, 20, 20, 10, 12, 30, 31),
  labels: Int32Array.of(1, 2),
  ignore: Float32Array.of(0, 20, 8, 31),
});

/** Anchors of 32 × 32 pixels with strides 8 and 16. */
export const ANCHORS = 16 + 4;
export const scene = (head: object) => ({
  head,
  imageSize: [32, 32],
  gt: [truth()],
  gtIndex: [Int32Array.from({ length: ANCHORS }, (_, i) => i % 4 - 2)],
});
