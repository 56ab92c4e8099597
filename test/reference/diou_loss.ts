/** 1 − IoU + ρ² / (c² + eps), ρ between the centres, c the enclosing diagonal, in float64. Conventions: box_loss.ts. */
import { axes, type BoxLoss, distanceTerm, iouTerm, total } from "./box_loss.ts";

export function diouLoss(pred: ArrayLike<number>, target: ArrayLike<number>, { eps = 1e-7 } = {}): BoxLoss {
  const boxes = axes(pred, target);
  return total(boxes, iouTerm(boxes, eps), distanceTerm(boxes, eps));
}
