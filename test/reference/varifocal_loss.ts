/**
 * Positive: q·BCE(x, q), or BCE(x, q) if not iouWeighted; otherwise α σ^γ · BCE(x, q), where q = 0 is meant (NaN stays).
 * Positive is q > 0, and what is said to be. In float64 (VarifocalNet, Zhang et al. 2021). The gradient flows through σ^γ:
 * α (γ σ^γ (1−σ) BCE + σ^γ σ) at q = 0. With detachWeight σ^γ is a constant: α σ^γ σ.
 */
import { type Allowed, crossEntropy, logit, type Loss, modulate, scale } from "./classification.ts";

export function varifocalLoss(
  x: number,
  q: number,
  { alpha = 0.75, gamma = 2, iouWeighted = true, detachWeight = false, positive = false } = {},
): Loss {
  const z = logit(x);
  const ce = crossEntropy(z, 1 - q, q);
  if (q > 0 || positive) return scale(ce, iouWeighted ? q : 1);
  return scale(modulate(z.on, detachWeight ? 0 : z.on * z.off, gamma, ce), alpha);
}

/** The loss around x. With detachWeight σ^γ stays what it is there: the loss of γ = 0 times that. */
export function heldAt(x: number, q: number, options: { gamma?: number; detachWeight?: boolean }) {
  const { gamma = 2, detachWeight = false } = options;
  if (!detachWeight || q > 0) return (at: number) => varifocalLoss(at, q, options).value;
  return (at: number) => logit(x).on ** gamma * varifocalLoss(at, q, { ...options, gamma: 0 }).value;
}

/** "label" is for labels alone, which have a suite of their own. */
export const settings = [
  { positives: "quality" },
  ...[0.7, 1, 1.5, 2].map((gamma) => ({ detachWeight: true, gamma })),
];

export const allowed: Allowed = ({ y, options, difference, plain }) => {
  const weight = y === 0 ? 0 : options.iouWeighted === false ? 1 : y;
  return { value: plain.value, grad: plain.grad + weight * difference };
};

/** Where the loss would be infinite but for a factor of 0. */
export const vanishing = [0, 0.5, 0.7, 1, 1.5, 2].map((gamma) => {
  return [{ alpha: 0, gamma }, [[Infinity, 0], [-Infinity, 0], [Infinity, 1]]];
});
