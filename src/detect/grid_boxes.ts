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
  const { width, stride, firstAnchor } = plane;
  const coding = head.boxes as GridCoding;
  const [unitX, unitY] = sizeUnit(head, plane);
  for (let i = 0; i < anchors.length; i++) {
    const cell = anchors[i] - firstAnchor;
    const row = Math.floor(cell / width);
    const at = 4 * i;
    const x = (centreOf(coding, boxes[at], head) + cell - row * width) * stride;
    const y = (centreOf(coding, boxes[at + 1], head) + row) * stride;
    const halfWidth = sizeOf(coding, boxes[at + 2]) * unitX / 2;
    const halfHeight = sizeOf(coding, boxes[at + 3]) * unitY / 2;
    boxes[at] = x - halfWidth;
    boxes[at + 1] = y - halfHeight;
    boxes[at + 2] = x + halfWidth;
    boxes[at + 3] = y + halfHeight;
  }
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
