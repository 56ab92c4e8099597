/**
 * Keypoints of detections, from the channels that code them, in float64 until they are stored.
 */
import { levelOf } from "../heads/levels.ts";
import type { KeypointSpec } from "../types.ts";
import type { Settings } from "./checked_detect.ts";

/** Where a value of 0 is on one axis, and what a value of 1 adds: both in pixels of the network's input. */
interface Axis {
  readonly zero: number;
  readonly one: number;
}

/** (K, count, 3): x, y in pixels of the network's input and visibility, from the channels (K, count · dims) at these anchors. */
export function decodeKeypoints(
  { head, imageSize, levels, clip }: Settings,
  { count, dims, coding }: KeypointSpec,
  anchors: Int32Array,
  values: Float32Array,
): Float32Array {
  const [height, width] = imageSize;
  const out = new Float32Array(anchors.length * count * 3);
  const shares = head.boxUnit === "image";
  const pixels = [{ zero: 0, one: shares ? width : 1 }, { zero: 0, one: shares ? height : 1 }] as const;
  for (let i = 0; i < anchors.length; i++) {
    const [x, y] = coding === "pixel" ? pixels : cellAxes(levels, anchors[i], coding);
    for (let k = 0; k < count; k++) {
      const from = (i * count + k) * dims;
      const to = (i * count + k) * 3;
      out[to] = x.zero + values[from] * x.one;
      out[to + 1] = y.zero + values[from + 1] * y.one;
      out[to + 2] = dims === 2 ? 1 : visibility(coding, values[from + 2]);
    }
  }
  if (clip) clipKeypoints(out, width, height);
  return out;
}

/** Codings of a cell: (factor · v + cell + offset) · stride. */
const CODINGS = {
  yolov8: { factor: 2, offset: 0 },
  yolo26: { factor: 1, offset: 0.5 },
  yolox: { factor: 1, offset: 0 },
} as const;

function cellAxes(levels: Settings["levels"], anchor: number, coding: keyof typeof CODINGS): readonly [Axis, Axis] {
  const { factor, offset } = CODINGS[coding];
  const { firstAnchor, width, height, stride } = levelOf(levels, anchor);
  const cell = (anchor - firstAnchor) % (width * height);
  const one = factor * stride;
  return [
    { zero: (cell % width + offset) * stride, one },
    { zero: (Math.floor(cell / width) + offset) * stride, one },
  ];
}

function visibility(coding: KeypointSpec["coding"], value: number): number {
  return coding === "pixel" ? Math.min(Math.max(value, 0), 1) : 1 / (1 + Math.exp(-value));
}

/** x to [0, width] and y to [0, height]. */
export function clipKeypoints(keypoints: Float32Array, width: number, height: number): void {
  for (let i = 0; i < keypoints.length; i += 3) {
    keypoints[i] = Math.min(Math.max(keypoints[i], 0), width);
    keypoints[i + 1] = Math.min(Math.max(keypoints[i + 1], 0), height);
  }
}
