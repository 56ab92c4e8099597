/** 1 − IoU, IoU = I / (U + eps), in float64. Conventions: box_loss.ts. */
import { axes, type BoxLoss, iouTerm, total } from "./box_loss.ts";

export function iouLoss(pred: ArrayLike<number>, target: ArrayLike<number>, { eps = 1e-7 } = {}): BoxLoss {
  const boxes = axes(pred, target);
  return total(boxes, iouTerm(boxes, eps));
}
