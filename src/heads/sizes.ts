/**
 * Sizes of the network's input that shapes of outputs could have come from.
 */
import type { HeadSpec } from "../types.ts";
import { anchorsIn, anchorsPerCell, levelsOf } from "./levels.ts";
import { stacksOf } from "./readings.ts";

export type Size = readonly [number, number];
type Shapes = readonly (readonly number[])[];

/** Those that a shape tells: by height and width of a level, or because the image is square. */
export function toldSizes(head: HeadSpec, shapes: Shapes): Size[] {
  const { layout, strides } = head;
  const grids = shapes.filter(({ length }) => length > 3).map((dims) =>
    layout === "rows" ? dims.slice(-3, -1) : dims.slice(-2)
  );
  const byGrid = grids.flatMap(([height, width]) => strides.map((stride): Size => [height * stride, width * stride]));
  const stacked = Math.max(...stacksOf(head));
  const all = [...byGrid, ...extentsOf(shapes).flatMap((extent) => squares(head, stacked * extent))];
  return distinct(all.filter(([height, width]) => height > 0 && width > 0));
}

/**
 * Those and all multiples of the largest stride with that many anchors, as one row of cells: which of the equal counts it is
 * does not matter to the levels.
 */
export function possibleSizes(head: HeadSpec, shapes: Shapes): Size[] {
  const largest = Math.max(...head.strides);
  const perCell = anchorsIn(levelsOf(head, [largest, largest]));
  const finest = Math.ceil(largest / Math.min(...head.strides)) ** 2;
  const finestAnchors = finest * anchorsPerCell(head, head.strides.indexOf(Math.min(...head.strides)));
  const stacked = Math.max(...stacksOf(head));
  const cells = extentsOf(shapes).flatMap((n) => [stacked * n / perCell, stacked * n / finestAnchors])
    .filter((n) => Number.isInteger(n) && n > 0);
  return distinct([...toldSizes(head, shapes), ...cells.map((n): Size => [largest, n * largest])]);
}

/** Every number of anchors that a shape could mean. */
function extentsOf(shapes: Shapes): number[] {
  return [...new Set(shapes.flatMap((dims) => [...dims, ...dims.slice(1).map((d, i) => d * dims[i])]))];
}

/** Square sizes, multiples of the least stride, with as many anchors in all or on one level. */
function squares(head: HeadSpec, anchors: number): Size[] {
  const least = Math.min(...head.strides);
  const cells = Math.sqrt(anchors);
  const sides = head.strides.map((stride, i) => Math.sqrt(anchors / anchorsPerCell(head, i)) * stride)
    .filter((side, i) => Number.isInteger(side / head.strides[i]));
  // The number of anchors in all grows with the side.
  let [low, high] = [0, Math.ceil(cells)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (anchorsIn(levelsOf(head, [middle * least, middle * least])) <= anchors) low = middle;
    else high = middle - 1;
  }
  const whole = low * least;
  if (low > 0 && anchorsIn(levelsOf(head, [whole, whole])) === anchors) sides.push(whole);
  return sides.map((side) => [side, side]);
}

function distinct(sizes: readonly Size[]): Size[] {
  return [...new Map(sizes.map((size) => [size.join(), size])).values()];
}
