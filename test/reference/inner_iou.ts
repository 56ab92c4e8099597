/**
 * The inner term of box losses (Inner-IoU, Zhang et al. 2023) in float64: IoU − IoU of both boxes scaled about their centres by
 * `innerRatio`. Conventions: box_loss.ts; the scaled edges are equal where float64 has them so.
 */
import { axes, type BoxLoss, iouTerm, total } from "./box_loss.ts";

export interface InnerOptions {
  innerRatio?: number;
  eps?: number;
}

/** Smaller and larger boxes, and the ends of the range. */
export const settings = [{ innerRatio: 0.7 }, { innerRatio: 1.3 }, { innerRatio: 0.01 }, { innerRatio: 10 }];

type Corners = ArrayLike<number>;

/** The term of 1 − IoU and that of the scaled boxes, one by one. */
export function innerTerms(pred: Corners, target: Corners, { innerRatio = 1, eps = 1e-7 }: InnerOptions): BoxLoss[] {
  if (innerRatio === 1) return [];
  const ratio = Math.fround(innerRatio);
  const apart = lossOf(pred, target, eps);
  const inner = lossOf(scaled(pred, ratio), scaled(target, ratio), eps);
  // An edge's share of its own scaled edge, and of the other.
  const [own, other] = [(1 + ratio) / 2, (1 - ratio) / 2];
  return [
    { value: -apart.value, grad: apart.grad.map((slope) => -slope) },
    { value: inner.value, grad: inner.grad.map((slope, edge) => own * slope + other * inner.grad[edge ^ 2]) },
  ];
}

/** The loss with the inner term. */
export function withInner(loss: BoxLoss, pred: Corners, target: Corners, options: InnerOptions): BoxLoss {
  return innerTerms(pred, target, options).reduce(({ value, grad }, term) => {
    return { value: value + term.value, grad: grad.map((slope, edge) => slope + term.grad[edge]) };
  }, loss);
}

function lossOf(pred: Corners, target: Corners, eps: number): BoxLoss {
  const boxes = axes(pred, target);
  return total(boxes, iouTerm(boxes, eps));
}

function scaled(box: Corners, ratio: number): number[] {
  const along = (k: number) => {
    const [centre, half] = [(box[k] + box[k + 2]) / 2, (box[k + 2] - box[k]) / 2 * ratio];
    return [centre - half, centre + half];
  };
  const [[x1, x2], [y1, y2]] = [along(0), along(1)];
  return [x1, y1, x2, y2];
}
