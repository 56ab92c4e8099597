/**
 * −(left·log S_i + right·log S_(i+1)) of one row of logits, in float64, S its softmax. With u = (y − firstBin) / binStep
 * and i = min(⌊u⌋, bins − 2): left = i + 1 − u, right = u − i. So a label on the last bin puts all its weight there. With
 * binValues W, i is the last but one with W_i ≤ y, and right = (y − W_i) / (W_(i+1) − W_i).
 * Gradient S − weights, written without cancelling at a weight of 1.
 *
 * A weight of 0 times an infinite cross-entropy is 0. Infinite logits have their limit: equal shares of the largest.
 * NaN in the row or the label gives NaN. Labels outside the bins count as the first or last bin.
 */
import type { DistributionFocalOptions } from "densehead";
import { times } from "./classification.ts";

export function distributionFocalLoss(
  logits: ArrayLike<number>,
  y: number,
  { firstBin = 0, binStep = 1, binValues }: DistributionFocalOptions = {},
): { value: number; grad: number[] } {
  const bins = logits.length;
  const [left, right] = binValues === undefined
    ? placeOf((y - firstBin) / binStep, bins)
    : placeIn(Array.from(binValues, Math.fround), y);
  const weights = weightsAt(bins, left, right);
  const costs = crossEntropies(logits);
  const shares = costs.map((cost) => Math.exp(-cost));
  return {
    value: weights.reduce((sum, weight, bin) => sum + times(weight, costs[bin]), 0),
    grad: shares.map((share, bin) => (1 - weights[bin]) * share - weights[bin] * total(shares, bin)),
  };
}

/** Lower bin of a label, and the share of the upper one. */
function placeOf(place: number, bins: number): [left: number, right: number] {
  const u = Math.min(Math.max(place, 0), bins - 1);
  const left = Math.min(Math.floor(u), bins - 2);
  return [left, u - left];
}

/** The same by the bins' values. */
function placeIn(values: readonly number[], y: number): [left: number, right: number] {
  const left = Math.max(values.slice(0, -1).findLastIndex((value) => value <= y), 0);
  return [left, Math.min(Math.max((y - values[left]) / (values[left + 1] - values[left]), 0), 1)];
}

function weightsAt(bins: number, left: number, right: number): number[] {
  if (Number.isNaN(right)) return new Array<number>(bins).fill(NaN);
  return Array.from({ length: bins }, (_, bin) => bin === left ? 1 - right : bin === left + 1 ? right : 0);
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
