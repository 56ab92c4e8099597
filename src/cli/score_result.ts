/**
 * What the command finds of one image, and of all, for whichever writer.
 */
import type { Scored } from "./criterion.ts";
import type { CocoImage } from "./readers/coco.ts";

/** A criterion, and the detections. */
export interface Tally extends Pick<Scored, "total" | "parts" | "numPos" | "quality"> {
  /** Scores of the detections. */
  readonly scores: readonly number[];
  /** Their IoU with the best object. */
  readonly ious: readonly number[];
}

/** The same of one image. */
export interface Score extends Tally {
  readonly image: CocoImage;
}

/** As if all images were one batch: the criteria are sums per positive, and at least one is counted. */
export function inAll(scores: readonly Score[]): Tally {
  const numPos = sum(scores.map((score) => score.numPos));
  const perPositive = (value: (score: Score) => number) =>
    sum(scores.map((score) => value(score) * Math.max(score.numPos, 1))) / Math.max(numPos, 1);
  const names = Object.keys(scores[0].parts) as (keyof Tally["parts"])[];
  const parts = names.map((name) => [name, perPositive((score) => score.parts[name] ?? 0)]);
  const found = scores.filter((score) => score.numPos > 0);
  return {
    total: perPositive((score) => score.total),
    parts: Object.fromEntries(parts),
    numPos,
    quality: sum(found.map((score) => score.quality * score.numPos)) / numPos,
    scores: scores.flatMap((score) => score.scores),
    ious: scores.flatMap((score) => score.ious),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
