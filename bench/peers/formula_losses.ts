/**
 * Losses in JavaScript as they are written down from a paper: small functions, array methods, log and pow as the formula
 * has them. No gradients. Parameters are the defaults.
 */
import type { LossFunction, LossName } from "../loss_task.ts";

type Elementwise = (x: number, y: number) => number;

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const crossEntropy: Elementwise = (x, y) => -y * Math.log(sigmoid(x)) - (1 - y) * Math.log(1 - sigmoid(x));

/** Of one element. */
const ELEMENTWISE: Readonly<Partial<Record<LossName, Elementwise>>> = {
  binaryCrossEntropyWithLogits: crossEntropy,
  qualityFocalLoss: (x, y) => Math.pow(Math.abs(y - sigmoid(x)), 2) * crossEntropy(x, y),
  generalizedFocalLoss: (x, y) => Math.pow(Math.abs(y - sigmoid(x)), 2) * crossEntropy(x, y),
  sigmoidFocalLoss(x, y) {
    const p = sigmoid(x);
    const miss = p * (1 - y) + (1 - p) * y;
    return (0.25 * y + 0.75 * (1 - y)) * Math.pow(miss, 2) * crossEntropy(x, y);
  },
  varifocalLoss(x, y) {
    return y > 0 ? y * crossEntropy(x, y) : 0.75 * Math.pow(sigmoid(x), 2) * crossEntropy(x, 0);
  },
};

/** The sum over all elements or rows, or null where the formula is not written down here. */
export const formulaLoss: LossFunction = ({ loss, pred, predDims, target, grad }) => {
  const elementwise = ELEMENTWISE[loss];
  if (grad) return null;
  if (elementwise !== undefined) {
    return () => ({ loss: pred.reduce((sum, x, i) => sum + elementwise(x, target[i]), 0) });
  }
  if (loss !== "distributionFocalLoss") return null;
  const bins = predDims[1];
  return () => ({
    loss: target.reduce(
      (sum, y, row) => sum + distributionFocal([...pred.subarray(row * bins, (row + 1) * bins)], y),
      0,
    ),
  });
};

function distributionFocal(logits: readonly number[], y: number): number {
  const largest = Math.max(...logits);
  const exps = logits.map((x) => Math.exp(x - largest));
  const total = exps.reduce((sum, value) => sum + value, 0);
  const left = Math.floor(y);
  return -(left + 1 - y) * Math.log(exps[left] / total) - (y - left) * Math.log(exps[left + 1] / total);
}
