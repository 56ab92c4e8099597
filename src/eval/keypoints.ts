/**
 * Keypoints, and their object keypoint similarity (OKS).
 */
import { describe, rangeError, typeError } from "../validate.ts";
import { MEANING } from "./boxes.ts";
import { ALL, type Given, type Kind, LARGE, MEDIUM, type Shape } from "./kind.ts";
import { finiteOf, numbersOf, placeOf, type Row } from "./rows.ts";

/** Points of a detection, or of an object with its box and area. */
interface Points {
  /** x, y, visibility of each. */
  readonly points: readonly number[];
  readonly area: number;
  /** x, y, width, height; of objects. */
  readonly box: readonly number[];
}

/** An area of 0 divides nothing: the spacing of float64 at 1 is added. */
const EPSILON = 2 ** -52;

export function keypoints(sigmas: readonly number[]): Kind<Points> {
  const variances = sigmas.map((sigma) => (sigma * 2) ** 2);
  return {
    areas: [ALL, MEDIUM, LARGE],
    maxDets: [20],
    truth: (row, given) => readTruth(row, given, sigmas.length),
    found: (row, given) => readFound(row, given, sigmas.length),
    overlaps: (found, truths) => {
      const similarities = new Float64Array(found.length * truths.length);
      const terms = new Float64Array(variances.length);
      found.forEach((a, i) => {
        truths.forEach((b, j) => similarities[i * truths.length + j] = similarity(a, b, variances, terms));
      });
      return similarities;
    },
  };
}

function readPoints(row: Row, { keypoints }: Given, count: number): number[] {
  return numbersOf(row, "keypoints", keypoints, 3 * count, `x, y, visibility of ${count} keypoints`);
}

function readFound(row: Row, given: Given, count: number): Shape<Points> {
  const points = readPoints(row, given, count);
  const [xs, ys] = [0, 1].map((axis) => points.filter((_, i) => i % 3 === axis));
  const area = (Math.max(...xs) - Math.min(...xs)) * (Math.max(...ys) - Math.min(...ys));
  return { shape: { points, area, box: [] }, area };
}

function readTruth(row: Row, given: Given, count: number): Shape<Points> & { ignored: boolean } {
  const points = readPoints(row, given, count);
  const box = numbersOf(row, "bbox", given.bbox, 4, MEANING);
  if (!(box[2] >= 0 && box[3] >= 0)) throw rangeError(placeOf(row, "bbox"), `[${box.join(", ")}]`, MEANING);
  const area = given.area === undefined ? box[2] * box[3] : finiteOf(row, "area", given.area);
  const labelled = given.num_keypoints ?? points.filter((v, i) => i % 3 === 2 && v > 0).length;
  if (typeof labelled !== "number") throw typeError(placeOf(row, "num_keypoints"), describe(labelled), "a number");
  if (!(labelled >= 0)) throw rangeError(placeOf(row, "num_keypoints"), labelled, "a number of at least 0");
  return { shape: { points, area, box }, area, ignored: labelled === 0 };
}

/**
 * Mean over the object's visible keypoints of exp(−d² / (2 · (2σ)² · area)); without any, over all keypoints, d from the box
 * that is doubled to all sides.
 */
function similarity(found: Points, truth: Points, variances: readonly number[], terms: Float64Array): number {
  const [a, b] = [found.points, truth.points];
  const [x, y, width, height] = truth.box;
  const visible = b.some((v, i) => i % 3 === 2 && v > 0);
  let count = 0;
  for (let k = 0; k < variances.length; k++) {
    if (visible && !(b[3 * k + 2] > 0)) continue;
    const dx = visible ? a[3 * k] - b[3 * k] : outside(a[3 * k], x - width, x + 2 * width);
    const dy = visible ? a[3 * k + 1] - b[3 * k + 1] : outside(a[3 * k + 1], y - height, y + 2 * height);
    terms[count++] = Math.exp(-((dx ** 2 + dy ** 2) / variances[k] / (truth.area + EPSILON) / 2));
  }
  return sum(terms, count) / count;
}

function outside(value: number, low: number, high: number): number {
  return Math.max(0, low - value) + Math.max(0, value - high);
}

/** Eight sums side by side, as numpy adds: equal similarities stay equal there and here. */
function sum(values: Float64Array, count: number): number {
  const whole = count < 8 ? 0 : count - count % 8;
  let total = 0;
  if (whole > 0) {
    const r = Array<number>(8).fill(0);
    for (let i = 0; i < whole; i++) r[i % 8] += values[i];
    total = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
  }
  for (let i = whole; i < count; i++) total += values[i];
  return total;
}
