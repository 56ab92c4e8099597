/**
 * 1 − exp(−d / c), d² = Δx² + Δy² + (Δw² + Δh²) / 4 of centres and sizes, in float64. The size of an inverted box is
 * negative, and no slope is that of equal boxes.
 */
import type { BoxLoss } from "./box_loss.ts";

export function nwdLoss(pred: ArrayLike<number>, target: ArrayLike<number>, { c = 12.8 } = {}): BoxLoss {
  const [dx, dy] = [0, 1].map((k) => ((pred[k] - target[k]) + (pred[k + 2] - target[k + 2])) / 2);
  const [dw, dh] = [0, 1].map((k) => (pred[k + 2] - pred[k]) - (target[k + 2] - target[k]));
  const distance = Math.hypot(dx, dy, dw / 2, dh / 2);
  const steep = distance === 0 ? 0 : Math.exp(-distance / c) / (c * distance);
  // dΔx/dx1 = 1/2, dΔw/dx1 = −1.
  const slope = (centre: number, size: number, sign: number) => steep * (centre / 2 + sign * size / 4);
  return {
    value: -Math.expm1(-distance / c),
    grad: [slope(dx, dw, -1), slope(dy, dh, -1), slope(dx, dw, 1), slope(dy, dh, 1)],
  };
}
