/**
 * exp(ρ² / (cw² + ch² + eps)) (1 − IoU), the denominator constant for the gradient, in float64; with a mean loss times
 * r = β / (δ α^(β − δ)), β = (1 − IoU) / mean, constant too. Only inverted boxes have ρ² over the denominator; from 8 times on the
 * quotient counts as 8. Conventions: box_loss.ts.
 */
import { type Axes, axes, type BoxLoss, iou, iouTerm, scaleTerm, type Term, total } from "./box_loss.ts";

interface WiseOptions {
  meanLoss?: number;
  alpha?: number;
  delta?: number;
  eps?: number;
}

const MOST = 8;

export const settings = [
  { meanLoss: 0.5 },
  { meanLoss: 0.1, alpha: 1.7, delta: 2.7 },
  { meanLoss: 0.9, alpha: 1.4, delta: 5 },
  { meanLoss: 0.02, alpha: 1, delta: 4 },
  { meanLoss: 2, alpha: 3, delta: 0.5 },
];

export function wiseIouLoss(pred: ArrayLike<number>, target: ArrayLike<number>, options: WiseOptions = {}): BoxLoss {
  const boxes = axes(pred, target);
  return lossOf(boxes, constantsOf(boxes, options), options);
}

/** The loss with denominator and r of `pred`. */
export function heldAt(pred: ArrayLike<number>, target: ArrayLike<number>, options: WiseOptions = {}) {
  const constants = constantsOf(axes(pred, target), options);
  return (at: ArrayLike<number>): number => lossOf(axes(at, target), constants, options).value;
}

interface Constants {
  denominator: number;
  r: number;
}

function constantsOf(boxes: Axes, { meanLoss, alpha = 1.9, delta = 3, eps = 1e-7 }: WiseOptions): Constants {
  const [x, y] = boxes;
  const denominator = x.cover.value ** 2 + y.cover.value ** 2 + eps;
  if (meanLoss === undefined) return { denominator, r: 1 };
  const beta = (1 - iou(boxes, eps)) / meanLoss;
  return { denominator, r: beta / (delta * alpha ** (beta - delta)) };
}

function lossOf(boxes: Axes, { denominator, r }: Constants, { eps = 1e-7 }: WiseOptions): BoxLoss {
  const [x, y] = boxes;
  const ratio = (x.offset.value ** 2 + y.offset.value ** 2) / denominator;
  const apart = iouTerm(boxes, eps);
  const factor = r * Math.exp(Math.min(ratio, MOST));
  const slope = ratio < MOST ? 2 * factor * apart.value / denominator : 0;
  const distance: Term = { value: 0, x: { offset: slope * x.offset.value }, y: { offset: slope * y.offset.value } };
  return total(boxes, scaleTerm(apart, factor), distance);
}
