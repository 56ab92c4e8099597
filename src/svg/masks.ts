/**
 * Masks in the forms that they come in: those of `detect`, run lengths, polygons.
 */
import { readRuns, type Runs } from "../run_lengths.ts";
import { describe, listOf, numbers, type Place, typeError } from "../validate.ts";
import { short } from "./frame.ts";
import { outlinePath, type Window } from "./outlines.ts";

/** A mask whose outlines are made when they are drawn. */
export interface Mask {
  readonly place: Place;
  /** [height, width] of the frame; null for polygons, which have none. */
  readonly size: readonly [number, number] | null;
  /** Outlines as a path; filled by `rule` they are the mask. */
  path(): string;
  readonly rule: "evenodd" | "nonzero";
}

/** Masks of so many detections. */
export function readMasks(place: Place, value: unknown, count: number): Mask[] {
  const codes = listOf(value);
  if (codes !== null) {
    if (codes.length !== count) throw typeError(place, describe(value), `an array of ${count} run lengths`);
    return codes.map((code, i) => runsMask({ op: place.op, argument: `${place.argument}[${i}]` }, code));
  }
  const { width, height, crop } = (value ?? {}) as { width?: unknown; height?: unknown; crop?: (i: number) => Window };
  if (typeof width !== "number" || typeof height !== "number" || typeof crop !== "function") {
    throw typeError(place, describe(value), "masks of `detect`, or a list of run lengths");
  }
  return Array.from({ length: count }, (_, i) => ({
    place,
    size: [height, width],
    path: () => outlinePath(crop.call(value, i)),
    rule: "evenodd",
  }));
}

/** COCO's `segmentation`: run lengths or polygons. */
export function readSegmentation(place: Place, value: unknown): Mask {
  const polygons = listOf(value);
  if (polygons === null) return runsMask(place, value);
  const read = polygons.map((polygon, i) => {
    const at = { op: place.op, argument: `${place.argument}[${i}]` };
    const points = numbers(at, polygon);
    if (points.length >= 6 && points.length % 2 === 0) return points;
    throw typeError(at, describe(polygon), "x, y, x, y … of at least three points");
  });
  return { place, size: null, path: () => read.map(polygonPath).join(""), rule: "nonzero" };
}

function polygonPath(points: readonly number[]): string {
  const pairs = Array.from(
    { length: points.length / 2 },
    (_, i) => `${short(points[2 * i])} ${short(points[2 * i + 1])}`,
  );
  return points.every(Number.isFinite) ? `M${pairs.join("L")}z` : "";
}

function runsMask(place: Place, code: unknown): Mask {
  const runs = readRuns(place, code);
  return { place, size: [runs.height, runs.width], path: () => outlinePath(windowOf(runs)), rule: "evenodd" };
}

/** The columns that have any of the mask. */
function windowOf({ height, counts }: Runs): Window {
  const ones: [from: number, to: number][] = [];
  let pixel = 0;
  counts.forEach((count, i) => {
    if (i % 2 === 1 && count > 0) ones.push([pixel, pixel + count]);
    pixel += count;
  });
  if (ones.length === 0) return { x: 0, y: 0, width: 0, height: 0, data: [] };
  const first = Math.floor(ones[0][0] / height);
  const width = Math.floor((ones[ones.length - 1][1] - 1) / height) + 1 - first;
  const data = new Uint8Array(width * height);
  for (const [from, to] of ones) {
    for (let p = from; p < to; p++) data[(p % height) * width + Math.floor(p / height) - first] = 1;
  }
  return { x: first, y: 0, width, height, data };
}
