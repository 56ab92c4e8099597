/**
 * |y−σ|^β · BCE(x, y), in float64 (Generalized Focal Loss, Li et al. 2020).
 * With d = σ − y: gradient β|d|^(β−1) sign(d) σ(1−σ) BCE + |d|^β d.
 */
import { type Allowed, cancelled, crossEntropy, logit, type Loss, modulate } from "./classification.ts";

export function qualityFocalLoss(x: number, y: number, { beta = 2 } = {}): Loss {
  const z = logit(x);
  const ce = crossEntropy(z, 1 - y, y);
  return modulate(ce.grad, z.on * z.off, beta, ce);
}

export const allowed: Allowed = (allowance) => cancelled(allowance);

/** Where the loss would be infinite but for a factor of 0. */
export const vanishing = [
  [{ lossWeight: 0 }, [[Infinity, 0], [-Infinity, 1], [Infinity, 0.5]]],
  [{}, [[Infinity, 1], [-Infinity, 0]]],
];
