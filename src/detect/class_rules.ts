/**
 * Which classes compete, and over which score each of them does.
 */
import type { DetectOptions, HeadSpec } from "../types.ts";
import { describe, integer, isBare, listOf, number, type Place, rangeError, typeError } from "../validate.ts";
import { rawThreshold, thresholdByObjectness } from "./scores.ts";

/** The threshold of each class: Infinity for one that does not compete. */
export type ClassRules = Float64Array;

export interface ScoreRules {
  /** Every score of a detection is over it. */
  readonly scoreThreshold: number;
  /** Null where all classes compete alike. */
  readonly classRules: ClassRules | null;
}

export function readScoreRules(
  place: (member: string) => Place,
  { scoreThreshold, classes }: { scoreThreshold: number | Float32Array; classes: DetectOptions["classes"] },
  numClasses: number,
): ScoreRules {
  if (classes === undefined && !isBare(scoreThreshold)) {
    return { scoreThreshold: number(place("scoreThreshold"), scoreThreshold, 0, 1), classRules: null };
  }
  const thresholds = readThresholds(place("scoreThreshold"), scoreThreshold, numClasses);
  const listed = readClasses(place("classes"), classes, numClasses);
  const rules = thresholds.map((threshold, label) => listed === null || listed.has(label) ? threshold : Infinity);
  // Where no class competes, no score is over 1.
  return { scoreThreshold: rules.reduce((least, rule) => Math.min(least, rule), 1), classRules: rules };
}

function readThresholds(place: Place, given: unknown, numClasses: number): Float64Array {
  if (typeof given === "number") return new Float64Array(numClasses).fill(number(place, given, 0, 1));
  if (!isBare(given)) throw typeError(place, describe(given), "a number, or a Float32Array with one for each class");
  const values = Float64Array.from(given);
  if (values.length !== numClasses) throw typeError(place, describe(given), `${numClasses} values, one for each class`);
  values.forEach((value, i) => number({ op: place.op, argument: `${place.argument}[${i}]` }, value, 0, 1));
  return values;
}

function readClasses(place: Place, given: unknown, numClasses: number): Set<number> | null {
  if (given === undefined) return null;
  const list = listOf(given);
  if (list === null) throw typeError(place, describe(given), "an array of classes");
  const labels = list.map((label, i) => {
    return integer({ op: place.op, argument: `${place.argument}[${i}]` }, label, 0, numClasses - 1);
  });
  const twice = labels.find((label, i) => labels.indexOf(label) !== i);
  if (twice !== undefined) throw rangeError(place, `a list with ${twice} twice`, "each class once");
  return new Set(labels);
}

/** Whether a class with that raw value, and raw objectness where the head has one, is over its threshold. */
export type Passes = (label: number, value: number, objectness: number) => boolean;

export function passesOf(head: HeadSpec, rules: ClassRules, hasObjectness: boolean): Passes {
  if (!hasObjectness) {
    const limits = rules.map((threshold) => threshold === Infinity ? Infinity : rawThreshold(head, threshold));
    return (label, value) => value > limits[label];
  }
  const limits = Array.from(rules, (threshold) => {
    return threshold === Infinity ? () => Infinity : thresholdByObjectness(head, threshold);
  });
  return (label, value, objectness) => value > limits[label](objectness);
}
