/**
 * Checked calls of the criteria, over maps that may lie anywhere: what both backends start from.
 */
import type { LossCall } from "../ops/loss_call.ts";
import type { GflCriterionOptions, Placement, VfnetCriterionOptions } from "../types.ts";
import type { AnySource } from "../validate.ts";
import type { Scene } from "./criterion_input.ts";
import type { Positives } from "./positives.ts";

interface CheckedCall {
  readonly scene: Scene;
  readonly positives: Positives;
  /** The classification loss of all anchors, but for the qualities of the positives, which their boxes give. */
  readonly cls: LossCall;
  /** (P, columns) in the rows of the positives, zeros elsewhere. */
  scatter(values: Float32Array, columns: number): Float32Array;
}

export interface GflCall extends CheckedCall {
  readonly op: "gflCriterion";
  readonly dist: AnySource;
  /** (P·4), what the distributions of the positives learn, in bins. */
  readonly targets: Float32Array;
  readonly settings: Required<GflCriterionOptions<Placement>>;
}

export interface VfnetCall extends CheckedCall {
  readonly op: "vfnetCriterion";
  readonly distances: AnySource;
  readonly refined: AnySource;
  /** What the weight of a positive is at least. */
  readonly leastIou: number;
  readonly settings: Required<VfnetCriterionOptions<Placement>>;
}

export type CriterionCall = GflCall | VfnetCall;
