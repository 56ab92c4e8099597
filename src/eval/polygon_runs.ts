/**
 * Polygons to run lengths, by the rule of COCO's own tools: to the pixel as their files were made.
 */
import type { Runs } from "../run_lengths.ts";
import { describe, listOf, type Place, rangeError, typeError } from "../validate.ts";
import { union } from "./run_sets.ts";

/** Points are on a grid so much finer than pixels. */
const FINER = 5;
/** No image is so large; each pixel of an outline takes time. */
const FARTHEST = 2 ** 22;

/** The union of polygons, checked. */
export function polygonRuns(place: Place, value: unknown, [height, width]: readonly [number, number]): Runs {
  const polygons = listOf(value);
  if (polygons === null || polygons.length === 0) throw typeError(place, describe(value), "an array of polygons");
  return polygons.map((polygon, i) => {
    const { op, argument } = place;
    return onePolygon(readPolygon({ op, argument: `${argument}[${i}]` }, polygon), height, width);
  }).reduce(union);
}

function readPolygon(place: Place, value: unknown): readonly number[] {
  const numbers = listOf(value);
  const wanted = "x, y, x, y … of at least three points";
  if (numbers === null) throw typeError(place, describe(value), wanted);
  if (numbers.length < 6 || numbers.length % 2 !== 0) throw rangeError(place, `of ${numbers.length} numbers`, wanted);
  numbers.forEach((n, i) => {
    const { op, argument } = place;
    if (typeof n !== "number") throw typeError({ op, argument: `${argument}[${i}]` }, describe(n), "a number");
    if (!(Math.abs(n) <= FARTHEST)) throw rangeError({ op, argument: `${argument}[${i}]` }, n, "a number within ±2²²");
  });
  return numbers as number[];
}

/**
 * Where the outline goes from one column to the next, the pixels below it in that column change sides. Each such place is a
 * pixel's index, column by column; runs are what lies between them.
 */
function onePolygon(polygon: readonly number[], height: number, width: number): Runs {
  const changes: number[] = [];
  let [lastX, lastY] = [NaN, NaN];
  alongOutline(polygon, (x, y) => {
    if (x !== lastX && !Number.isNaN(lastX)) {
      const column = ((x < lastX ? x : x - 1) + 0.5) / FINER - 0.5;
      if (Number.isInteger(column) && column >= 0 && column <= width - 1) {
        const row = (Math.min(y, lastY) + 0.5) / FINER - 0.5;
        changes.push(column * height + Math.ceil(Math.max(0, Math.min(row, height))));
      }
    }
    [lastX, lastY] = [x, y];
  });
  changes.push(height * width);
  changes.sort((a, b) => a - b);
  return { height, width, counts: runsBetween(changes) };
}

/** Two changes at one place are none. */
function runsBetween(changes: readonly number[]): number[] {
  const lengths = changes.map((change, i) => change - (changes[i - 1] ?? 0));
  const counts = [lengths[0]];
  for (let i = 1; i < lengths.length; i++) {
    if (lengths[i] > 0) counts.push(lengths[i]);
    else if (++i < lengths.length) counts[counts.length - 1] += lengths[i];
  }
  return counts;
}

/** Each point of the fine grid on the closed outline, in order; both ends of each side. */
function alongOutline(polygon: readonly number[], tell: (x: number, y: number) => void): void {
  // Towards zero, as a conversion to an integer in C.
  const onGrid = (n: number) => Math.trunc(FINER * n + 0.5);
  for (let i = 0; i < polygon.length; i += 2) {
    const next = (i + 2) % polygon.length;
    alongSide(onGrid(polygon[i]), onGrid(polygon[i + 1]), onGrid(polygon[next]), onGrid(polygon[next + 1]), tell);
  }
}

/** A side's points are the same in both directions: they are made from its lower end on the longer axis. */
function alongSide(x1: number, y1: number, x2: number, y2: number, tell: (x: number, y: number) => void): void {
  const flat = Math.abs(x2 - x1) >= Math.abs(y2 - y1);
  const length = flat ? Math.abs(x2 - x1) : Math.abs(y2 - y1);
  const backwards = flat ? x1 > x2 : y1 > y2;
  const [fromX, fromY, toX, toY] = backwards ? [x2, y2, x1, y1] : [x1, y1, x2, y2];
  const slope = flat ? (toY - fromY) / length : (toX - fromX) / length;
  for (let step = 0; step <= length; step++) {
    const t = backwards ? length - step : step;
    if (flat) tell(fromX + t, Math.trunc(fromY + slope * t + 0.5));
    else tell(Math.trunc(fromX + slope * t + 0.5), fromY + t);
  }
}
