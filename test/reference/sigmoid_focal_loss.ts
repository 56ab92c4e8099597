/**
 * α_t (1−p_t)^γ · BCE(x, t), in float64, with α_t = αt + (1−α)(1−t) and p_t = σt + (1−σ)(1−t); α < 0: α_t = 1.
 * Gradient α_t (γ m^(γ−1) (1−2t) σ(1−σ) BCE + m^γ (σ−t)), m = 1−p_t.
 */
import { crossEntropy, logit, type Loss, modulate, scale } from "./classification.ts";

export function sigmoidFocalLoss(x: number, t: number, { alpha = 0.25, gamma = 2 } = {}): Loss {
  const z = logit(x);
  const miss = t * z.off + (1 - t) * z.on;
  const weight = alpha < 0 ? 1 : alpha * t + (1 - alpha) * (1 - t);
  return scale(modulate(miss, (1 - 2 * t) * z.on * z.off, gamma, crossEntropy(z, 1 - t, t)), weight);
}
