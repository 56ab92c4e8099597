/**
 * Rotated boxes: centre x, y, width, height, angle. In float64 until they are stored.
 */
import type { Plane } from "../heads/levels.ts";
import type { HeadSpec, ImageTransform } from "../types.ts";
import { decodeGridBox, isGridCoding } from "./grid_boxes.ts";

/** Numbers of a rotated box. */
export const ROTATED = 5;

/** The least float32 that is not under −π/4, and the largest under 3π/4. */
const LEAST_ANGLE = -0.7853981256484985;
const MOST_ANGLE = 2.356194257736206;

/** How often a half turn has to be taken from the angle until it is in [−π/4, 3π/4). */
function halfTurns(angle: number): number {
  return Math.floor(angle / Math.PI + 0.25);
}

/** The angle taken to [−π/4, 3π/4), which is the same rectangle, as a float32. */
function inRange(angle: number): number {
  // Nearly all are.
  if (angle >= LEAST_ANGLE && angle <= MOST_ANGLE) return Math.fround(angle);
  const turned = Math.fround(angle - halfTurns(angle) * Math.PI);
  return Math.min(Math.max(turned, LEAST_ANGLE), MOST_ANGLE);
}

/** Writes a box from its centre and size, with its angle in range. */
function store(boxes: Float32Array, at: number, box: Float64Array, angle: number): void {
  for (let i = 0; i < 4; i++) boxes[at + i] = box[i];
  boxes[at + 4] = inRange(angle);
}

/** Radians of the angle's channel, however many turns they are. */
export function radiansOf({ angle }: HeadSpec, value: number): number {
  return angle === "sigmoid" ? (1 / (1 + Math.exp(-value)) - 0.25) * Math.PI : value;
}

/** Box channels and angles (N) of a plane's anchors, as they came, and where their boxes go. */
export interface CodedBoxes {
  readonly anchors: Int32Array;
  /** Channel c of the i-th anchor is at i · byAnchor + c · byChannel. */
  readonly sides: Float32Array;
  readonly byAnchor: number;
  readonly byChannel: number;
  readonly angles: Float32Array;
  readonly boxes: Float32Array;
}

/** Decodes the boxes of anchors of a plane, or of rows that stand on none. */
export function decodeRotated(
  head: HeadSpec,
  imageSize: readonly [number, number],
  plane: Plane | null,
  { anchors, sides, byAnchor, byChannel, angles, boxes }: CodedBoxes,
): void {
  const place = placementOf(head, imageSize, plane);
  const channels = new Float32Array(4);
  const box = new Float64Array(4);
  for (let i = 0; i < anchors.length; i++) {
    const angle = radiansOf(head, angles[i]);
    for (let c = 0; c < 4; c++) channels[c] = sides[i * byAnchor + c * byChannel];
    place(anchors[i], channels, angle, box);
    store(boxes, ROTATED * i, box, angle);
  }
}

/** Boxes (N, 5) in place, from the angle's channel to the angle. */
export function turnInRange(head: HeadSpec, boxes: Float32Array): void {
  for (let i = 4; i < boxes.length; i += ROTATED) boxes[i] = inRange(radiansOf(head, boxes[i]));
}

/** What a horizontal and a vertical side of 1 are in pixels. */
export function unitsOf(
  { boxes, boxUnit }: HeadSpec,
  [height, width]: readonly [number, number],
  plane: Plane | null,
): readonly [number, number] {
  if (boxUnit === "image") return [width, height];
  const pixels = plane !== null && (boxes === "distribution" || boxUnit === "stride") ? plane.stride : 1;
  return [pixels, pixels];
}

/** Writes centre and size of an anchor, from its channels. */
type Placement = (anchor: number, sides: Float32Array, angle: number, box: Float64Array) => void;

function placementOf(head: HeadSpec, imageSize: readonly [number, number], plane: Plane | null): Placement {
  if (plane !== null && isGridCoding(head.boxes)) {
    return (anchor, sides, _, box) => decodeGridBox(head, plane, anchor, sides, 0, box);
  }
  const [unitX, unitY] = unitsOf(head, imageSize, plane);
  if (plane === null || head.boxes === "xywh") {
    return (_anchor, sides, _angle, box) => {
      for (let i = 0; i < 4; i++) box[i] = sides[i] * (i % 2 === 0 ? unitX : unitY);
    };
  }
  // The distances turn with the box, around the anchor's point.
  return (anchor, sides, angle, box) => {
    const cell = anchor - plane.firstAnchor;
    const left = sides[0] * unitX;
    const top = sides[1] * unitY;
    const right = sides[2] * unitX;
    const bottom = sides[3] * unitY;
    const along = (right - left) / 2;
    const across = (bottom - top) / 2;
    const cos = Math.cos(angle);
    const sin = Math.sin(angle);
    box[0] = (cell % plane.width + head.anchorOffset) * plane.stride + along * cos - across * sin;
    box[1] = (Math.floor(cell / plane.width) + head.anchorOffset) * plane.stride + along * sin + across * cos;
    box[2] = left + right;
    box[3] = top + bottom;
  };
}

/** (N, 4) corners of the upright boxes around, clipped to a [height, width] where there is one. */
export function boxesAround(rotated: Float32Array, clip: readonly number[] | null): Float32Array {
  const boxes = new Float32Array(rotated.length / ROTATED * 4);
  for (let i = 0, at = 0; i < boxes.length; i += 4, at += ROTATED) {
    const [cos, sin] = [Math.abs(Math.cos(rotated[at + 4])), Math.abs(Math.sin(rotated[at + 4]))];
    const [width, height] = [Math.abs(rotated[at + 2]) / 2, Math.abs(rotated[at + 3]) / 2];
    const [x, y] = [width * cos + height * sin, width * sin + height * cos];
    boxes[i] = rotated[at] - x;
    boxes[i + 1] = rotated[at + 1] - y;
    boxes[i + 2] = rotated[at] + x;
    boxes[i + 3] = rotated[at + 1] + y;
  }
  if (clip !== null) {
    for (let i = 0; i < boxes.length; i++) boxes[i] = Math.min(Math.max(boxes[i], 0), clip[i % 2 === 0 ? 1 : 0]);
  }
  return boxes;
}

/** Values (N, 4) of left, top, right, bottom: these are directions of the box's own axes. */
type Sides = readonly (Float32Array | undefined)[];

/** Values of the sides in the place where they are once the angle is in its range: an odd number of half turns swaps them. */
export function turnSides(head: HeadSpec, angles: Float32Array, values: Sides): void {
  angles.forEach((value, i) => {
    if (Math.abs(halfTurns(radiansOf(head, value))) % 2 === 1) swapSides(values, i, true, true);
  });
}

function swapSides(values: Sides, i: number, horizontal: boolean, vertical: boolean): void {
  for (const each of values) {
    if (each === undefined) continue;
    const [left, top, right, bottom] = each.subarray(4 * i, 4 * i + 4);
    if (horizontal) [each[4 * i], each[4 * i + 2]] = [right, left];
    if (vertical) [each[4 * i + 1], each[4 * i + 3]] = [bottom, top];
  }
}

/**
 * Boxes in place, from the network's input to the image, and what is known of their sides with them. A mirroring transform
 * turns a box the other way round. Where scales differ by the rounding of the image's size, width and height keep their
 * directions, which are then at right angles but for that.
 */
export function moveRotated(
  { scaleX, scaleY, padX, padY }: ImageTransform,
  rotated: Float32Array,
  values: Sides,
): void {
  const box = new Float64Array(4);
  const isMirrored = scaleX < 0 !== scaleY < 0;
  for (let i = 0; i < rotated.length / ROTATED; i++) {
    const at = ROTATED * i;
    const cos = Math.cos(rotated[at + 4]);
    const sin = Math.sin(rotated[at + 4]);
    const turned = Math.atan2(sin / scaleY, cos / scaleX);
    box[0] = (rotated[at] - padX) / scaleX;
    box[1] = (rotated[at + 1] - padY) / scaleY;
    box[2] = rotated[at + 2] * Math.sqrt((cos / scaleX) ** 2 + (sin / scaleY) ** 2);
    box[3] = rotated[at + 3] * Math.sqrt((sin / scaleX) ** 2 + (cos / scaleY) ** 2);
    store(rotated, at, box, turned);
    const isBack = Math.abs(halfTurns(turned)) % 2 === 1;
    swapSides(values, i, isBack, isBack !== isMirrored);
  }
}

/** (N, 8): the corners as `rotatedCorners` orders them. */
export function cornersOf(rotated: Float32Array): Float32Array {
  const corners = new Float32Array(rotated.length / ROTATED * 8);
  for (let i = 0; i < corners.length / 8; i++) {
    const [x, y, width, height, angle] = rotated.subarray(ROTATED * i, ROTATED * (i + 1));
    const [cos, sin] = [Math.cos(angle) / 2, Math.sin(angle) / 2];
    [[1, 1], [1, -1], [-1, -1], [-1, 1]].forEach(([u, v], corner) => {
      corners[8 * i + 2 * corner] = x + u * width * cos - v * height * sin;
      corners[8 * i + 2 * corner + 1] = y + u * width * sin + v * height * cos;
    });
  }
  return corners;
}
