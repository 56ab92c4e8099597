/** What the documentation allows a classification loss to be off, and a search for the input that takes most of it. */
import * as assert from "uvu/assert";
import { documentedBounds } from "./bounds.ts";
import type { Case, Options } from "./classification_cases.ts";
import { type Random, random } from "./random.ts";
import { crossEntropy, logit, type Loss, times } from "./reference/classification.ts";

/** On WebGPU bounds are as many times as large. */
export const ON_GPU = 4;

/** Logits and the targets that they have. */
export interface Pairs {
  readonly x: Float32Array<ArrayBuffer>;
  readonly y: Float32Array<ArrayBuffer>;
}

/** One loss and one gradient for each pair. */
export interface Found {
  readonly loss: Float32Array;
  readonly grad: Float32Array;
}

interface Bounds {
  readonly relative: number;
  /** Of a difference. */
  readonly cancelling: number;
}

/** What is less may count as 0. */
const LEAST = 1e-36;
const OWN_PATHS = [0, 1, 1.5, 2];

/** The bounds of a loss as documented, `factor` times as large, for the exponent of the options. */
function boundsOf({ name }: Case, options: Options, factor: number): Bounds {
  const stated = documentedBounds(name).map((bound) => bound * factor);
  assert.is(stated.length, name === "binaryCrossEntropyWithLogits" ? 2 : 3, `bounds of ${name}`);
  const [relative, general] = stated;
  const exponent = exponentOf(options);
  const own = stated.length === 2 || OWN_PATHS.includes(exponent);
  return {
    relative: own ? relative : Math.max(relative, general * (1 + exponent)),
    cancelling: stated[stated.length - 1],
  };
}

function exponentOf({ gamma = 2, beta = gamma }: Options): number {
  return Number(beta);
}

/** How far value and gradient may be from those of the reference. */
function allowed(c: Case, bounds: Bounds, x: number, y: number, options: Options, wanted: Loss): Loss {
  const { yLeft = 0, yRight = 1, alpha = 0.25 } = options as Record<string, number>;
  const exponent = exponentOf(options);
  const { on, off } = logit(x);
  const ce = crossEntropy(logit(x), yRight - y, y - yLeft).value;
  const nothing = LEAST * (yRight - yLeft) ** (exponent + 1) * (1 + ce);
  const value = bounds.relative * Math.abs(wanted.value) + nothing;
  const grad = bounds.relative * Math.abs(wanted.grad) + nothing;
  const difference = bounds.cancelling * Math.min(on, off);
  switch (c.name) {
    case "binaryCrossEntropyWithLogits":
      return { value, grad: grad + difference };
    case "varifocalLoss": {
      const weight = y === 0 ? 0 : options.iouWeighted === false ? 1 : y;
      return { value, grad: grad + weight * difference };
    }
    case "sigmoidFocalLoss": {
      const miss = y * off + (1 - y) * on;
      const weight = alpha < 0 ? 1 : alpha * y + (1 - alpha) * (1 - y);
      const direct = weight * miss ** exponent * (on * (1 - y) - off * y);
      const larger = Math.max(Math.abs(direct), Math.abs(wanted.grad - direct));
      const turn = bounds.cancelling * times(exponent * miss ** (exponent - 1) * on * off, ce);
      const differences = y === 0 || y === 1 ? 0 : weight * (miss ** exponent * difference + turn);
      return { value, grad: bounds.relative * larger + nothing + differences };
    }
    default:
      return y === yLeft || y === yRight
        ? { value, grad }
        : cancelled(bounds, x, y, exponent, yLeft, yRight, { value, grad });
  }
}

/** Of |d|^β·H, with d = ŷ − y off by itself. */
function cancelled(
  { cancelling }: Bounds,
  x: number,
  y: number,
  exponent: number,
  yLeft: number,
  yRight: number,
  plain: Loss,
): Loss {
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

/** Of what is allowed, the share that each pair takes. */
function sharesOf(c: Case, { x, y }: Pairs, options: Options, factor: number, got: Found): number[] {
  const bounds = boundsOf(c, options, factor);
  return Array.from(x, (_, i) => {
    const wanted = c.reference(x[i], y[i], options);
    const most = allowed(c, bounds, x[i], y[i], options, wanted);
    return Math.max(share(got.loss[i], wanted.value, most.value), share(got.grad[i], wanted.grad, most.grad));
  });
}

function share(got: number, wanted: number, most: number): number {
  if (Object.is(got, Math.fround(wanted)) || (Number.isNaN(got) && Number.isNaN(wanted))) return 0;
  if (most === Infinity && !Number.isNaN(got)) return 0;
  const taken = Math.abs(got - wanted) / most;
  return Number.isNaN(taken) ? Infinity : taken;
}

function demand(c: Case, options: Options, share: number, x: number, y: number): void {
  const what = `${c.name} ${JSON.stringify(options)} at x ${x}, y ${y}`;
  assert.ok(share <= 1, `${what} is off by ${share} of what is documented`);
}

/** Every value and gradient is within what is documented. */
export function compare(c: Case, pairs: Pairs, options: Options, got: Found, factor = 1): void {
  sharesOf(c, pairs, options, factor, got).forEach((share, i) => demand(c, options, share, pairs.x[i], pairs.y[i]));
}

/** The same of a search: pairs of all kinds, and pairs beside those that took most so far. Returns the largest share. */
export async function search(
  c: Case,
  options: Options,
  rounds: number,
  run: (pairs: Pairs, round: number) => Found | Promise<Found>,
  factor = 1,
): Promise<number> {
  const r = random(700);
  let best: (readonly [share: number, x: number, y: number])[] = [];
  for (let round = 0; round < rounds; round++) {
    const made = Array.from({ length: 1024 }, (_, i) => {
      if (i % 2 === 0 || best.length === 0) return anyPair(r, options);
      const [, x, y] = best[i % best.length];
      return beside(r, x, y, options);
    });
    const pairs = { x: Float32Array.from(made, ([x]) => x), y: Float32Array.from(made, ([, y]) => y) };
    const shares = sharesOf(c, pairs, options, factor, await run(pairs, round));
    const found = shares.map((share, i) => [share, pairs.x[i], pairs.y[i]] as const);
    best = [...best, ...found].sort(([a], [b]) => b - a).slice(0, 48);
    demand(c, options, ...best[0]);
  }
  return best[0][0];
}

/** Tiny, usual, saturated and extreme logits; hard, soft, tiny and nearly hard targets, and those that nearly cancel. */
function anyPair(r: Random, options: Options): [number, number] {
  const sign = r.integer(2) === 0 ? 1 : -1;
  const x = sign * [
    () => 0,
    () => 10 ** r.uniform(-12, 0),
    () => Math.abs(r.normal()) * 3,
    () => r.uniform(0, 30),
    () => r.uniform(10, 100),
    () => 10 ** r.uniform(-38, 38),
  ][r.integer(6)]();
  const y = [
    () => r.integer(2),
    () => r.uniform(),
    () => (1 + r.normal() * 10 ** r.uniform(-8, -1)) / (1 + Math.exp(-x)),
    () => 10 ** r.uniform(-37, 0),
    () => 1 - 2 ** -24 * (1 + r.integer(64)),
    () => 0.5 + sign * 2 ** -r.uniform(2, 25),
  ][r.integer(6)]();
  return [x, within(y, options)];
}

/** Nearly the same pair. */
function beside(r: Random, x: number, y: number, options: Options): [number, number] {
  const by = 1 + r.normal() * 10 ** r.uniform(-8, -1);
  const { yLeft = 0, yRight = 1 } = options as Record<string, number>;
  return r.integer(2) === 0 ? [x * by, y] : [x, within((y - yLeft) / (yRight - yLeft) * by, options)];
}

/** The target at a share of its range. */
function within(share: number, options: Options): number {
  const { yLeft = 0, yRight = 1 } = options as Record<string, number>;
  return Math.min(Math.max(Math.fround(yLeft + share * (yRight - yLeft)), yLeft), yRight);
}
