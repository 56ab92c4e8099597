/** t·softplus(−x) + (1−t)·softplus(x), in float64. Gradient σ − t. */
import { crossEntropy, logit, type Loss } from "./classification.ts";

export function binaryCrossEntropyWithLogits(x: number, t: number): Loss {
  return crossEntropy(logit(x), 1 - t, t);
}

/** Where the loss would be infinite but for a factor of 0. */
export const vanishing = [[{ lossWeight: 0 }, [[Infinity, 0], [-Infinity, 1]]]];
