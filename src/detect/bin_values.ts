/**
 * Distributions over bins of any rising values: mean, deviation and floor of each side, in float64.
 */

/** A distribution's channels: bin b is at first + b · step. */
interface Bins {
  readonly values: Float32Array;
  readonly first: number;
  readonly step: number;
}

/** Of a side, in the values' unit; saturation is the probability of the last bin. */
export interface BinStatistics {
  readonly mean: number;
  readonly std: number;
  readonly saturation: number;
  /** What the deviation has beyond that of the two values beside the mean. */
  readonly excess: number;
}

export function binMean(bins: Bins, binValues: readonly number[]): number {
  const weights = softmax(bins, binValues.length);
  return binValues.reduce((sum, value, b) => sum + weights[b] * value, 0);
}

export function binStatistics(bins: Bins, binValues: readonly number[]): BinStatistics {
  const weights = softmax(bins, binValues.length);
  const mean = binValues.reduce((sum, value, b) => sum + weights[b] * value, 0);
  const variance = binValues.reduce((sum, value, b) => sum + weights[b] * (value - mean) ** 2, 0);
  const above = Math.min(Math.max(binValues.findIndex((value) => value > mean), 1), binValues.length - 1);
  const floor = Math.max((mean - binValues[above - 1]) * (binValues[above] - mean), 0);
  const last = weights[weights.length - 1];
  return { mean, std: Math.sqrt(variance), saturation: last, excess: Math.sqrt(Math.max(variance - floor, 0)) };
}

/** Infinite logits share what there is. */
function softmax({ values, first, step }: Bins, count: number): number[] {
  const logits = Array.from({ length: count }, (_, b) => values[first + b * step]);
  const most = Math.max(...logits);
  const weights = logits.map((logit) => logit === most ? 1 : Math.exp(logit - most));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}
