/**
 * Boxes of the candidates: only their box channels are read, gathered group by group.
 */
import { isRotated } from "../heads/channels.ts";
import type { Plane } from "../heads/levels.ts";
import type { Field } from "../heads/outputs.ts";
import type { RankedCandidates } from "./candidates.ts";
import { binMean } from "./bin_values.ts";
import { decodeGridBoxes, isGridCoding } from "./grid_boxes.ts";
import { type AnchorGroup, type AnchorList, boxGroupSize, forEachGroup, gather, type Strides } from "./groups.ts";
import { type ImageRun, scoped } from "./image_run.ts";
import { decodeRotated, ROTATED, turnInRange, unitsOf } from "./rotated.ts";

/** Numbers of a box: corners, or of a rotated one centre, size and angle. */
export function boxColumns({ settings: { head } }: ImageRun): number {
  return isRotated(head) ? ROTATED : 4;
}

/** Pointer to the boxes (count, 4 or 5) of the candidates, in network input pixels; each anchor is decoded once. */
export function decodeBoxes(run: ImageRun, candidates: RankedCandidates): number {
  if (!run.settings.multiLabel) return decodeAnchors(run, candidates);
  const { allocate, backend } = run;
  const rows = allocate(candidates.count * 4);
  const list = distinct(run, candidates, rows);
  const boxes = decodeAnchors(run, list);
  if (list.count === candidates.count) return boxes;
  const columns = boxColumns(run);
  const spread = allocate(candidates.count * columns * 4);
  backend.kernels.gather_rows(boxes, columns * 4, columns, rows, candidates.count, spread);
  return spread;
}

/** Pointer to the boxes (count, 4 or 5) of the listed anchors. */
function decodeAnchors(run: ImageRun, list: AnchorList): number {
  const { backend, allocate, parts } = run;
  const bytes = boxColumns(run) * 4;
  const boxes = allocate(list.count * bytes);
  const size = boxGroupSize(run, list.count);
  const decode = isRotated(run.settings.head) ? decodeRotatedGroup : decodeGroup;
  scoped(run, (own) => {
    const staging = own.allocate(backend.stagingBytes(size * parts[0].boxes.channels));
    const scratch = own.allocate(backend.stagingBytes(size * 5));
    forEachGroup(own, list, size, (group) => decode(own, group, staging, scratch, boxes + group.at * bytes));
  });
  if (!isRotated(run.settings.head)) clipBoxes(run, boxes, list.count);
  return boxes;
}

/** Clips the boxes to the network input, where the options ask for it. */
export function clipBoxes({ backend, settings: { clip, imageSize } }: ImageRun, boxes: number, count: number): void {
  if (clip) backend.kernels.clip_boxes(boxes, count, imageSize[1], imageSize[0]);
}

/** The candidates' anchors without repeats (they are sorted), and for each candidate its row among them. */
function distinct({ backend, allocate }: ImageRun, candidates: RankedCandidates, rows: number): AnchorList {
  const anchors = allocate(candidates.count * 4);
  const { ints } = backend.memory;
  let count = 0;
  let last = -1;
  for (let i = 0; i < candidates.count; i++) {
    const anchor = ints[(candidates.anchors >> 2) + i];
    if (anchor !== last) ints[(anchors >> 2) + count++] = anchor;
    ints[(rows >> 2) + i] = count - 1;
    last = anchor;
  }
  return { anchors, count };
}

/** The boxes (count, 4) of a group; `staging` takes its box channels, `points` its anchor points. */
function decodeGroup(run: ImageRun, group: AnchorGroup, staging: number, points: number, boxes: number): void {
  readSides(run, group, staging, boxes);
  placeBoxes(run, group, points, boxes);
}

/** The boxes (count, 5) of a group; `scratch` takes its four sides and its angles. */
function decodeRotatedGroup(run: ImageRun, group: AnchorGroup, staging: number, scratch: number, boxes: number): void {
  const angles = scratch + group.count * 16;
  const { boxes: field, angles: turns } = group.part;
  gather(run, turns as Field, group, angles);
  if (run.settings.head.boxes === "distribution") {
    readSides(run, group, staging, scratch);
    placeRotated(run, group, { sides: scratch, strides: JOINED, angles }, boxes);
  } else {
    const strides = gather(run, field, group, staging);
    placeRotated(run, group, { sides: staging, strides, angles }, boxes);
  }
}

/** Sides (count, 4) of a group: expectations in bins, or the values of the box channels. */
function readSides(run: ImageRun, group: AnchorGroup, staging: number, boxes: number): void {
  const { part, count } = group;
  const { kernels, memory } = run.backend;
  const { head } = run.settings;
  gather(run, part.boxes, group, staging);
  const { channelsFirst } = part.boxes;
  if (head.boxes === "distribution" && head.binValues !== undefined) {
    const { bins, binValues } = head;
    const values = memory.view(Float32Array, staging, count * 4 * bins);
    const to = memory.view(Float32Array, boxes, count * 4);
    for (let i = 0; i < to.length; i++) {
      const [first, step] = channelsFirst ? [(i & 3) * bins * count + (i >> 2), count] : [i * bins, 1];
      to[i] = binMean({ values, first, step }, binValues);
    }
  } else if (head.boxes === "distribution") {
    if (channelsFirst) kernels.dfl_decode_channels(staging, count * 4, count, head.bins, 0, 1, boxes);
    else kernels.dfl_decode_rows(staging, count, head.bins, 0, 1, boxes);
  } else {
    const from = memory.view(Float32Array, staging, count * 4);
    const to = memory.view(Float32Array, boxes, count * 4);
    if (!channelsFirst) to.set(from);
    else joinSides(from, to);
  }
}

/** Rows of four from four rows: with places worked out value by value, a call with 1000 candidates took a twelfth longer. */
function joinSides(rows: Float32Array, boxes: Float32Array): void {
  const count = boxes.length >> 2;
  for (let i = 0, to = 0; i < count; i++, to += 4) {
    boxes[to] = rows[i];
    boxes[to + 1] = rows[i + count];
    boxes[to + 2] = rows[i + 2 * count];
    boxes[to + 3] = rows[i + 3 * count];
  }
}

/** Sides (count, 4). */
export const JOINED: Strides = { anchor: 16, channel: 4 };

/** Pointers to the box channels of anchors, and to their angles (count). */
interface SidesAndAngles {
  readonly sides: number;
  readonly strides: Strides;
  readonly angles: number;
}

/** Rotated boxes (count, 5) of anchors in order. */
export function placeRotated(
  run: ImageRun,
  list: AnchorList,
  { sides, strides, angles }: SidesAndAngles,
  boxes: number,
): void {
  const { backend: { memory }, settings: { head, imageSize, planes } } = run;
  const place = (plane: Plane | null, at: number, length: number) => {
    const first = sides + at * strides.anchor;
    const turns = angles + at * 4;
    const to = boxes + at * ROTATED * 4;
    if (head.boxes === "xywh") return scaleRotated(run, plane, { sides: first, strides, angles: turns }, length, to);
    const [byAnchor, byChannel] = [strides.anchor >> 2, strides.channel >> 2];
    decodeRotated(head, imageSize, plane, {
      anchors: memory.view(Int32Array, list.anchors + at * 4, length),
      sides: memory.view(Float32Array, first, 3 * byChannel + (length - 1) * byAnchor + 1),
      byAnchor,
      byChannel,
      angles: memory.view(Float32Array, turns, length),
      boxes: memory.view(Float32Array, to, length * ROTATED),
    });
  };
  if (planes.length === 0) place(null, 0, list.count);
  else forEachPlane(run, list, place);
}

/** Likewise of one plane, or of all, where the channels are centre and size: 1000 boxes in a kernel make a call 5 % shorter. */
function scaleRotated(
  { backend: { kernels, memory }, settings: { head, imageSize } }: ImageRun,
  plane: Plane | null,
  { sides, strides, angles }: SidesAndAngles,
  count: number,
  boxes: number,
): void {
  const [x, y] = unitsOf(head, imageSize, plane);
  const isOutside = kernels.scale_rotated(sides, strides.anchor, strides.channel, angles, count, x, y, boxes);
  if (isOutside || head.angle === "sigmoid") turnInRange(head, memory.view(Float32Array, boxes, count * ROTATED));
}

/**
 * Boxes in place of the head's box channels: corners, centres and sizes, or distances from the anchor points, in the head's
 * unit, or a coding of the grid. Anchors are in order; `points` has space for (count, 2).
 */
export function placeBoxes(run: ImageRun, list: AnchorList, points: number, boxes: number): void {
  const { kernels, memory } = run.backend;
  const { head, imageSize: [height, width] } = run.settings;
  const onGrid = isGridCoding(head.boxes);
  const fromPoints = head.boxes === "distribution" || head.boxes === "distances";
  const inStrides = head.boxes === "distribution" || head.boxUnit === "stride";
  if (head.boxUnit === "image") scaleBoxes(run, boxes, list.count, width, height);
  if (head.boxes === "xywh") kernels.xywh2xyxy(boxes, list.count);
  if (!fromPoints && !inStrides && !onGrid) return;
  forEachPlane(run, list, (plane, at, length) => {
    const { firstAnchor, width, stride } = plane;
    const box = boxes + at * 16;
    if (onGrid) {
      const anchors = memory.view(Int32Array, list.anchors + at * 4, length);
      return decodeGridBoxes(head, plane, anchors, memory.view(Float32Array, box, length * 4));
    }
    if (!fromPoints) return scaleBoxes(run, box, length, stride, stride);
    kernels.anchor_points(list.anchors + at * 4, length, firstAnchor, width, stride, head.anchorOffset, points);
    kernels.distance2bbox(points, box, inStrides ? stride : 1, length, -1, -1, box);
  });
}

/** Horizontal and vertical values of (count, 4). */
function scaleBoxes({ backend: { memory } }: ImageRun, boxes: number, count: number, x: number, y: number): void {
  const values = memory.view(Float32Array, boxes, count * 4);
  for (let i = 0; i < values.length; i++) values[i] *= i % 2 === 0 ? x : y;
}

/** Calls back for the runs of the sorted anchors that lie on one plane. */
function forEachPlane(
  { backend, settings: { planes } }: ImageRun,
  { anchors, count }: AnchorList,
  body: (plane: Plane, at: number, length: number) => void,
): void {
  const list = backend.memory.view(Int32Array, anchors, count);
  let at = 0;
  for (const plane of planes) {
    let end = at;
    while (end < count && list[end] < plane.firstAnchor + plane.anchors) end++;
    if (end > at) body(plane, at, end - at);
    at = end;
  }
}
