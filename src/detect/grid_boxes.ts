/**
 * Boxes of heads that code a centre within its cell and the logarithm, or the root, of a size: YOLOX, and those with anchors.
 */
import type { Plane } from "../heads/levels.ts";
import type { HeadSpec } from "../types.ts";

type GridCoding = "log-size" | "anchor-sigmoid" | "anchor-exp";

/** Centre and size in pixels of the network's input, from the four values v of a cell. */
type DecodeBox = (v: Float32Array, column: number, row: number, plane: Plane, head: HeadSpec) => readonly number[];

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

const codings: { readonly [Coding in GridCoding]: DecodeBox } = {
  "log-size": ([x, y, w, h], column, row, { stride }, { anchorOffset }) => [
    (x + column + anchorOffset) * stride,
    (y + row + anchorOffset) * stride,
    Math.exp(w) * stride,
    Math.exp(h) * stride,
  ],
  "anchor-sigmoid": ([x, y, w, h], column, row, plane, head) => {
    const [width, height] = anchorOf(plane, head);
    return [
      (2 * sigmoid(x) - 0.5 + column) * plane.stride,
      (2 * sigmoid(y) - 0.5 + row) * plane.stride,
      (2 * sigmoid(w)) ** 2 * width,
      (2 * sigmoid(h)) ** 2 * height,
    ];
  },
  "anchor-exp": ([x, y, w, h], column, row, plane, head) => {
    const [width, height] = anchorOf(plane, head);
    return [
      (sigmoid(x) + column) * plane.stride,
      (sigmoid(y) + row) * plane.stride,
      Math.exp(w) * width,
      Math.exp(h) * height,
    ];
  },
};

export function isGridCoding(boxes: HeadSpec["boxes"]): boxes is GridCoding {
  return Object.hasOwn(codings, boxes);
}

/** Corners in place of the box channels (N, 4) of a plane's anchors; float64 until they are stored. */
export function decodeGridBoxes(head: HeadSpec, plane: Plane, anchors: Int32Array, boxes: Float32Array): void {
  const decode = codings[head.boxes as GridCoding];
  for (let i = 0; i < anchors.length; i++) {
    const cell = anchors[i] - plane.firstAnchor;
    const row = Math.floor(cell / plane.width);
    const four = boxes.subarray(4 * i, 4 * i + 4);
    const [x, y, width, height] = decode(four, cell - row * plane.width, row, plane, head);
    four[0] = x - width / 2;
    four[1] = y - height / 2;
    four[2] = x + width / 2;
    four[3] = y + height / 2;
  }
}

function anchorOf({ level, index }: Plane, { anchors = [] }: HeadSpec): readonly number[] {
  return anchors[level].slice(2 * index, 2 * index + 2);
}
