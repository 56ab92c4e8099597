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
export interface Score extends Tally, Pick<Scored, "divisors"> {
  /** The FILE, as it was given. */
  readonly file: string;
  readonly image: CocoImage;
}

/** As if all images were one batch: the parts are sums over a divisor, which is a sum too and counts at least as 1, times a factor. */
export function inAll(scores: readonly Score[], factor = 1): Tally {
  const numPos = sum(scores.map((score) => score.numPos));
  const names = Object.keys(scores[0].parts) as (keyof Tally["parts"])[];
  const parts = Object.fromEntries(names.map((name) => [name, factor * partOfAll(scores, name)]));
  const found = scores.filter((score) => score.numPos > 0);
  return {
    total: sum(Object.values(parts)),
    parts: parts as Tally["parts"],
    numPos,
    quality: sum(found.map((score) => score.quality * score.numPos)) / numPos,
    scores: scores.flatMap((score) => score.scores),
    ious: scores.flatMap((score) => score.ious),
  };
}

function partOfAll(scores: readonly Score[], name: keyof Tally["parts"]): number {
  const all = scores.map(({ parts, divisors }) => ({ part: parts[name] ?? 0, divisor: divisors[name] ?? 0 }));
  const sums = sum(all.map(({ part, divisor }) => part * Math.max(divisor, 1)));
  return sums / Math.max(sum(all.map(({ divisor }) => divisor)), 1);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
