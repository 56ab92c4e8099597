/**
 * |y−ŷ|^β · ((y_r−y)(−log p_l) + (y−y_l)(−log p_r)), in float64, with p_r = σ, p_l = 1−σ, ŷ = y_l p_l + y_r p_r.
 * With d = ŷ − y = (y_r−y)σ − (y−y_l)(1−σ), which is also the slope of the cross-entropy:
 * gradient β|d|^(β−1) sign(d) (y_r−y_l) σ(1−σ) CE + |d|^β d.
 */
import { crossEntropy, logit, type Loss, modulate } from "./classification.ts";

export function generalizedFocalLoss(x: number, y: number, { yLeft = 0, yRight = 1, beta = 2 } = {}): Loss {
  const z = logit(x);
  const ce = crossEntropy(z, yRight - y, y - yLeft);
  return modulate(ce.grad, (yRight - yLeft) * z.on * z.off, beta, ce);
}
