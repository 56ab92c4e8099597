/**
 * Keypoints of detections, from the channels that code them, in float64 until they are stored.
 */
import { anchorPoint } from "../heads/levels.ts";
import type { KeypointSpec } from "../types.ts";
import type { Settings } from "./checked_detect.ts";

/** Where a value of 0 is on one axis, and what a value of 1 adds: both in pixels of the network's input. */
interface Axis {
  readonly zero: number;
  readonly one: number;
}

/**
 * (K, count, 3): x, y in pixels of the network's input and visibility, from the channels (K, count · dims) at these anchors; in
 * their place where there are as many.
 */
export function decodeKeypoints(
  { head, imageSize, levels, clip }: Settings,
  { count, dims, coding }: KeypointSpec,
  anchors: Int32Array,
  values: Float32Array,
): Float32Array {
  const [height, width] = imageSize;
  const points = dims === 3 ? values : withVisibility(values);
  if (coding !== "pixel") {
    for (let i = 0; i < anchors.length; i++) {
      placePoints(points, i * count * 3, count, ...cellAxes(levels, anchors[i], coding));
    }
  } else if (head.boxUnit === "image") {
    placePoints(points, 0, points.length / 3, { zero: 0, one: width }, { zero: 0, one: height });
  }
  if (dims === 3) placeVisibility(points, coding);
  if (clip) clipKeypoints(points, width, height);
  return points;
}

/** x, y and 1 of every x and y. */
function withVisibility(pairs: Float32Array): Float32Array {
  const points = new Float32Array(pairs.length / 2 * 3).fill(1);
  for (let from = 0, to = 0; from < pairs.length; from += 2, to += 3) {
    points[to] = pairs[from];
    points[to + 1] = pairs[from + 1];
  }
  return points;
}

/** So many points from the first on, in pixels. */
function placePoints(points: Float32Array, first: number, count: number, x: Axis, y: Axis): void {
  for (let i = first; i < first + 3 * count; i += 3) {
    points[i] = x.zero + points[i] * x.one;
    points[i + 1] = y.zero + points[i + 1] * y.one;
  }
}

/** Probabilities of logits; those that rounding put outside [0, 1] count as 0 or 1. */
function placeVisibility(points: Float32Array, coding: KeypointSpec["coding"]): void {
  for (let i = 2; i < points.length; i += 3) {
    const value = points[i];
    if (coding !== "pixel") points[i] = 1 / (1 + Math.exp(-value));
    else if (value < 0) points[i] = 0;
    else if (value > 1) points[i] = 1;
  }
}

/** Codings of a cell: (factor · v + cell + offset) · stride. */
const CODINGS = {
  yolov8: { factor: 2, offset: 0 },
  yolo26: { factor: 1, offset: 0.5 },
  yolox: { factor: 1, offset: 0 },
} as const;

function cellAxes(levels: Settings["levels"], anchor: number, coding: keyof typeof CODINGS): readonly [Axis, Axis] {
  const { factor, offset } = CODINGS[coding];
  const { x, y, stride } = anchorPoint(levels, anchor, offset);
  const one = factor * stride;
  return [{ zero: x, one }, { zero: y, one }];
}

/** x to [0, width] and y to [0, height]. */
export function clipKeypoints(keypoints: Float32Array, width: number, height: number): void {
  for (let i = 0; i < keypoints.length; i += 3) {
    keypoints[i] = Math.min(Math.max(keypoints[i], 0), width);
    keypoints[i + 1] = Math.min(Math.max(keypoints[i + 1], 0), height);
  }
}
