/**
 * Where the anchors of each level stand.
 */
import type { HeadSpec } from "../types.ts";

export interface Level {
  readonly stride: number;
  readonly width: number;
  readonly height: number;
  readonly firstAnchor: number;
  readonly anchors: number;
}

/** Levels in the order of the head's strides: ceil(height / stride) × ceil(width / stride) cells each. */
export function levelsOf(head: Pick<HeadSpec, "strides">, [height, width]: readonly [number, number]): Level[] {
  let firstAnchor = 0;
  return head.strides.map((stride) => {
    const level = {
      stride,
      width: Math.ceil(width / stride),
      height: Math.ceil(height / stride),
      firstAnchor,
      anchors: Math.ceil(width / stride) * Math.ceil(height / stride),
    };
    firstAnchor += level.anchors;
    return level;
  });
}

export function anchorsIn(levels: readonly Level[]): number {
  return levels.reduce((sum, level) => sum + level.anchors, 0);
}

/** The level that an anchor is of. */
export function levelOf(levels: readonly Level[], anchor: number): Level {
  return levels.findLast(({ firstAnchor }) => firstAnchor <= anchor) as Level;
}

/** The point of an anchor, in pixels, and its level's stride. */
export function anchorPoint(
  levels: readonly Level[],
  anchor: number,
  offset: number,
): { x: number; y: number; stride: number } {
  const { firstAnchor, width, stride } = levelOf(levels, anchor);
  const cell = anchor - firstAnchor;
  return { x: (cell % width + offset) * stride, y: (Math.floor(cell / width) + offset) * stride, stride };
}
