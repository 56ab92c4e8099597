/**
 * Efficient-IoU (Zhang et al. 2021): DIoU loss + (w − w′)² / (cw² + eps) + (h − h′)² / (ch² + eps), in float64;
 * with gamma times IoU^gamma, which is constant for the gradient (Focal-EIoU).
 * Conventions: box_loss.ts.
 */
import {
  type Axes,
  axes,
  type Axis,
  type BoxLoss,
  distanceTerm,
  iou,
  iouTerm,
  type Partials,
  scaleTerm,
  type Term,
  total,
} from "./box_loss.ts";

interface EiouOptions {
  gamma?: number;
  eps?: number;
}

export function eiouLoss(pred: ArrayLike<number>, target: ArrayLike<number>, options: EiouOptions = {}): BoxLoss {
  const boxes = axes(pred, target);
  return lossOf(boxes, weightOf(boxes, options), options);
}

/** The loss with the weight of `pred`. */
export function heldAt(pred: ArrayLike<number>, target: ArrayLike<number>, options: EiouOptions = {}) {
  const weight = weightOf(axes(pred, target), options);
  return (at: ArrayLike<number>): number => lossOf(axes(at, target), weight, options).value;
}

/** 0^0 is 1. */
function weightOf(boxes: Axes, { gamma = 0, eps = 1e-7 }: EiouOptions): number {
  return iou(boxes, eps) ** gamma;
}

function lossOf(boxes: Axes, weight: number, { eps = 1e-7 }: EiouOptions): BoxLoss {
  return total(boxes, ...termsOf(boxes, eps).map((term) => scaleTerm(term, weight)));
}

/** Its terms one by one. */
export function terms(pred: ArrayLike<number>, target: ArrayLike<number>, { eps = 1e-7 } = {}): BoxLoss[] {
  const boxes = axes(pred, target);
  return termsOf(boxes, eps).map((term) => total(boxes, term));
}

function termsOf(boxes: Axes, eps: number): Term[] {
  const [x, y] = boxes.map((axis) => sizeTerm(axis, eps));
  const sizes = { value: x.value + y.value, x: x.partials, y: y.partials };
  return [iouTerm(boxes, eps), distanceTerm(boxes, eps), sizes];
}

/** T = (w − w′)² / K, K = cw² + eps. ∂T/∂w = 2 (w − w′) / K; ∂T/∂cw = −2 cw T / K. */
function sizeTerm({ size, cover, target }: Axis, eps: number): { value: number; partials: Partials } {
  const square = cover.value ** 2 + eps;
  const difference = size.value - target;
  const value = difference ** 2 / square;
  return { value, partials: { size: 2 * difference / square, cover: -2 * cover.value * value / square } };
}
