/**
 * Scores of a head, and the raw values over which they are over a threshold.
 */
import { floorToFloat } from "../float32.ts";
import { MOST_PROBABILITY } from "../heads/values.ts";
import type { HeadSpec } from "../types.ts";

const MAX_RAW_PROBABILITY = Math.fround(MOST_PROBABILITY);
/** The largest logit whose `sigmoid` is 0. */
const MIN_LOGIT = -Math.log(Number.MAX_VALUE);
const logit = (p: number) => p <= 0 ? MIN_LOGIT : p >= 1 ? Infinity : Math.log(p / (1 - p));
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** The probability that a raw value stands for. */
export function probability(head: HeadSpec, value: number): number {
  return head.scores === "logits" ? sigmoid(value) : Math.min(Math.max(value, 0), 1);
}

/** Joins a class probability with objectness, as the head says. */
export function joinScore(head: HeadSpec, classScore: number, objectness: number): number {
  const product = classScore * objectness;
  return head.objectness === "sqrt-multiply" ? Math.sqrt(product) : product;
}

/** The raw class value over which a score is over the threshold. */
export function rawThreshold(head: HeadSpec, threshold: number): number {
  if (head.scores === "logits") return floorToFloat(logit(threshold));
  // Larger values pass, to be refused.
  return threshold >= 1 ? MAX_RAW_PROBABILITY : floorToFloat(threshold);
}

/** The threshold of the product of class score and objectness. */
export function productThreshold(head: HeadSpec, scoreThreshold: number): number {
  return head.objectness === "sqrt-multiply" ? Math.max(scoreThreshold, 0) ** 2 : scoreThreshold;
}

/** The raw class value over which a score joined with raw objectness is over the threshold. */
export function thresholdByObjectness(head: HeadSpec, scoreThreshold: number): (objectness: number) => number {
  const wanted = productThreshold(head, scoreThreshold);
  // The class score must exceed wanted / objectness, and is at most 1.
  const least = rawThreshold(head, wanted);
  const never = rawThreshold(head, 1);
  return (objectness) => objectness > least ? rawThreshold(head, wanted / probability(head, objectness)) : never;
}
