/** The classification losses with their references, options to run with, and hard input; and how to compare. */
import * as assert from "uvu/assert";
import { binaryCrossEntropyWithLogits } from "./reference/binary_cross_entropy_with_logits.ts";
import type { Loss } from "./reference/classification.ts";
import { generalizedFocalLoss } from "./reference/generalized_focal_loss.ts";
import { qualityFocalLoss } from "./reference/quality_focal_loss.ts";
import { sigmoidFocalLoss } from "./reference/sigmoid_focal_loss.ts";
import { varifocalLoss } from "./reference/varifocal_loss.ts";

export type Options = Record<string, number | boolean>;
export type Name =
  | "binaryCrossEntropyWithLogits"
  | "sigmoidFocalLoss"
  | "qualityFocalLoss"
  | "varifocalLoss"
  | "generalizedFocalLoss";

export interface Case {
  readonly name: Name;
  readonly reference: (x: number, y: number, options: Options) => Loss;
  /** Options to run with; the first are the defaults. */
  readonly settings: readonly Options[];
  /** The exponent of |y − ŷ|, whose cancellation is allowed for; null where nothing cancels. */
  readonly cancels: ((options: Options) => number) | null;
}

const exponents = (name: string) => [0, 0.5, 1, 1.5, 2, 2.3, 3, 5].map((value) => ({ [name]: value }));

export const CASES: readonly Case[] = [
  {
    name: "binaryCrossEntropyWithLogits",
    reference: (x, y) => binaryCrossEntropyWithLogits(x, y),
    settings: [{}],
    cancels: null,
  },
  {
    name: "sigmoidFocalLoss",
    reference: sigmoidFocalLoss,
    settings: [{}, { alpha: -1 }, { alpha: 0.6, gamma: 1 }, ...exponents("gamma")],
    cancels: null,
  },
  {
    name: "qualityFocalLoss",
    reference: qualityFocalLoss,
    settings: [{}, ...exponents("beta")],
    cancels: ({ beta = 2 }) => beta as number,
  },
  {
    name: "varifocalLoss",
    reference: varifocalLoss,
    settings: [{}, { iouWeighted: false }, { alpha: 0.2 }, ...exponents("gamma")],
    cancels: null,
  },
  {
    name: "generalizedFocalLoss",
    reference: generalizedFocalLoss,
    settings: [{}, { yLeft: -1, yRight: 3 }, { yLeft: 0.5, yRight: 0.75, beta: 1 }, ...exponents("beta")],
    cancels: ({ beta = 2 }) => beta as number,
  },
];

export const HARD_LOGITS = [
  0,
  -0,
  1e-30,
  -1e-30,
  1e-40,
  0.5,
  -0.5,
  20,
  -20,
  88,
  -88,
  104,
  -104,
  1e4,
  -1e4,
  Infinity,
  -Infinity,
];
export const HARD_TARGETS = [0, 1e-30, 1e-7, 0.5, 1 - 2 ** -24, 1];

/** Rounding of a base is multiplied by its exponent: 1e-6 up to an exponent of 2. */
export function relative({ beta = 2, gamma = beta }: Options, least = 1e-6): number {
  return Math.max(least, 4e-7 * (1 + Number(gamma)));
}

/** Targets in the unit of the options, from shares of their range. */
export function targetsOf(share: Float32Array, options: Options): Float32Array {
  const { yLeft = 0, yRight = 1 } = options as Record<string, number>;
  return share.map((v) => yLeft + v * (yRight - yLeft));
}

/**
 * Compares with the reference: relative error `bound` of the value; of the gradient where the target is 0 or 1, where its
 * parts have one sign. A difference y − ŷ may be off by a fifth of it. What is no normal float32 number counts as 0.
 */
export function compare(
  c: Case,
  x: Float32Array,
  y: Float32Array,
  options: Options,
  { loss, grad }: { loss: Float32Array; grad: Float32Array },
  bound = 1e-6,
): number {
  let worst = 0;
  for (let i = 0; i < x.length; i++) {
    const what = `${c.name} ${JSON.stringify(options)} at x ${x[i]}, y ${y[i]}`;
    const wanted = c.reference(x[i], y[i], options);
    const slack = allowance(c, x[i], y[i], options, bound / 1e-6);
    const share = relative(options, bound);
    expect(loss[i], wanted.value, share * Math.abs(wanted.value) + slack.value, `${what}: value`);
    expect(grad[i], wanted.grad, share * Math.abs(wanted.grad) + slack.grad, `${what}: gradient`);
    if (slack.value < 1e-37 && wanted.value > 1e-37 && wanted.value < 1e38) {
      worst = Math.max(worst, Math.abs(loss[i] / wanted.value - 1));
    }
  }
  return worst;
}

function expect(got: number, wanted: number, tolerance: number, what: string): void {
  const float = Math.fround(wanted);
  if (Object.is(got, float) || (Number.isNaN(wanted) && Number.isNaN(got))) return;
  if (tolerance === Infinity && !Number.isNaN(got)) return;
  assert.ok(Math.abs(got - wanted) <= tolerance, `${what} is ${got}; wanted ${wanted} within ${tolerance}`);
}

/** What is allowed beside the relative error. */
function allowance(
  c: Case,
  x: number,
  y: number,
  options: Options,
  times: number,
): { value: number; grad: number } {
  const tiny = 1e-37;
  const { yLeft = 0, yRight = 1 } = options as Record<string, number>;
  const u = c.name === "generalizedFocalLoss" ? (y - yLeft) / (yRight - yLeft) : y;
  const scale = c.name === "generalizedFocalLoss" ? (yRight - yLeft) ** ((options.beta as number ?? 2) + 1) : 1;
  if (u === 0 || u === 1) return { value: tiny, grad: tiny };
  const ce = binaryCrossEntropyWithLogits(x, u).value;
  // A gradient adds σ − y, which may cancel, and a term of the slope: both are off by rounding only.
  if (c.cancels === null) return { value: tiny, grad: times * 3e-7 * (1 + Math.min(ce, 1e6)) };
  const power = c.cancels(options);
  const d = Math.abs(1 / (1 + Math.exp(-x)) - u);
  const off = times * 2e-7;
  const drift = (d + off) ** power - Math.max(d - off, 0) ** power;
  // The derivative of the slope, times how far d may be off.
  const bend = power > 0 && power < 1 ? Math.max(d - off, 0) ** (power - 2) * off : 0;
  const grad = drift + bend + times * 4e-7 * (1 + power * (power + 1));
  // What is left of a vanishing power times an infinite cross-entropy is 0 in float32.
  const lost = ce === Infinity && d ** power < 1e-38 ? Infinity : 0;
  return { value: scale * drift * ce + tiny + lost, grad: scale * (grad * (1 + Math.min(ce, 1e6)) + drift) + lost };
}
