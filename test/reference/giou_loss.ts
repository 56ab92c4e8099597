/** 1 − IoU + (C − U) / (C + eps), C the enclosing area, in float64. Conventions: box_loss.ts. */
import {
  areas,
  type Axes,
  axes,
  type Axis,
  type BoxLoss,
  iouTerm,
  type Partials,
  type Term,
  total,
} from "./box_loss.ts";
import { type InnerOptions, innerTerms, settings, withInner } from "./inner_iou.ts";

export { settings };

export function giouLoss(pred: ArrayLike<number>, target: ArrayLike<number>, options: InnerOptions = {}): BoxLoss {
  const boxes = axes(pred, target);
  const { eps = 1e-7 } = options;
  return withInner(total(boxes, iouTerm(boxes, eps), enclosingTerm(boxes, eps)), pred, target, options);
}

/** Its terms one by one. */
export function terms(pred: ArrayLike<number>, target: ArrayLike<number>, options: InnerOptions = {}): BoxLoss[] {
  const boxes = axes(pred, target);
  const { eps = 1e-7 } = options;
  const own = [iouTerm(boxes, eps), enclosingTerm(boxes, eps)].map((term) => total(boxes, term));
  return [...own, ...innerTerms(pred, target, options)];
}

/** P = (C − U) / E, E = C + eps. ∂P/∂cw = ch (1 − P) / E; ∂P/∂U = −1 / E with ∂U/∂w = h, ∂U/∂o_x = −o_y. */
function enclosingTerm(boxes: Axes, eps: number): Term {
  const [x, y] = boxes;
  const enclosing = x.cover.value * y.cover.value;
  const whole = enclosing + eps;
  const value = (enclosing - areas(boxes).union) / whole;
  const partials = (other: Axis): Partials => ({
    cover: other.cover.value * (1 - value) / whole,
    size: -other.size.value / whole,
    overlap: other.overlap.value / whole,
  });
  return { value, x: partials(y), y: partials(x) };
}
