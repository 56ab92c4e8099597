/**
 * Which anchors compete: the score filter over every part of the output, in linear memory.
 */
import { floorToFloat } from "../float32.ts";
import type { HeadSpec } from "../types.ts";
import { paddedColumns, type WasmBackend } from "../wasm/backend.ts";
import { type Field, fieldRows, type Part } from "../heads/outputs.ts";
import { MOST_PROBABILITY } from "../heads/values.ts";
import { checkProbabilities, checkProbability } from "./probabilities.ts";

type Allocate = (bytes: number) => number;

/** Anchors whose best class is over the threshold, in order: pointers to anchor, class and value of each. */
export interface Survivors {
  readonly anchors: number;
  readonly labels: number;
  readonly values: number;
  count: number;
}

/** Thresholds in the unit of the class values: one for all anchors, or (with objectness) one for each. */
export interface Thresholds {
  readonly pointer: number;
  /** Bytes from one anchor's threshold to the next's; 0 where there is one for all. */
  readonly stride: number;
  /** Objectness of each anchor as it came, or 0. */
  readonly objectness: number;
}

const MOST = Math.fround(MOST_PROBABILITY);
/** The largest logit whose score is 0, as `sigmoid` has it. */
const LEAST_LOGIT = -Math.log(Number.MAX_VALUE);
const logit = (p: number) => p <= 0 ? LEAST_LOGIT : p >= 1 ? Infinity : Math.log(p / (1 - p));
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** The probability that a raw value stands for. */
export function probability(head: HeadSpec, value: number): number {
  return head.scores === "logits" ? sigmoid(value) : Math.min(Math.max(value, 0), 1);
}

/** Joins a class probability with objectness, as the head says. */
export function joinScore(head: HeadSpec, classScore: number, objectness: number): number {
  const product = classScore * objectness;
  return head.objectness === "sqrt-multiply" ? Math.sqrt(product) : product;
}

/** The raw class value over which a score is over the threshold. */
export function rawThreshold(head: HeadSpec, threshold: number): number {
  if (head.scores === "logits") return floorToFloat(logit(threshold));
  // What is over that passes, to be refused.
  return threshold >= 1 ? MOST : floorToFloat(threshold);
}

/** What the product of class score and objectness must exceed. */
export function productThreshold(head: HeadSpec, scoreThreshold: number): number {
  return head.objectness === "sqrt-multiply" ? Math.max(scoreThreshold, 0) ** 2 : scoreThreshold;
}

/** The raw class value over which a score joined with raw objectness is over the threshold. */
export function thresholdByObjectness(head: HeadSpec, scoreThreshold: number): (objectness: number) => number {
  const wanted = productThreshold(head, scoreThreshold);
  // The class score must exceed wanted / objectness, and is at most 1.
  const least = rawThreshold(head, wanted);
  const never = rawThreshold(head, 1);
  return (objectness) => objectness > least ? rawThreshold(head, wanted / probability(head, objectness)) : never;
}

export function makeThresholds(
  backend: WasmBackend,
  op: string,
  allocate: Allocate,
  head: HeadSpec,
  parts: readonly Part[],
  image: number,
  anchors: number,
  scoreThreshold: number,
): Thresholds {
  if (parts[0].objectness === null) {
    const pointer = allocate(4);
    backend.memory.floats[pointer >> 2] = rawThreshold(head, scoreThreshold);
    return { pointer, stride: 0, objectness: 0 };
  }
  const objectness = allocate(backend.room(anchors));
  const pointer = allocate(anchors * 4);
  for (const part of parts) {
    const field = part.objectness as Field;
    const column = objectness + part.firstAnchor * 4;
    readColumn(backend, allocate, field, image, column);
    if (head.scores === "logits") continue;
    const values = backend.memory.view(Float32Array, column, field.anchors);
    for (let i = 0; i < values.length; i++) checkProbability({ op, argument: field.argument }, head, values[i]);
  }
  const given = backend.memory.view(Float32Array, objectness, anchors);
  const thresholds = backend.memory.view(Float32Array, pointer, anchors);
  const thresholdOf = thresholdByObjectness(head, scoreThreshold);
  for (let i = 0; i < anchors; i++) thresholds[i] = thresholdOf(given[i]);
  return { pointer, stride: 4, objectness };
}

/** One channel of an image as float32 at `dst`. */
function readColumn(backend: WasmBackend, allocate: Allocate, field: Field, image: number, dst: number): void {
  const { source, anchors } = field;
  const part = fieldRows(field, image);
  const room = allocate(backend.room(anchors));
  const column = field.channelsFirst ? backend.stage(source, part.start, anchors, room) : room;
  if (!field.channelsFirst) {
    const list = allocate(anchors * 4);
    backend.memory.view(Int32Array, list, anchors).set(Array.from({ length: anchors }, (_, i) => i));
    backend.gatherRows(source, part, list, anchors, 0, room);
  }
  backend.memory.view(Float32Array, dst, anchors).set(backend.memory.view(Float32Array, column, anchors));
}

/** The anchors of an image whose best class is over their threshold. */
export function filterAnchors(
  backend: WasmBackend,
  op: string,
  allocate: Allocate,
  head: HeadSpec,
  parts: readonly Part[],
  image: number,
  anchors: number,
  thresholds: Thresholds,
): Survivors {
  const survivors = {
    anchors: allocate(anchors * 4),
    labels: allocate(anchors * 4),
    values: allocate(anchors * 4),
    count: 0,
  };
  for (const part of parts) {
    const filter = part.classes.channelsFirst ? filterChannels : filterRows;
    backend.memory.frame(op, (scoped) => filter(backend, op, scoped, head, part, image, thresholds, survivors));
  }
  return survivors;
}

function filterRows(
  backend: WasmBackend,
  op: string,
  allocate: Allocate,
  head: HeadSpec,
  part: Part,
  image: number,
  thresholds: Thresholds,
  survivors: Survivors,
): void {
  const { argument, source, channels, firstChannel, allChannels } = part.classes;
  const { kernels } = backend;
  const logits = head.scores === "logits";
  const chunk = Math.min(part.anchors, Math.max(1, Math.floor(backend.chunk / allChannels)));
  const room = backend.resident(source) === 0 ? allocate(backend.room(chunk * allChannels)) : 0;
  for (let done = 0; done < part.anchors; done += chunk) {
    const rows = Math.min(chunk, part.anchors - done);
    // Whole rows in one copy, boxes included: cheaper than a copy for each row's classes.
    const { start } = fieldRows(part.classes, image, done, rows);
    const pointer = backend.stage(source, start - firstChannel, rows * allChannels, room) + firstChannel * 4;
    const first = part.firstAnchor + done;
    const at = survivors.count * 4;
    const lists = [survivors.anchors + at, survivors.labels + at, survivors.values + at] as const;
    const limits = [thresholds.pointer + first * thresholds.stride, thresholds.stride] as const;
    const stride = allChannels * 4;
    const values = { pointer, stride, rows, columns: channels };
    let found = -1;
    if (!logits) {
      found = kernels.score_filter_rows_probabilities(pointer, stride, rows, channels, ...limits, first, ...lists);
      if (found < 0) checkProbabilities(backend, { op, argument }, head, values);
    }
    if (found < 0) found = kernels.score_filter_rows(pointer, stride, rows, channels, ...limits, first, ...lists);
    survivors.count += found;
  }
}

/** Anchors of a block; its best values and labels stay in the first- and second-level cache. */
const BLOCK_ANCHORS = 16384;
/** Classes of one pass over a tensor in linear memory: 80 streams at once take half as long again as 5 times 16. */
const RESIDENT_ROWS = 16;

function filterChannels(
  backend: WasmBackend,
  op: string,
  allocate: Allocate,
  head: HeadSpec,
  part: Part,
  image: number,
  thresholds: Thresholds,
  survivors: Survivors,
): void {
  const { argument, source, channels } = part.classes;
  const { kernels } = backend;
  const logits = head.scores === "logits";
  const block = Math.min(part.anchors, BLOCK_ANCHORS, backend.chunk);
  const padded = paddedColumns(block);
  const resident = backend.resident(source) !== 0;
  const rowsThatFit = resident ? RESIDENT_ROWS : Math.max(1, Math.floor(backend.chunk / padded));
  const rowsAtOnce = Math.min(channels, rowsThatFit);
  const room = resident ? 0 : allocate(backend.room(rowsAtOnce * padded));
  const best = allocate(padded * 4);
  const label = allocate(padded * 4);
  for (let done = 0; done < part.anchors; done += block) {
    const columns = Math.min(block, part.anchors - done);
    const first = part.firstAnchor + done;
    beginBlock(backend, thresholds, first, columns, best, label);
    const all = fieldRows(part.classes, image, done, columns);
    for (let row = 0; row < channels; row += rowsAtOnce) {
      const rows = Math.min(rowsAtOnce, channels - row);
      const staged = backend.stageRows(source, { ...all, start: all.start + row * all.pitch, rows }, room);
      const { pointer, stride } = staged;
      const block = [pointer, stride, columns, rows, row, best, label] as const;
      if (!logits) {
        if (kernels.score_filter_channels_probabilities(...block)) continue;
        checkProbabilities(backend, { op, argument }, head, { pointer, stride, rows, columns });
      }
      kernels.score_filter_channels(...block);
    }
    const at = survivors.count * 4;
    survivors.count += kernels.score_filter_compact(
      best,
      label,
      columns,
      first,
      survivors.anchors + at,
      survivors.labels + at,
      survivors.values + at,
    );
  }
}

/** `best` starts at the thresholds, beyond reach in the padding. */
function beginBlock(
  backend: WasmBackend,
  thresholds: Thresholds,
  first: number,
  columns: number,
  best: number,
  label: number,
): void {
  const padded = paddedColumns(columns);
  const { floats, ints } = backend.memory;
  const [from, to] = [best >> 2, (best >> 2) + columns];
  if (thresholds.stride === 0) floats.fill(floats[thresholds.pointer >> 2], from, to);
  else floats.copyWithin(from, (thresholds.pointer >> 2) + first, (thresholds.pointer >> 2) + first + columns);
  floats.fill(Infinity, to, from + padded);
  ints.fill(-1, label >> 2, (label >> 2) + padded);
}
