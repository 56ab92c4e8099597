/** The usual formulas in float32, each step rounded: probabilities first, then their logarithms, kept from 0 and 1. */
import type { LossInput, LossName } from "../loss_task.ts";

const f = Math.fround;
const LEAST = f(1e-7);
const MOST = f(1 - LEAST);
const EPS = f(1e-7);

/** The loss of every element or row, and its gradient. */
export interface Float32Values {
  readonly values: Float32Array;
  readonly grad: Float32Array | null;
}

/** The loss and its derivative of one element. */
type Element = (s: number, y: number) => readonly [value: number, grad: number];

const ELEMENTS: Readonly<Partial<Record<LossName, Element>>> = {
  binaryCrossEntropyWithLogits: (s, y) => [crossEntropy(s, y), f(s - y)],
  sigmoidFocalLoss: focal,
  qualityFocalLoss: qualityFocal,
};

export function float32Values(input: LossInput): Float32Values | null {
  if (input.loss === "giouLoss") return { values: giou(input), grad: null };
  if (input.loss === "distributionFocalLoss") return distributionFocal(input);
  const element = ELEMENTS[input.loss];
  if (element === undefined) return null;
  const values = new Float32Array(input.pred.length);
  const grad = new Float32Array(input.pred.length);
  for (let i = 0; i < values.length; i++) {
    [values[i], grad[i]] = element(sigmoid(input.pred[i]), input.target[i]);
  }
  return { values, grad };
}

function sigmoid(x: number): number {
  return f(1 / f(1 + f(Math.exp(-x))));
}

function log(p: number): number {
  return f(Math.log(Math.min(Math.max(p, LEAST), MOST)));
}

function crossEntropy(s: number, y: number): number {
  return f(-f(f(y * log(s)) + f(f(1 - y) * log(f(1 - s)))));
}

function qualityFocal(s: number, y: number): [number, number] {
  const d = f(s - y);
  const cost = crossEntropy(s, y);
  const square = f(d * d);
  const through = f(f(f(2 * d) * f(s * f(1 - s))) * cost);
  return [f(square * cost), f(f(square * d) + through)];
}

function focal(s: number, y: number): [number, number] {
  const miss = f(f(f(1 - s) * y) + f(s * f(1 - y)));
  const weight = f(f(f(0.25) * y) + f(f(0.75) * f(1 - y)));
  const cost = crossEntropy(s, y);
  const square = f(miss * miss);
  const through = f(
    f(f(f(2 * miss) * f(1 - f(2 * y))) * f(s * f(1 - s))) * cost,
  );
  return [
    f(weight * f(square * cost)),
    f(weight * f(f(square * f(s - y)) + through)),
  ];
}

function distributionFocal(
  { pred, predDims: [rows, bins], target }: LossInput,
): Float32Values {
  const values = new Float32Array(rows);
  const grad = new Float32Array(rows * bins);
  for (let row = 0; row < rows; row++) {
    const shares = softmax(pred.subarray(row * bins, (row + 1) * bins));
    const left = Math.min(Math.floor(target[row]), bins - 2);
    const right = f(target[row] - left);
    values[row] = f(
      -f(
        f(f(1 - right) * log(shares[left])) + f(right * log(shares[left + 1])),
      ),
    );
    shares[left] -= f(1 - right);
    shares[left + 1] -= right;
    grad.set(shares, row * bins);
  }
  return { values, grad };
}

function softmax(row: Float32Array): Float32Array {
  const top = Math.max(...row);
  const weights = row.map((x) => Math.exp(f(x - top)));
  const sum = weights.reduce((total, weight) => f(total + weight), 0);
  return weights.map((weight) => weight / sum);
}

function giou({ pred, predDims: [rows], target }: LossInput): Float32Array {
  const values = new Float32Array(rows);
  for (let i = 0; i < rows; i++) {
    values[i] = giouOf(
      pred.subarray(4 * i, 4 * i + 4),
      target.subarray(4 * i, 4 * i + 4),
    );
  }
  return values;
}

function giouOf(a: Float32Array, b: Float32Array): number {
  const most = (side: number) => Math.max(a[side], b[side]);
  const least = (side: number) => Math.min(a[side], b[side]);
  const area = (box: Float32Array) => f(f(box[2] - box[0]) * f(box[3] - box[1]));
  const overlap = f(
    Math.max(f(least(2) - most(0)), 0) * Math.max(f(least(3) - most(1)), 0),
  );
  const union = f(f(area(a) + area(b)) - overlap);
  const enclosing = f(f(most(2) - least(0)) * f(most(3) - least(1)));
  const iou = f(overlap / f(union + EPS));
  return f(f(1 - iou) + f(f(enclosing - union) / f(enclosing + EPS)));
}
