/**
 * 1 − IoU + (d₁² + d₂²) / (H² + W² + eps), d₁ and d₂ the distances of the upper left and of the lower right corners, in
 * float64. Conventions: box_loss.ts.
 */
import { axes, type BoxLoss, iouTerm, total } from "./box_loss.ts";

/** An image that holds the usual boxes, and others. */
export const settings = [
  { imageSize: [480, 640] },
  { imageSize: [20, 3000] },
  { imageSize: [1, 1] },
  { imageSize: [1e6, 1e6] },
];

export function mpdiouLoss(
  pred: ArrayLike<number>,
  target: ArrayLike<number>,
  { imageSize = settings[0].imageSize, eps = 1e-7 } = {},
): BoxLoss {
  const boxes = axes(pred, target);
  const [height, width] = imageSize;
  const diagonal = height ** 2 + width ** 2 + eps;
  const { value, grad } = total(boxes, iouTerm(boxes, eps));
  const apart = grad.map((_, edge) => pred[edge] - target[edge]);
  return {
    value: value + apart.reduce((sum, by) => sum + by ** 2, 0) / diagonal,
    grad: grad.map((slope, edge) => slope + 2 * apart[edge] / diagonal),
  };
}
