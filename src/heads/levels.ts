/**
 * Where the anchors of each level stand.
 */
import type { HeadSpec } from "../types.ts";

export interface Level {
  readonly stride: number;
  readonly width: number;
  readonly height: number;
  readonly firstAnchor: number;
  /** Anchor a of cell (x, y) is ((a · height) + y) · width + x, from `firstAnchor`. */
  readonly anchors: number;
}

/** Anchors of a level that are alike: one of each cell. */
export interface Plane extends Level {
  /** Index of the level, and of the anchor in its cell. */
  readonly level: number;
  readonly index: number;
}

type Grid = Pick<HeadSpec, "strides" | "anchors" | "anchorsPerCell">;

/** Anchors of a cell on a level. */
export function anchorsPerCell({ anchors, anchorsPerCell = 1 }: Omit<Grid, "strides">, level: number): number {
  return anchors === undefined ? anchorsPerCell : anchors[level].length / 2;
}

/** Levels in the order of the head's strides: ceil(height / stride) × ceil(width / stride) cells each. */
export function levelsOf(head: Grid, [height, width]: readonly [number, number]): Level[] {
  let firstAnchor = 0;
  return head.strides.map((stride, i) => {
    const level = {
      stride,
      width: Math.ceil(width / stride),
      height: Math.ceil(height / stride),
      firstAnchor,
      anchors: Math.ceil(width / stride) * Math.ceil(height / stride) * anchorsPerCell(head, i),
    };
    firstAnchor += level.anchors;
    return level;
  });
}

/** The planes of every level, in the order of their anchors. */
export function planesOf(levels: readonly Level[]): Plane[] {
  const planes: Plane[] = [];
  levels.forEach(({ stride, width, height, firstAnchor: first, anchors: all }, level) => {
    const anchors = width * height;
    // Written out: with Array.from and a spread `detect` took 6 % longer.
    for (let index = 0; index < all / anchors; index++) {
      planes.push({ stride, width, height, firstAnchor: first + index * anchors, anchors, level, index });
    }
  });
  return planes;
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
  const { firstAnchor, width, height, stride } = levelOf(levels, anchor);
  const cell = (anchor - firstAnchor) % (width * height);
  return { x: (cell % width + offset) * stride, y: (Math.floor(cell / width) + offset) * stride, stride };
}
