/**
 * The lines between keypoints that a data set's categories ask for.
 */
import { UsageError } from "./errors.ts";
import type { Category } from "./readers/coco.ts";

type Pair = readonly [number, number];

/**
 * Pairs of keypoints counted from 0; COCO counts them from 1. A picture has one skeleton: undefined where the categories
 * have none, or several, or where an object has fewer keypoints than it takes.
 */
export function skeletonOf(categories: readonly Category[], fewest: number): readonly Pair[] | undefined {
  const skeletons = categories.filter(({ skeleton }) => skeleton !== undefined).map(readPairs);
  const [first, ...others] = skeletons.filter((pairs) => pairs.length > 0);
  if (first === undefined || others.some((pairs) => String(pairs) !== String(first))) return undefined;
  return first.flat().every((end) => end < fewest) ? first : undefined;
}

function readPairs({ id, name, skeleton }: Category): Pair[] {
  const isPoint = (end: unknown) => Number.isSafeInteger(end) && end as number > 0;
  const isPair = (pair: unknown) => Array.isArray(pair) && pair.length === 2 && pair.every(isPoint);
  if (Array.isArray(skeleton) && skeleton.every(isPair)) return skeleton.map(([from, to]) => [from - 1, to - 1]);
  const got = JSON.stringify(skeleton);
  throw new UsageError(
    `skeleton of category ${name ?? id} in --gt is ${got}; wanted pairs of keypoints, counted from 1`,
  );
}
