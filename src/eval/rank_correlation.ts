/**
 * Do two measures order the same things alike?
 */

/** Spearman's: the correlation of the ranks, in [−1, 1]; NaN for fewer than two values, equal values and NaN among them. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  if (a.some(Number.isNaN) || b.some(Number.isNaN)) return NaN;
  const [x, y] = [a, b].map((values) => centred(ranksOf(values)));
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

/** From 0 up; equal values share the mean of their ranks. */
function ranksOf(values: readonly number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b);
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  sorted.forEach((value, rank) => {
    if (!first.has(value)) first.set(value, rank);
    last.set(value, rank);
  });
  return values.map((value) => ((first.get(value) ?? NaN) + (last.get(value) ?? NaN)) / 2);
}

function centred(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}
