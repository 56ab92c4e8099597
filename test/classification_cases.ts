/** The classification losses with their references, options to run with, and hard input. */
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
}

const exponents = (name: string) => [0, 0.3, 0.5, 1, 1.5, 2, 2.3, 3, 5].map((value) => ({ [name]: value }));

export const CASES: readonly Case[] = [
  {
    name: "binaryCrossEntropyWithLogits",
    reference: (x, y) => binaryCrossEntropyWithLogits(x, y),
    settings: [{}],
  },
  {
    name: "sigmoidFocalLoss",
    reference: sigmoidFocalLoss,
    settings: [
      {},
      { alpha: -1 },
      { alpha: 0 },
      { alpha: 1 },
      { alpha: 0.01 },
      { alpha: 0.6, gamma: 1 },
      ...exponents("gamma"),
    ],
  },
  {
    name: "qualityFocalLoss",
    reference: qualityFocalLoss,
    settings: [{}, ...exponents("beta")],
  },
  {
    name: "varifocalLoss",
    reference: varifocalLoss,
    settings: [{}, { iouWeighted: false }, { alpha: 0.2 }, { alpha: 0 }, ...exponents("gamma")],
  },
  {
    name: "generalizedFocalLoss",
    reference: generalizedFocalLoss,
    settings: [
      {},
      { yLeft: -1, yRight: 3 },
      { yLeft: 0, yRight: 3, beta: 0 },
      { yLeft: 0.5, yRight: 0.75, beta: 1 },
      { yLeft: 0, yRight: 16, beta: 0.5 },
      ...exponents("beta"),
    ],
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

/** Targets in the unit of the options, from shares of their range. */
export function targetsOf(share: Float32Array, options: Options): Float32Array {
  const { yLeft = 0, yRight = 1 } = options as Record<string, number>;
  return share.map((v) => yLeft + v * (yRight - yLeft));
}

/** Where the loss would be infinite but for a factor of 0. */
export const ZERO_FACTORS: readonly [Name, Options, [x: number, y: number][]][] = [
  ["sigmoidFocalLoss", { alpha: 0 }, [[-Infinity, 1], [Infinity, 1], [-Infinity, 0]]],
  ["sigmoidFocalLoss", { alpha: 1 }, [[Infinity, 0], [-Infinity, 0], [Infinity, 1]]],
  ["sigmoidFocalLoss", { alpha: 0, gamma: 0 }, [[-Infinity, 1]]],
  ["sigmoidFocalLoss", { alpha: 1, gamma: 2.5 }, [[Infinity, 0]]],
  ["varifocalLoss", { alpha: 0 }, [[Infinity, 0], [-Infinity, 0], [Infinity, 1]]],
  ["varifocalLoss", { alpha: 0, gamma: 0 }, [[Infinity, 0]]],
  ["varifocalLoss", { alpha: 0, gamma: 0.5 }, [[Infinity, 0]]],
  ["binaryCrossEntropyWithLogits", { lossWeight: 0 }, [[Infinity, 0], [-Infinity, 1]]],
  ["qualityFocalLoss", { lossWeight: 0 }, [[Infinity, 0], [-Infinity, 1], [Infinity, 0.5]]],
  ["generalizedFocalLoss", { lossWeight: 0, yRight: 3 }, [[Infinity, 0], [-Infinity, 3]]],
  ["qualityFocalLoss", {}, [[Infinity, 1], [-Infinity, 0]]],
  ["generalizedFocalLoss", { yRight: 3 }, [[Infinity, 3], [-Infinity, 0]]],
];
