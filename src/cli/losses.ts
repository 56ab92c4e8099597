/**
 * The losses: their names, as people type them, and what each takes beside what all take.
 */
import type { LossOps } from "../types.ts";
import { UsageError } from "./errors.ts";
import { suggestion } from "./suggest.ts";

/** A loss as the library calls it. */
export type LossName = keyof LossOps<"sync">;

/** A flag of some losses only. */
export type OwnFlag =
  | "alpha"
  | "gamma"
  | "positives"
  | "beta"
  | "y-left"
  | "y-right"
  | "first-bin"
  | "bin-step"
  | "eps";

/** What sets losses apart. */
export interface LossKind {
  /** May labels stand in the place of a target? */
  readonly labels: boolean;
  /** Has it one value per row of the predictions, rather than per element? */
  readonly rows: boolean;
  /** Are its targets probabilities? */
  readonly probabilities: boolean;
  readonly own: readonly OwnFlag[];
}

const ELEMENTS = { labels: true, rows: false, probabilities: true };
const BOXES: LossKind = { labels: false, rows: true, probabilities: false, own: ["eps"] };

const LOSSES: Readonly<Record<LossName, LossKind>> = {
  binaryCrossEntropyWithLogits: { ...ELEMENTS, own: [] },
  sigmoidFocalLoss: { ...ELEMENTS, own: ["alpha", "gamma"] },
  qualityFocalLoss: { ...ELEMENTS, own: ["beta"] },
  varifocalLoss: { ...ELEMENTS, own: ["alpha", "gamma", "positives"] },
  generalizedFocalLoss: { ...ELEMENTS, labels: false, probabilities: false, own: ["y-left", "y-right", "beta"] },
  distributionFocalLoss: { labels: false, rows: true, probabilities: false, own: ["first-bin", "bin-step"] },
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

/** What the losses are called for short; of boxes, giou is enough for giou-loss. */
const SHORT: Readonly<Record<string, LossName>> = {
  bce: "binaryCrossEntropyWithLogits",
  focal: "sigmoidFocalLoss",
  qfl: "qualityFocalLoss",
  vfl: "varifocalLoss",
  gfl: "generalizedFocalLoss",
  dfl: "distributionFocalLoss",
};

/** "quality-focal-loss", "qualityFocalLoss", "Quality_Focal_Loss", "quality-focal" and "qfl" are one. */
export function lossOf(typed: string): LossName {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[-_]/g, "").replace(/loss$/, "");
  const found = (Object.keys(LOSSES) as LossName[]).find((name) => plain(name) === plain(typed));
  if (found !== undefined) return found;
  if (Object.hasOwn(SHORT, plain(typed))) return SHORT[plain(typed)];
  const names = lossNames();
  const meant = suggestion(typed, [...names, ...Object.keys(SHORT)]);
  throw new UsageError(`${JSON.stringify(typed)} is no loss; wanted one of ${names.join(", ")}${meant}`);
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
