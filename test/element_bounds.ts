/** What the record allows an element loss to be off, and a search for the input that takes most of it. */
import * as assert from "uvu/assert";
import type { LossRecord } from "../src/ops/loss_call.ts";
import type { ElementReference, Options } from "./conformance.ts";
import { type Random, random } from "./random.ts";
import { crossEntropy, logit, type Loss } from "./reference/classification.ts";

export type Backend = "wasm" | "webgpu";

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

/** What is less may count as 0. */
const LEAST = 1e-36;
const OWN_PATHS = [0, 1, 1.5, 2];

/** The bounds of a record for the exponent of the options. */
function boundsOf({ operation: { bounds } }: ElementReference, exponent: number, on: Backend) {
  const { value, power, difference } = bounds;
  const general = power === undefined || OWN_PATHS.includes(exponent) ? 0 : power[on] * (1 + exponent);
  return { relative: Math.max(value[on], general), cancelling: difference?.[on] ?? 0 };
}

function exponentOf({ operation }: ElementReference, options: Options): number {
  const { exponent, params } = operation as typeof operation & { exponent?: string };
  return exponent === undefined ? 0 : Number(options[exponent] ?? params[exponent].default);
}

type Ends = readonly [low: number, high: number];

/** The ends of the range of targets. */
export function endsOf({ operation }: ElementReference, options: Options): Ends {
  const { targetRange, params } = operation as typeof operation & Pick<LossRecord, "targetRange">;
  const end = (given: number | string) => {
    return typeof given === "number" ? given : Number(options[given] ?? params[given].default);
  };
  const [low, high] = targetRange ?? [0, 1];
  return [end(low), end(high)];
}

/** How far value and gradient may be from those of the reference. */
function allowed(c: ElementReference, x: number, y: number, options: Options, on: Backend, wanted: Loss): Loss {
  const [low, high] = endsOf(c, options);
  const exponent = exponentOf(c, options);
  const { relative, cancelling } = boundsOf(c, exponent, on);
  const z = logit(x);
  const ce = crossEntropy(z, high - y, y - low).value;
  const nothing = LEAST * (high - low) ** (exponent + 1) * (1 + ce);
  const plain = {
    value: relative * Math.abs(wanted.value) + nothing,
    grad: relative * Math.abs(wanted.grad) + nothing,
  };
  const difference = cancelling * Math.min(z.on, z.off);
  const own = c.file.allowed;
  if (own === undefined) return { value: plain.value, grad: plain.grad + difference };
  return own({ x, y, options, wanted, exponent, relative, cancelling, difference, nothing, plain });
}

/** Of what is allowed, the share that each pair takes. */
function sharesOf(c: ElementReference, { x, y }: Pairs, options: Options, on: Backend, got: Found): number[] {
  return Array.from(x, (_, i) => {
    const wanted = c.reference(x[i], y[i], options);
    const most = allowed(c, x[i], y[i], options, on, wanted);
    return Math.max(share(got.loss[i], wanted.value, most.value), share(got.grad[i], wanted.grad, most.grad));
  });
}

function share(got: number, wanted: number, most: number): number {
  if (Object.is(got, Math.fround(wanted)) || (Number.isNaN(got) && Number.isNaN(wanted))) return 0;
  if (most === Infinity && !Number.isNaN(got)) return 0;
  const taken = Math.abs(got - wanted) / most;
  return Number.isNaN(taken) ? Infinity : taken;
}

function demand(c: ElementReference, options: Options, share: number, x: number, y: number): void {
  const what = `${c.name} ${JSON.stringify(options)} at x ${x}, y ${y}`;
  assert.ok(share <= 1, `${what} is off by ${share} of what the record allows`);
}

/** Every value and gradient is within what the record allows. */
export function compare(c: ElementReference, pairs: Pairs, options: Options, got: Found, on: Backend = "wasm"): void {
  sharesOf(c, pairs, options, on, got).forEach((share, i) => demand(c, options, share, pairs.x[i], pairs.y[i]));
}

/** The same of a search: pairs of all kinds, and pairs beside those that took most so far. Returns the largest share. */
export async function search(
  c: ElementReference,
  options: Options,
  rounds: number,
  run: (pairs: Pairs, round: number) => Found | Promise<Found>,
  on: Backend = "wasm",
): Promise<number> {
  const r = random(700);
  const ends = endsOf(c, options);
  let best: (readonly [share: number, x: number, y: number])[] = [];
  for (let round = 0; round < rounds; round++) {
    const made = Array.from({ length: 1024 }, (_, i) => {
      if (i % 2 === 0 || best.length === 0) return anyPair(r, ends);
      const [, x, y] = best[i % best.length];
      return beside(r, x, y, ends);
    });
    const pairs = { x: Float32Array.from(made, ([x]) => x), y: Float32Array.from(made, ([, y]) => y) };
    const shares = sharesOf(c, pairs, options, on, await run(pairs, round));
    const found = shares.map((share, i) => [share, pairs.x[i], pairs.y[i]] as const);
    best = [...best, ...found].sort(([a], [b]) => b - a).slice(0, 48);
    demand(c, options, ...best[0]);
  }
  return best[0][0];
}

/** Tiny, usual, saturated and extreme logits; hard, soft, tiny and nearly hard targets, and those that nearly cancel. */
function anyPair(r: Random, ends: Ends): [number, number] {
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
  return [x, within(y, ends)];
}

/** Nearly the same pair. */
function beside(r: Random, x: number, y: number, ends: Ends): [number, number] {
  const by = 1 + r.normal() * 10 ** r.uniform(-8, -1);
  const [low, high] = ends;
  return r.integer(2) === 0 ? [x * by, y] : [x, within((y - low) / (high - low) * by, ends)];
}

/** The target at a share of its range. */
function within(share: number, [low, high]: Ends): number {
  return Math.min(Math.max(Math.fround(low + share * (high - low)), low), high);
}

const HARD_LOGITS = [0, 1e-30, 1e-40, 0.5, 20, 88, 104, 1e4, Infinity].flatMap((x) => [x, -x]);
const HARD_TARGETS = [0, 1e-30, 1e-7, 0.5, 1 - 2 ** -24, 1];

/** Every hard logit with every hard target, which are shares of their range. */
export const HARD: readonly (readonly [x: number, share: number])[] = HARD_LOGITS.flatMap((x) => {
  return HARD_TARGETS.map((y) => [x, y] as const);
});

/** Targets in the unit of the options, from shares of their range. */
export function targetsOf(c: ElementReference, share: Float32Array<ArrayBuffer>, options: Options) {
  const [low, high] = endsOf(c, options);
  return share.map((v) => low + v * (high - low));
}
