/**
 * Keypoints and the lines between them.
 */
import { describe, integer, listOf, rangeError, typeError } from "../validate.ts";
import { FINE, type Frame, outlined, short } from "./frame.ts";
import type { Point } from "./geometry.ts";

export type Pair = readonly [number, number];

/** COCO's 17 keypoints of a person: head, trunk and arms, legs. */
const COCO: readonly Pair[] = [
  ...[[0, 1], [0, 2], [1, 2], [1, 3], [2, 4], [3, 5], [4, 6]] as const,
  ...[[5, 6], [5, 7], [7, 9], [6, 8], [8, 10], [5, 11], [6, 12], [11, 12]] as const,
  ...[[11, 13], [13, 15], [12, 14], [14, 16]] as const,
];
const COCO_KEYPOINTS = 17;

/** Pairs of keypoints, checked. */
export function readSkeleton(value: unknown): Pair[] {
  const place = { op: "toSvg", argument: "options.skeleton" };
  const pairs = listOf(value);
  if (pairs === null) throw typeError(place, describe(value), "a list of pairs of keypoints");
  return pairs.map((pair, i) => {
    const at = { op: place.op, argument: `${place.argument}[${i}]` };
    const ends = listOf(pair);
    if (ends?.length !== 2) throw typeError(at, describe(pair), "a pair of keypoints");
    const [from, to] = ends.map((end, e) => integer({ op: at.op, argument: `${at.argument}[${e}]` }, end, 0));
    return [from, to];
  });
}

/** The lines of an object with so many keypoints. */
export function linesOf(skeleton: readonly Pair[] | undefined, count: number): readonly Pair[] {
  if (count === 0) return [];
  if (skeleton === undefined) return count === COCO_KEYPOINTS ? COCO : [];
  const beyond = skeleton.findIndex((pair) => pair.some((end) => end >= count));
  if (beyond < 0) return skeleton;
  const place = { op: "toSvg", argument: `options.skeleton[${beyond}]` };
  throw rangeError(place, `[${skeleton[beyond].join(", ")}]`, `keypoints from 0 to ${count - 1}`);
}

/** The lines between points that are both to be seen, in one path. */
export function skeletonPath(
  points: readonly Point[],
  lines: readonly Pair[],
  seen: (point: Point) => boolean,
): string {
  return lines.map(([from, to]) => [points[from], points[to]]).filter((ends) => ends.every(seen))
    .map(([[x1, y1], [x2, y2]]) => `M${short(x1)} ${short(y1)}L${short(x2)} ${short(y2)}`).join("");
}

/** A point: full where it is visible, as opaque as it is; hollow where it is not. */
export function drawPoint([x, y, visibility]: Point, least: number, colour: string, frame: Frame): string {
  const unit = frame.unit;
  const circle = `<circle cx="${short(x)}" cy="${short(y)}" r="${short(3 * unit)}"`;
  if (visibility < least) return outlined((attributes) => `${circle} ${attributes}/>`, colour, frame, FINE);
  const opacity = visibility < 1 ? ` opacity="${short(visibility)}"` : "";
  return `${circle} fill="${colour}" stroke="#fff" stroke-width="${short(unit)}"${opacity}/>`;
}
