/**
 * DIoU loss + αv, in float64, with v = 4/π² (atan2(w, h) − atan2(w′, h′))² and α = v / (1 − IoU + v + eps), which is
 * constant for the gradient. atan2 is finite at h = 0; atan2(0, 0) = 0. Conventions: box_loss.ts.
 */
import { type Axes, axes, type BoxLoss, distanceTerm, iou, iouTerm, scaleTerm, type Term, total } from "./box_loss.ts";
import { type InnerOptions, settings, withInner } from "./inner_iou.ts";

export { settings };

export function ciouLoss(pred: ArrayLike<number>, target: ArrayLike<number>, options: InnerOptions = {}): BoxLoss {
  const boxes = axes(pred, target);
  const { eps = 1e-7 } = options;
  return withInner(lossOf(boxes, alphaOf(boxes, eps), eps), pred, target, options);
}

/** The loss with the α of `pred`. */
export function heldAt(pred: ArrayLike<number>, target: ArrayLike<number>, options: InnerOptions = {}) {
  const { eps = 1e-7 } = options;
  const alpha = alphaOf(axes(pred, target), eps);
  return (at: ArrayLike<number>): number => {
    return withInner(lossOf(axes(at, target), alpha, eps), at, target, options).value;
  };
}

function alphaOf(boxes: Axes, eps: number): number {
  const { value } = aspectTerm(boxes);
  return value / (1 - iou(boxes, eps) + value + eps);
}

function lossOf(boxes: Axes, alpha: number, eps: number): BoxLoss {
  return total(boxes, iouTerm(boxes, eps), distanceTerm(boxes, eps), scaleTerm(aspectTerm(boxes), alpha));
}

/** v. With φ = atan2(w, h): ∂φ/∂w = h / (w² + h²), ∂φ/∂h = −w / (w² + h²), both 0 at w = h = 0. */
function aspectTerm([x, y]: Axes): Term {
  const [w, h] = [x.size.value, y.size.value];
  const turn = Math.atan2(w, h) - Math.atan2(x.target, y.target);
  const square = w ** 2 + h ** 2;
  const steep = square === 0 ? 0 : 8 / Math.PI ** 2 * turn / square;
  return { value: 4 / Math.PI ** 2 * turn ** 2, x: { size: steep * h }, y: { size: -steep * w } };
}
