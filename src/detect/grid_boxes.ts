/**
 * Boxes of heads that code a centre within its cell and the logarithm, or the root, of a size: YOLOX, and those with anchors.
 */
import type { Plane } from "../heads/levels.ts";
import type { HeadSpec } from "../types.ts";

type GridCoding = "log-size" | "anchor-sigmoid" | "anchor-exp";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

export function isGridCoding(boxes: HeadSpec["boxes"]): boxes is GridCoding {
  return boxes === "log-size" || boxes === "anchor-sigmoid" || boxes === "anchor-exp";
}

/** Corners in place of the box channels (N, 4) of a plane's anchors; float64 until they are stored. */
export function decodeGridBoxes(head: HeadSpec, plane: Plane, anchors: Int32Array, boxes: Float32Array): void {
  const box = new Float64Array(4);
  for (let i = 0; i < anchors.length; i++) {
    const at = 4 * i;
    decodeGridBox(head, plane, anchors[i], boxes, at, box);
    boxes[at] = box[0] - box[2] / 2;
    boxes[at + 1] = box[1] - box[3] / 2;
    boxes[at + 2] = box[0] + box[2] / 2;
    boxes[at + 3] = box[1] + box[3] / 2;
  }
}

/** Writes centre and size of an anchor of the plane, from its channels at `from`. */
export function decodeGridBox(
  head: HeadSpec,
  plane: Plane,
  anchor: number,
  channels: Float32Array,
  from: number,
  box: Float64Array,
): void {
  const { width, stride, firstAnchor } = plane;
  const coding = head.boxes as GridCoding;
  const [unitX, unitY] = sizeUnit(head, plane);
  const cell = anchor - firstAnchor;
  const row = Math.floor(cell / width);
  box[0] = (centreOf(coding, channels[from], head) + cell - row * width) * stride;
  box[1] = (centreOf(coding, channels[from + 1], head) + row) * stride;
  box[2] = sizeOf(coding, channels[from + 2]) * unitX;
  box[3] = sizeOf(coding, channels[from + 3]) * unitY;
}

/** What a size of 1 is in pixels: an anchor, or the stride. */
function sizeUnit({ boxes, anchors = [] }: HeadSpec, { level, index, stride }: Plane): readonly [number, number] {
  if (boxes === "log-size") return [stride, stride];
  return [anchors[level][2 * index], anchors[level][2 * index + 1]];
}

/** Place of a centre within its cell, in strides. */
function centreOf(coding: GridCoding, v: number, { anchorOffset }: HeadSpec): number {
  if (coding === "log-size") return v + anchorOffset;
  return coding === "anchor-exp" ? sigmoid(v) : 2 * sigmoid(v) - 0.5;
}

function sizeOf(coding: GridCoding, v: number): number {
  return coding === "anchor-sigmoid" ? (2 * sigmoid(v)) ** 2 : Math.exp(v);
}
