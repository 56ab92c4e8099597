/**
 * Positive: BCE(x, q^γ); otherwise α σ^γ · BCE(x, q), where q = 0 is meant (NaN stays), and σ^γ is a constant of the gradient.
 * Positive is q > 0, and what is said to be. A q of 0 stays 0 for every γ. In float64 (DEIM, Huang et al. 2024).
 */
import { type Allowed, crossEntropy, logit, type Loss, modulate, scale } from "./classification.ts";

export function matchabilityAwareLoss(
  x: number,
  q: number,
  { gamma = 1.5, alpha = 1, positive = false } = {},
): Loss {
  const z = logit(x);
  const t = q > 0 ? q ** gamma : q;
  const ce = crossEntropy(z, 1 - t, t);
  return q > 0 || positive ? ce : scale(modulate(z.on, 0, gamma, ce), alpha);
}

/** The loss around x, where σ^γ of a negative stays what it is there: the loss of γ = 0 times that. */
export function heldAt(x: number, q: number, options: { gamma?: number }) {
  const { gamma = 1.5 } = options;
  if (q > 0) return (at: number) => matchabilityAwareLoss(at, q, options).value;
  return (at: number) => logit(x).on ** gamma * matchabilityAwareLoss(at, q, { ...options, gamma: 0 }).value;
}

/** What the rounding of q^γ adds. */
export const allowed: Allowed = ({ x, y, cancelling, plain }) => {
  const rounding = y > 0 ? cancelling : 0;
  return { value: plain.value + rounding * Math.abs(x), grad: plain.grad + rounding };
};

/** Where the loss would be infinite but for a factor of 0. */
export const vanishing = [0, 0.5, 1, 1.5, 2].map((gamma) => {
  return [{ alpha: 0, gamma }, [[Infinity, 0], [-Infinity, 0], [Infinity, 1]]];
});
