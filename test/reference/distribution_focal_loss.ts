/**
 * −(left·log S_i + right·log S_(i+1)) of one row of logits, in float64, S its softmax. With u = (y − firstBin) / binStep
 * and i = min(⌊u⌋, bins − 2): left = i + 1 − u, right = u − i. So a label on the last bin puts all its weight there.
 * Gradient S − weights, written without cancelling at a weight of 1.
 *
 * A weight of 0 times an infinite cross-entropy is 0. Infinite logits have their limit: equal shares of the largest.
 * NaN in the row or the label gives NaN. Labels outside the bins are not for this function.
 */
import { times } from "./classification.ts";

export function distributionFocalLoss(
  logits: ArrayLike<number>,
  y: number,
  { firstBin = 0, binStep = 1 } = {},
): { value: number; grad: number[] } {
  const weights = binWeights(logits.length, (y - firstBin) / binStep);
  const costs = crossEntropies(logits);
  const shares = costs.map((cost) => Math.exp(-cost));
  return {
    value: weights.reduce((sum, weight, bin) => sum + times(weight, costs[bin]), 0),
    grad: shares.map((share, bin) => (1 - weights[bin]) * share - weights[bin] * total(shares, bin)),
  };
}

function binWeights(bins: number, u: number): number[] {
  if (Number.isNaN(u)) return new Array<number>(bins).fill(NaN);
  const left = Math.min(Math.floor(u), bins - 2);
  return Array.from({ length: bins }, (_, bin) => bin === left ? left + 1 - u : bin === left + 1 ? u - left : 0);
}

/** −log softmax of every bin. */
function crossEntropies(logits: ArrayLike<number>): number[] {
  const row = Array.from(logits);
  const peak = Math.max(...row);
  const gaps = row.map((x) => x === peak ? 0 : peak - x);
  const log = Math.log1p(total(gaps.map((gap) => Math.exp(-gap)), row.indexOf(peak)));
  return gaps.map((gap) => gap + log);
}

/** The sum of all but one. */
function total(values: readonly number[], without: number): number {
  return values.reduce((sum, value, i) => i === without ? sum : sum + value, 0);
}

export const columns = Array.from({ length: 63 }, (_, i) => i + 2);

/** The value of the bins at a share of their range. */
export function targetAt(share: number, bins: number, { firstBin = 0, binStep = 1 } = {}): number {
  return firstBin + share * (bins - 1) * binStep;
}

/** Steps that float32 has: others round the label, which the bound leaves out. */
export const settings = [{ firstBin: -1, binStep: 0.5 }, { firstBin: 3 }, { binStep: 2 }];
