/** Order statistics of repeated measurements. */
export interface Spread {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/** 10th, 50th and 90th percentile. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    low: quantile(sorted, 0.1),
    median: quantile(sorted, 0.5),
    high: quantile(sorted, 0.9),
  };
}

function quantile(sorted: readonly number[], q: number): number {
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/** The exponent k of y = c · x^k, by least squares of the logarithms. */
export function growthExponent(
  x: readonly number[],
  y: readonly number[],
): number {
  const logX = x.map(Math.log);
  const logY = y.map(Math.log);
  const meanX = mean(logX);
  const meanY = mean(logY);
  const products = logX.map((value, i) => (value - meanX) * (logY[i] - meanY));
  const squares = logX.map((value) => (value - meanX) ** 2);
  return mean(products) / mean(squares);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Three significant digits without an exponent. */
export function significant(value: number): string {
  // Rounded before its digits are counted: 9.999 is 10.0.
  const digits = 2 - Math.floor(Math.log10(Math.max(Number(value.toPrecision(3)), 1e-9)));
  return value.toFixed(Math.min(Math.max(digits, 0), 6));
}
