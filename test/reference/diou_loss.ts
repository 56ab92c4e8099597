/** 1 − IoU + ρ² / (c² + eps), ρ between the centres, c the enclosing diagonal, in float64. Conventions: box_loss.ts. */
import { axes, type BoxLoss, distanceTerm, iouTerm, total } from "./box_loss.ts";
import { type InnerOptions, settings, withInner } from "./inner_iou.ts";

export { settings };

export function diouLoss(pred: ArrayLike<number>, target: ArrayLike<number>, options: InnerOptions = {}): BoxLoss {
  const boxes = axes(pred, target);
  const { eps = 1e-7 } = options;
  return withInner(total(boxes, iouTerm(boxes, eps), distanceTerm(boxes, eps)), pred, target, options);
}
