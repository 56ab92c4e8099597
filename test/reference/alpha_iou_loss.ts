/** 1 − IoU^power, IoU = I / (U + eps), in float64. Conventions: box_loss.ts. */
import { axes, type BoxLoss, iou, iouTerm, scaleTerm, total } from "./box_loss.ts";

export function alphaIouLoss(
  pred: ArrayLike<number>,
  target: ArrayLike<number>,
  { power = 3, eps = 1e-7 } = {},
): BoxLoss {
  const boxes = axes(pred, target);
  const exponent = Math.fround(power);
  const ratio = iou(boxes, eps);
  const slope = ratio === 0 ? 0 : exponent * ratio ** (exponent - 1);
  return total(boxes, { ...scaleTerm(iouTerm(boxes, eps), slope), value: 1 - ratio ** exponent });
}
