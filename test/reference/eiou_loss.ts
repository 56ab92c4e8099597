/**
 * Efficient-IoU (Zhang et al. 2021): DIoU loss + (w − w′)² / (cw² + eps) + (h − h′)² / (ch² + eps), in float64.
 * Conventions: box_loss.ts.
 */
import {
  type Axes,
  axes,
  type Axis,
  type BoxLoss,
  distanceTerm,
  iouTerm,
  type Partials,
  type Term,
  total,
} from "./box_loss.ts";

export function eiouLoss(pred: ArrayLike<number>, target: ArrayLike<number>, { eps = 1e-7 } = {}): BoxLoss {
  const boxes = axes(pred, target);
  return total(boxes, ...termsOf(boxes, eps));
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
