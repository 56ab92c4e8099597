/**
 * Positive: q·BCE(x, q), or BCE(x, q) if not iouWeighted; otherwise α σ^γ · BCE(x, q), where q = 0 is meant (NaN stays).
 * Positive is q > 0, and what is said to be. In float64 (VarifocalNet, Zhang et al. 2021). The gradient flows through σ^γ:
 * α (γ σ^γ (1−σ) BCE + σ^γ σ) at q = 0.
 */
import { type Allowed, crossEntropy, logit, type Loss, modulate, scale } from "./classification.ts";

export function varifocalLoss(
  x: number,
  q: number,
  { alpha = 0.75, gamma = 2, iouWeighted = true, positive = false } = {},
): Loss {
  const z = logit(x);
  const ce = crossEntropy(z, 1 - q, q);
  if (q > 0 || positive) return scale(ce, iouWeighted ? q : 1);
  return scale(modulate(z.on, z.on * z.off, gamma, ce), alpha);
}

/** "label" is for labels alone, which have a suite of their own. */
export const settings = [{ positives: "quality" }];

export const allowed: Allowed = ({ y, options, difference, plain }) => {
  const weight = y === 0 ? 0 : options.iouWeighted === false ? 1 : y;
  return { value: plain.value, grad: plain.grad + weight * difference };
};

/** Where the loss would be infinite but for a factor of 0. */
export const vanishing = [0, 0.5, 0.7, 1, 1.5, 2].map((gamma) => {
  return [{ alpha: 0, gamma }, [[Infinity, 0], [-Infinity, 0], [Infinity, 1]]];
});
