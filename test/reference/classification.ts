/**
 * What the classification losses share, in float64. Everything comes from e = exp(−|x|), and a difference that can
 * vanish is written as (1−y)·σ − y·(1−σ), so that nothing cancels where y is 0 or 1.
 *
 * Conventions: 0·∞ = 0 (so 0·log 0 = 0), pow(0, 0) = 1, the gradient of |d|^p at d = 0 is 0 for every p ≥ 0, infinite
 * logits have their limits, NaN in the logit or the target gives NaN.
 */

export interface Loss {
  value: number;
  /** Derivative with respect to the logit. */
  grad: number;
}

export interface Logit {
  /** σ(x). */
  on: number;
  /** 1 − σ(x). */
  off: number;
  /** −log σ(x). */
  costOn: number;
  /** −log(1 − σ(x)). */
  costOff: number;
}

export function logit(x: number): Logit {
  const e = Math.exp(-Math.abs(x));
  const l = Math.log1p(e);
  const [on, off] = x < 0 ? [e / (1 + e), 1 / (1 + e)] : [1 / (1 + e), e / (1 + e)];
  return { on, off, costOn: Math.max(-x, 0) + l, costOff: Math.max(x, 0) + l };
}

/** a·b with 0·∞ = 0. */
export function times(a: number, b: number): number {
  const vanishes = (a === 0 && Math.abs(b) === Infinity) || (b === 0 && Math.abs(a) === Infinity);
  return vanishes ? 0 : a * b;
}

/** left·(−log(1−σ)) + right·(−log σ), and its derivative left·σ − right·(1−σ). */
export function crossEntropy(z: Logit, left: number, right: number): Loss {
  return { value: times(left, z.costOff) + times(right, z.costOn), grad: left * z.on - right * z.off };
}

/** |d|^power · ce, where `slope` is the derivative of d. */
export function modulate(d: number, slope: number, power: number, ce: Loss): Loss {
  const factor = Math.abs(d) ** power;
  const through = d === 0 ? 0 : times(power * factor * (slope / d), ce.value);
  return { value: times(factor, ce.value), grad: through + factor * ce.grad };
}

export function scale(loss: Loss, factor: number): Loss {
  return { value: times(factor, loss.value), grad: factor * loss.grad };
}

/** What the bounds of a loss allow a value and a gradient to be off, before its own differences are taken into account. */
export interface Allowance {
  readonly x: number;
  readonly y: number;
  readonly options: Readonly<Record<string, unknown>>;
  readonly wanted: Loss;
  readonly exponent: number;
  /** The bound of values, for the exponent, and that of differences. */
  readonly relative: number;
  readonly cancelling: number;
  /** The latter of the smaller of σ and 1 − σ. */
  readonly difference: number;
  /** What may count as 0. */
  readonly nothing: number;
  /** The share `relative` of value and gradient. */
  readonly plain: Loss;
}

/** A loss whose gradient is off by more than `difference` has a function of its own. */
export type Allowed = (allowance: Allowance) => Loss;

/** What a loss |d|^β·H may be off, with d = ŷ − y off by itself. */
export function cancelled({ x, y, exponent, cancelling, plain }: Allowance, yLeft = 0, yRight = 1): Loss {
  if (y === yLeft || y === yRight) return plain;
  const { on, off } = logit(x);
  const { value: ce, grad: d } = crossEntropy(logit(x), yRight - y, y - yLeft);
  if (ce === Infinity) return plain;
  const least = Math.abs(d) - cancelling * (yRight - yLeft);
  const most = Math.abs(d) + cancelling * (yRight - yLeft);
  const turns = least < 0;
  const difference = (power: number) => Math.abs(most ** power - Math.max(least, 0) ** power);
  // Across 0 a gradient changes its sign; an exponent under 1 makes it infinite there.
  const acrossZero = exponent < 1 ? (exponent === 0 ? 0 : Infinity) : 2 * most ** (exponent - 1);
  const through = turns ? acrossZero : difference(exponent - 1);
  const slope = times(exponent * (yRight - yLeft) * on * off * ce, through);
  return {
    value: plain.value + difference(exponent) * ce,
    grad: plain.grad + (turns ? 2 : 1) * difference(exponent + 1) + slope,
  };
}
