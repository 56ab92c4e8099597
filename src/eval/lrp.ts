/**
 * Localization-recall-precision error and its optimum (Oksuz et al. 2018; 2022), at IoU 0.5.
 */
import type { ClassFound } from "./class_rows.ts";

/** Of a class, at the score threshold that is best for it. */
export interface OptimalLrp {
  readonly oLRP: number;
  readonly localization: number;
  readonly falsePositive: number;
  readonly falseNegative: number;
  readonly threshold: number;
}

const TAU = 0.5;

const NO_OBJECT: OptimalLrp = { oLRP: -1, localization: -1, falsePositive: -1, falseNegative: -1, threshold: -1 };
const NO_HIT: OptimalLrp = { oLRP: 1, localization: NaN, falsePositive: NaN, falseNegative: 1, threshold: NaN };

/** The least error over all score thresholds; of equal ones the highest threshold. */
export function optimalLrp({ scores, overlaps, objects: [objects] }: ClassFound): OptimalLrp {
  if (objects === 0) return NO_OBJECT;
  let [right, wrong, overlap] = [0, 0, 0];
  let best = { error: Infinity, right: 0, wrong: 0, loss: 0, threshold: NaN };
  for (let i = 0; i < scores.length; i++) {
    if (overlaps[i] < 0) continue;
    if (overlaps[i] > 0) right++;
    else wrong++;
    overlap += overlaps[i];
    const loss = right - overlap;
    const error = (loss / (1 - TAU) + wrong + objects - right) / (wrong + objects);
    if (error < best.error) best = { error, right, wrong, loss, threshold: scores[i] };
  }
  if (right === 0) return NO_HIT;
  return {
    oLRP: best.error,
    localization: best.loss / best.right,
    falsePositive: best.wrong / (best.right + best.wrong),
    falseNegative: (objects - best.right) / objects,
    threshold: best.threshold,
  };
}

/** Means over the classes that have the value; −1 where none has. */
export function meanLrp(classes: readonly OptimalLrp[]): Omit<OptimalLrp, "threshold"> {
  const mean = (name: keyof OptimalLrp) => {
    const values = classes.map((found) => found[name]).filter((value) => value > -1);
    return values.length === 0 ? -1 : values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  return {
    oLRP: mean("oLRP"),
    localization: mean("localization"),
    falsePositive: mean("falsePositive"),
    falseNegative: mean("falseNegative"),
  };
}
