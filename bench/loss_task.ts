/** The losses of the registry, and what one is computed on, the same for us and for every peer. */
import type { LossOps } from "densehead";
import { losses } from "../src/generated/losses.ts";
import type { LossRecord } from "../src/ops/loss_call.ts";

export type LossName = keyof LossOps<"sync">;
export type LossKind = LossRecord["kind"];

const RECORDS = losses as Readonly<Record<LossName, LossRecord>>;

/** Those of predictions and targets; object_losses.ts has the others. */
export const LOSSES = (Object.keys(losses) as LossName[]).filter((name) => losses[name].kind !== "routine");

export function kindOf(loss: LossName): LossKind {
  return RECORDS[loss].kind;
}

/** Options that the loss is not called without: sizes of images are the frame's. */
export function requiredOf(loss: LossName, frame: number): Required<LossInput>["options"] {
  const needsSize = Object.values(RECORDS[loss].params).some(({ required, kind }) => required && kind === "size");
  return needsSize ? { imageSize: [frame, frame] } : {};
}

export function lossesOf(kind: LossKind): LossName[] {
  return LOSSES.filter((loss) => kindOf(loss) === kind);
}

export interface LossInput {
  readonly loss: LossName;
  readonly pred: Float32Array;
  readonly predDims: readonly [number, number];
  readonly target: Float32Array;
  readonly targetDims: readonly number[];
  /** Options that the loss is not called without. */
  readonly options?: { readonly imageSize?: readonly [number, number] };
}

export interface LossTask extends LossInput {
  /** The gradient too. */
  readonly grad: boolean;
}

/** The sum of all losses, and its gradient where that is asked for. */
export interface LossOutcome {
  readonly loss: number;
  readonly grad?: Float32Array;
}

/** Somebody else's losses. */
export interface LossPeer {
  readonly name: string;
  /** A way to run the task with inputs that were made outside the measurement, or null where it has none. */
  prepare(task: LossTask): PreparedLoss | null | Promise<PreparedLoss | null>;
}

/** A way to the task's result in this process, or null where there is none. */
export type LossFunction = (task: LossTask) => (() => LossOutcome) | null;

export interface PreparedLoss {
  run(): LossOutcome | Promise<LossOutcome>;
  /** For a peer that is a process of its own: milliseconds of each of so many calls. */
  clock?(calls: number): Promise<number>;
}

/** Somebody else's losses on WebGPU. */
export interface GpuLossPeer {
  readonly name: string;
  /** Null where it has no such loss. */
  prepare(task: LossTask): GpuPreparedLoss | null | Promise<GpuPreparedLoss | null>;
}

export interface GpuPreparedLoss {
  /** From host arrays to a result on the host. */
  readonly host?: PreparedLoss;
  /** With inputs that are on the device; only the sum comes back, a gradient stays. */
  readonly resident: PreparedLoss;
}
