/**
 * The shapes of an object, of what was found and of the truth alike: its box, its mask, its keypoints.
 */
import { typeError } from "../validate.ts";
import { rect, short } from "./frame.ts";
import { cornersOf, type Point, rectOf, type Turned, uprightOf, type Vector } from "./geometry.ts";
import type { Mask } from "./masks.ts";
import type { Item } from "./objects.ts";
import type { Settings } from "./options.ts";
import { linesOf, skeletonPath } from "./skeleton.ts";

/** A shape without its colours. */
export type Shape = (attributes: string) => string;

export interface Figure {
  readonly box: Turned;
  readonly outline: Shape;
  /** The side that a turned box's angle points to. */
  readonly front: Shape | undefined;
  readonly mask: Shape | undefined;
  /** Lines between keypoints. */
  readonly lines: Shape | undefined;
  readonly points: readonly Point[];
}

/** `seen` decides which points lines lead to. */
export function figureOf(item: Item, settings: Settings, seen: (point: Point) => boolean): Figure {
  const { rotated } = item;
  const points = item.keypoints ?? [];
  const lines = skeletonPath(
    points,
    linesOf(settings.skeleton, points.length),
    (point) => isPlace(point) && seen(point),
  );
  return {
    box: rotated ?? uprightOf(item.box),
    outline: rotated === undefined
      ? (attributes) => `<rect ${rect(rectOf(item.box))} ${attributes}/>`
      : (attributes) => `<polygon points="${pointsText(cornersOf(rotated))}" ${attributes}/>`,
    front: rotated && ((attributes) => `<path d="${frontPath(rotated)}" ${attributes}/>`),
    mask: item.mask && settings.masks !== "none" ? maskShape(item.mask, settings) : undefined,
    lines: lines === "" ? undefined : (attributes) => `<path d="${lines}" ${attributes}/>`,
    points: points.filter(isPlace),
  };
}

function isPlace(point: Point): boolean {
  return point.every(Number.isFinite);
}

function frontPath(turned: Turned): string {
  const [, from, to] = cornersOf(turned).map(([x, y]) => `${short(x)} ${short(y)}`);
  return `M${from}L${to}`;
}

function pointsText(points: readonly Vector[]): string {
  return points.map(([x, y]) => `${short(x)},${short(y)}`).join(" ");
}

function maskShape({ place, size, path, rule }: Mask, settings: Settings): Shape | undefined {
  const [height, width] = settings.size;
  if (size !== null && (size[0] !== height || size[1] !== width)) {
    const remedy = `as options.size has (options.masks "none" leaves them out)`;
    throw typeError(place, `of [${size.join(", ")}]`, `[${height}, ${width}], ${remedy}`);
  }
  const outlines = path();
  return outlines === "" ? undefined : (attributes) => `<path d="${outlines}" fill-rule="${rule}" ${attributes}/>`;
}
