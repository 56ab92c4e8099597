/**
 * |y−ŷ|^β · ((y_r−y)(−log p_l) + (y−y_l)(−log p_r)), in float64, with p_r = σ, p_l = 1−σ, ŷ = y_l p_l + y_r p_r.
 * With d = ŷ − y = (y_r−y)σ − (y−y_l)(1−σ), which is also the slope of the cross-entropy:
 * gradient β|d|^(β−1) sign(d) (y_r−y_l) σ(1−σ) CE + |d|^β d.
 */
import { type Allowed, cancelled, crossEntropy, logit, type Loss, modulate } from "./classification.ts";

export function generalizedFocalLoss(x: number, y: number, { yLeft = 0, yRight = 1, beta = 2 } = {}): Loss {
  const z = logit(x);
  const ce = crossEntropy(z, yRight - y, y - yLeft);
  return modulate(ce.grad, (yRight - yLeft) * z.on * z.off, beta, ce);
}

export const settings = [
  { yLeft: -1, yRight: 3 },
  { yLeft: 0, yRight: 3, beta: 0 },
  { yLeft: 0.5, yRight: 0.75, beta: 1 },
  { yLeft: 0, yRight: 16, beta: 0.5 },
];

export const allowed: Allowed = (allowance) => {
  const { yLeft, yRight } = allowance.options as { yLeft?: number; yRight?: number };
  return cancelled(allowance, yLeft, yRight);
};

/** Where the loss would be infinite but for a factor of 0. */
export const vanishing = [
  [{ lossWeight: 0, yRight: 3 }, [[Infinity, 0], [-Infinity, 3]]],
  [{ yRight: 3 }, [[Infinity, 3], [-Infinity, 0]]],
];
