/**
 * Boxes of the candidates, and the shape of their distributions: only what survives is read, gathered group by group.
 */
import type { HeadSpec } from "../types.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { type Candidates, forEachGroup } from "./classes.ts";
import { type Level, levelOf } from "../heads/levels.ts";
import { type Field, fieldRows, type Part } from "../heads/outputs.ts";

type Allocate = (bytes: number) => number;

/** Anchors that are gathered at a time: 512 of 4 · 16 bins are 128 KiB. */
const GROUP = 512;
/** Anchors of a tile in the kernel: groups are multiples of it, so that they change no bit. */
const TILE = 128;

export interface Geometry {
  readonly head: HeadSpec;
  readonly levels: readonly Level[];
  readonly imageSize: readonly [number, number];
  readonly clip: boolean;
}

/** Of each side of each detection: deviation and excess in pixels of the network input, saturation as a share of 1. */
export interface ShapeStatistics {
  readonly std: Float32Array;
  readonly saturation: Float32Array;
  readonly excess: Float32Array;
}

export function emptyShape(detections: number): ShapeStatistics {
  const values = () => new Float32Array(detections * 4);
  return { std: values(), saturation: values(), excess: values() };
}

/** A sorted list of distinct anchors in linear memory. */
interface AnchorList {
  readonly anchors: number;
  readonly count: number;
}

/** Anchors of a group: fewer where little memory is allowed. */
function groupOf({ chunk }: WasmBackend, channels: number, count: number): number {
  const fitting = Math.max(TILE, Math.floor(chunk / channels / TILE) * TILE);
  return Math.max(1, Math.min(GROUP, fitting, count));
}

/** Pointer to the boxes (count, 4) of the candidates, in network input pixels. */
export function decodeBoxes(
  backend: WasmBackend,
  op: string,
  allocate: Allocate,
  parts: readonly Part[],
  image: number,
  candidates: Candidates,
  geometry: Geometry,
): number {
  const { kernels, memory } = backend;
  const rows = allocate(candidates.count * 4);
  const list = distinct(backend, allocate, candidates, rows);
  const boxes = allocate(list.count * 16);
  const group = groupOf(backend, parts[0].boxes.channels, list.count);
  memory.frame(op, (scoped) => {
    const room = scoped(backend.room(group * parts[0].boxes.channels));
    const points = scoped(group * 8);
    forEachGroup(backend, parts, list, group, (part, at, count) => {
      const anchors = list.anchors + at * 4;
      decodeGroup(backend, part, image, anchors, count, geometry, room, points, boxes + at * 16);
    });
  });
  clipBoxes(backend, boxes, list.count, geometry);
  if (list.count === candidates.count) return boxes;
  const spread = allocate(candidates.count * 16);
  kernels.gather_rows(boxes, 16, 4, rows, candidates.count, spread);
  return spread;
}

/** Clips the boxes to the network input, where that is asked for. */
export function clipBoxes({ kernels }: WasmBackend, boxes: number, count: number, geometry: Geometry): void {
  if (geometry.clip) kernels.clip_boxes(boxes, count, geometry.imageSize[1], geometry.imageSize[0]);
}

/** The candidates' anchors without repeats (they are sorted), and for each candidate its place among them. */
function distinct(backend: WasmBackend, allocate: Allocate, candidates: Candidates, rows: number): AnchorList {
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

function decodeGroup(
  backend: WasmBackend,
  part: Part,
  image: number,
  anchors: number,
  count: number,
  geometry: Geometry,
  room: number,
  points: number,
  boxes: number,
): void {
  const { kernels, memory } = backend;
  const { head } = geometry;
  gather(backend, part.boxes, image, anchors, count, part.firstAnchor, room);
  const { channelsFirst } = part.boxes;
  if (head.boxes === "distribution") {
    if (channelsFirst) kernels.dfl_decode_channels(room, count * 4, count, head.bins, 0, 1, boxes);
    else kernels.dfl_decode_rows(room, count, head.bins, 0, 1, boxes);
  } else {
    const from = memory.view(Float32Array, room, count * 4);
    const to = memory.view(Float32Array, boxes, count * 4);
    for (let i = 0; i < to.length; i++) to[i] = channelsFirst ? from[(i & 3) * count + (i >> 2)] : from[i];
  }
  placeBoxes(backend, anchors, count, geometry, points, boxes);
}

/**
 * Boxes in place of what stands for them: corners, centres and sizes, or distances from the anchor points, in the head's
 * unit. Anchors are in order; `points` has room for (count, 2).
 */
export function placeBoxes(
  backend: WasmBackend,
  anchors: number,
  count: number,
  geometry: Geometry,
  points: number,
  boxes: number,
): void {
  const { kernels } = backend;
  const { head, levels } = geometry;
  const fromPoints = head.boxes === "distribution" || head.boxes === "distances";
  const inStrides = head.boxes === "distribution" || head.boxUnit === "stride";
  const [height, width] = geometry.imageSize;
  if (head.boxUnit === "image") scaleBoxes(backend, boxes, count, width, height);
  if (head.boxes === "xywh") kernels.xywh2xyxy(boxes, count);
  if (!fromPoints && !inStrides) return;
  forEachLevel(backend, levels, anchors, count, (level, at, length) => {
    const { firstAnchor, width, stride } = level;
    const box = boxes + at * 16;
    if (!fromPoints) return scaleBoxes(backend, box, length, stride, stride);
    kernels.anchor_points(anchors + at * 4, length, firstAnchor, width, stride, head.anchorOffset, points);
    kernels.distance2bbox(points, box, inStrides ? stride : 1, length, -1, -1, box);
  });
}

/** Horizontal and vertical values of (count, 4). */
function scaleBoxes({ memory }: WasmBackend, boxes: number, count: number, x: number, y: number): void {
  const values = memory.view(Float32Array, boxes, count * 4);
  for (let i = 0; i < values.length; i++) values[i] *= i % 2 === 0 ? x : y;
}

/** The field's values of the listed anchors at `dst`: (channels, count) or (count, channels), as the field lies. */
function gather(
  backend: WasmBackend,
  field: Field,
  image: number,
  anchors: number,
  count: number,
  first: number,
  dst: number,
): void {
  const rows = fieldRows(field, image);
  if (field.channelsFirst) backend.gatherColumns(field.source, rows, anchors, count, first, dst);
  else backend.gatherRows(field.source, rows, anchors, count, first, dst);
}

/** Calls back for the runs of the sorted anchors that lie on one level. */
function forEachLevel(
  backend: WasmBackend,
  levels: readonly Level[],
  anchors: number,
  count: number,
  body: (level: Level, at: number, length: number) => void,
): void {
  const list = backend.memory.view(Int32Array, anchors, count);
  let at = 0;
  for (const level of levels) {
    let end = at;
    while (end < count && list[end] < level.firstAnchor + level.anchors) end++;
    if (end > at) body(level, at, end - at);
    at = end;
  }
}

/** For detections in any order. */
export function shapeStatistics(
  backend: WasmBackend,
  op: string,
  parts: readonly Part[],
  image: number,
  anchors: Int32Array,
  levels: readonly Level[],
): ShapeStatistics {
  const count = anchors.length;
  const shape = emptyShape(count);
  const order = Array.from(anchors.keys()).sort((a, b) => anchors[a] - anchors[b]);
  const { channels } = parts[0].boxes;
  const group = groupOf(backend, channels, count);
  backend.memory.frame(op, (allocate) => {
    const list = { anchors: allocate(count * 4), count };
    const room = allocate(backend.room(group * channels));
    const [std, entropy, top, last, excess] = Array.from({ length: 5 }, () => allocate(group * 16));
    order.forEach((from, i) => backend.memory.ints[(list.anchors >> 2) + i] = anchors[from]);
    forEachGroup(backend, parts, list, group, (part, at, listed) => {
      gather(backend, part.boxes, image, list.anchors + at * 4, listed, part.firstAnchor, room);
      const [byAnchor, byBin] = part.boxes.channelsFirst ? [4, listed * 4] : [channels * 4, 4];
      backend.kernels.dfl_statistics(room, byAnchor, byBin, listed, channels / 4, std, entropy, top, last, excess);
      const { floats } = backend.memory;
      for (let i = 0; i < 4 * listed; i++) {
        const detection = order[at + (i >> 2)];
        const to = 4 * detection + (i & 3);
        const { stride } = levelOf(levels, anchors[detection]);
        shape.std[to] = floats[(std >> 2) + i] * stride;
        shape.saturation[to] = floats[(last >> 2) + i];
        shape.excess[to] = floats[(excess >> 2) + i] * stride;
      }
    });
  });
  return shape;
}
