/**
 * α_t (1−p_t)^γ · BCE(x, t), in float64, with α_t = αt + (1−α)(1−t) and p_t = σt + (1−σ)(1−t); α < 0: α_t = 1.
 * Gradient α_t (γ m^(γ−1) (1−2t) σ(1−σ) BCE + m^γ (σ−t)), m = 1−p_t.
 */
import { type Allowed, crossEntropy, logit, type Loss, modulate, scale, times } from "./classification.ts";

export function sigmoidFocalLoss(x: number, t: number, { alpha = 0.25, gamma = 2 } = {}): Loss {
  const z = logit(x);
  const miss = t * z.off + (1 - t) * z.on;
  const weight = alpha < 0 ? 1 : alpha * t + (1 - alpha) * (1 - t);
  return scale(modulate(miss, (1 - 2 * t) * z.on * z.off, gamma, crossEntropy(z, 1 - t, t)), weight);
}

/** The larger of the gradient's terms takes the bound; soft targets have two differences. */
export const allowed: Allowed = (
  { x, y, options, wanted, exponent, relative, cancelling, difference, nothing, plain },
) => {
  const { alpha = 0.25 } = options as { alpha?: number };
  const z = logit(x);
  const miss = y * z.off + (1 - y) * z.on;
  const weight = alpha < 0 ? 1 : alpha * y + (1 - alpha) * (1 - y);
  const direct = weight * miss ** exponent * (z.on * (1 - y) - z.off * y);
  const larger = Math.max(Math.abs(direct), Math.abs(wanted.grad - direct));
  const ce = crossEntropy(z, 1 - y, y).value;
  const turn = cancelling * times(exponent * miss ** (exponent - 1) * z.on * z.off, ce);
  const differences = y === 0 || y === 1 ? 0 : weight * (miss ** exponent * difference + turn);
  return { value: plain.value, grad: relative * larger + nothing + differences };
};

/** Where the loss would be infinite but for a factor of 0. */
export const vanishing = [0, 0.7, 1, 1.5, 2, 2.5].flatMap((gamma) => [
  [{ alpha: 0, gamma }, [[-Infinity, 1], [Infinity, 1], [-Infinity, 0]]],
  [{ alpha: 1, gamma }, [[Infinity, 0], [-Infinity, 0], [Infinity, 1]]],
]);
