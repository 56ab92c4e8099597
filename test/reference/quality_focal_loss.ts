/**
 * |y−σ|^β · BCE(x, y), in float64 (Generalized Focal Loss, Li et al. 2020).
 * With d = σ − y: gradient β|d|^(β−1) sign(d) σ(1−σ) BCE + |d|^β d.
 */
import { crossEntropy, logit, type Loss, modulate } from "./classification.ts";

export function qualityFocalLoss(x: number, y: number, { beta = 2 } = {}): Loss {
  const z = logit(x);
  const ce = crossEntropy(z, 1 - y, y);
  return modulate(ce.grad, z.on * z.off, beta, ce);
}
