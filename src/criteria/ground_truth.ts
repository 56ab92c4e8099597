/**
 * What the network should find in one image, checked, and what an assignment says of an anchor without an object.
 */
import type { GroundTruth } from "../types.ts";
import { arrayOf, describe, known, namesOf, type Place, rangeError, typeError } from "../validate.ts";

/** `gtIndex` of an anchor that belongs to no object. */
export const NEGATIVE = -1;
/** `gtIndex` of an anchor that belongs to no object and lies in a crowd region. */
export const IGNORED = -2;

/** Pixels. */
const INSIDE_MARGIN = 0.01;

export interface Box {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

export interface CheckedGroundTruth {
  /** How many objects. */
  readonly count: number;
  /** (count, 4) xyxy: finite, x1 ≤ x2, y1 ≤ y2. */
  readonly boxes: Float32Array;
  /** (count), of any value. */
  readonly labels: Int32Array;
  /** Crowd regions (K, 4), as `boxes`. */
  readonly ignore: Float32Array;
}

/** One of the boxes (K, 4). */
export function boxAt(boxes: Float32Array, index: number): Box {
  const at = index * 4;
  return { x1: boxes[at], y1: boxes[at + 1], x2: boxes[at + 2], y2: boxes[at + 3] };
}

/** Whether the point is inside the box, further than a margin from its sides. */
export function isInside(x: number, y: number, { x1, y1, x2, y2 }: Box, margin = INSIDE_MARGIN): boolean {
  return Math.min(x - x1, y - y1, x2 - x, y2 - y) > margin;
}

const MEMBERS = namesOf<GroundTruth>({ boxes: true, labels: true, ignore: true });

/** Copies: what lies in linear memory would be lost when it grows. */
export function checkGroundTruth({ op, argument }: Place, gt: GroundTruth): CheckedGroundTruth {
  if (typeof gt !== "object" || gt === null) {
    throw typeError({ op, argument }, describe(gt), "an object with boxes and labels");
  }
  known(op, argument, gt, MEMBERS);
  const { boxes: corners, labels: classes, ignore: regions } = gt;
  const boxes = checkBoxes({ op, argument: `${argument}.boxes` }, corners);
  const count = boxes.length / 4;
  const place = { op, argument: `${argument}.labels` };
  const labels = arrayOf(place, "Int32Array", classes, count, ", one for each box").data.slice();
  const ignore = regions === undefined
    ? new Float32Array(0)
    : checkBoxes({ op, argument: `${argument}.ignore` }, regions);
  return { count, boxes, labels, ignore };
}

function checkBoxes({ op, argument }: Place, corners: unknown): Float32Array {
  const boxes = arrayOf({ op, argument }, "Float32Array", corners, undefined, " of (K, 4)").data.slice();
  if (boxes.length % 4 !== 0) throw typeError({ op, argument }, describe(corners), "a Float32Array of (K, 4)");
  for (let i = 0; i < boxes.length; i += 4) {
    if (!(isSpan(boxes[i], boxes[i + 2]) && isSpan(boxes[i + 1], boxes[i + 3]))) {
      const wanted = "finite x1, y1, x2, y2 with x1 ≤ x2 and y1 ≤ y2";
      throw rangeError({ op, argument: `${argument}[${i / 4}]` }, `[${boxes.subarray(i, i + 4).join(", ")}]`, wanted);
    }
  }
  return boxes;
}

/** Whether both are finite, the first not above the second. */
function isSpan(low: number, high: number): boolean {
  return low > -Infinity && low <= high && high < Infinity;
}
