/**
 * The losses: their names, as people type them, and what each takes beside what all take.
 */
import type { LossOps } from "../types.ts";
import { UsageError } from "./errors.ts";

/** A loss as the library calls it. */
export type LossName = keyof LossOps<"sync">;

/** A flag of some losses only. */
export type OwnFlag = "alpha" | "gamma" | "beta" | "y-left" | "y-right" | "first-bin" | "bin-step" | "eps";

/** What sets losses apart. */
export interface LossKind {
  /** May labels stand in the place of a target? */
  readonly labels: boolean;
  /** Has it one value per row of the predictions, rather than per element? */
  readonly rows: boolean;
  readonly own: readonly OwnFlag[];
}

const BOXES: LossKind = { labels: false, rows: true, own: ["eps"] };

const LOSSES: Readonly<Record<LossName, LossKind>> = {
  binaryCrossEntropyWithLogits: { labels: true, rows: false, own: [] },
  sigmoidFocalLoss: { labels: true, rows: false, own: ["alpha", "gamma"] },
  qualityFocalLoss: { labels: true, rows: false, own: ["beta"] },
  varifocalLoss: { labels: true, rows: false, own: ["alpha", "gamma"] },
  generalizedFocalLoss: { labels: false, rows: false, own: ["y-left", "y-right", "beta"] },
  distributionFocalLoss: { labels: false, rows: true, own: ["first-bin", "bin-step"] },
  iouLoss: BOXES,
  giouLoss: BOXES,
  diouLoss: BOXES,
  ciouLoss: BOXES,
  eiouLoss: BOXES,
  siouLoss: BOXES,
};

/** Every loss in kebab-case. */
export function lossNames(): string[] {
  return Object.keys(LOSSES).map(kebab);
}

/** "quality-focal-loss", "qualityFocalLoss" and "Quality_Focal_Loss" are one. */
export function lossOf(typed: string): LossName {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[-_]/g, "");
  const found = (Object.keys(LOSSES) as LossName[]).find((name) => plain(name) === plain(typed));
  if (found !== undefined) return found;
  throw new UsageError(`${JSON.stringify(typed)} is no loss; wanted one of ${lossNames().join(", ")}`);
}

/** What the loss takes. */
export function kindOf(name: LossName): LossKind {
  return LOSSES[name];
}

/** qualityFocalLoss → quality-focal-loss. */
export function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
}

/** bin-step → binStep. */
export function camel(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());
}
