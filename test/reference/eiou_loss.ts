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
  type Term,
  total,
} from "./box_loss.ts";
import { type InnerOptions, innerTerms, settings as innerSettings, withInner } from "./inner_iou.ts";

interface EiouOptions extends InnerOptions {
  gamma?: number;
}

export const settings = [
  ...[0.5, 0.01, 1, 4].map((gamma) => ({ gamma })),
  ...innerSettings,
  { gamma: 0.5, innerRatio: 0.8 },
  { gamma: 2, innerRatio: 1.4 },
];

export function eiouLoss(pred: ArrayLike<number>, target: ArrayLike<number>, options: EiouOptions = {}): BoxLoss {
  const boxes = axes(pred, target);
  return weighed(withInner(lossOf(boxes, options), pred, target, options), weightOf(boxes, options));
}

/** The loss with the weight of `pred`. */
export function heldAt(pred: ArrayLike<number>, target: ArrayLike<number>, options: EiouOptions = {}) {
  const weight = weightOf(axes(pred, target), options);
  return (at: ArrayLike<number>): number => {
    return weight * withInner(lossOf(axes(at, target), options), at, target, options).value;
  };
}

/** 0^0 is 1. */
function weightOf(boxes: Axes, { gamma = 0, eps = 1e-7 }: EiouOptions): number {
  return iou(boxes, eps) ** gamma;
}

function weighed({ value, grad }: BoxLoss, weight: number): BoxLoss {
  return { value: value * weight, grad: grad.map((slope) => slope * weight) };
}

function lossOf(boxes: Axes, { eps = 1e-7 }: EiouOptions): BoxLoss {
  return total(boxes, ...termsOf(boxes, eps));
}

/** Its terms one by one. */
export function terms(pred: ArrayLike<number>, target: ArrayLike<number>, options: EiouOptions = {}): BoxLoss[] {
  const boxes = axes(pred, target);
  const own = termsOf(boxes, options.eps ?? 1e-7).map((term) => total(boxes, term));
  return [...own, ...innerTerms(pred, target, options)];
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
