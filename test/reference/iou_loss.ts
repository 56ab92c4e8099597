/** 1 − IoU, IoU = I / (U + eps), in float64. Conventions: box_loss.ts. */
import { axes, type BoxLoss, iouTerm, total } from "./box_loss.ts";
import { type InnerOptions, settings, withInner } from "./inner_iou.ts";

export { settings };

export function iouLoss(pred: ArrayLike<number>, target: ArrayLike<number>, options: InnerOptions = {}): BoxLoss {
  const boxes = axes(pred, target);
  return withInner(total(boxes, iouTerm(boxes, options.eps ?? 1e-7)), pred, target, options);
}
