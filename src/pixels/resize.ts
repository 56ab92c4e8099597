/**
 * Resizes an image row by row: rows of the source in linear memory become rows of four bytes for each pixel.
 */
import type { Allocate } from "../wasm/memory.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { type Cells, cellsOf, clamped, type Method, tapsOf } from "./coefficients.ts";
import type { Placed } from "./geometry.ts";
import type { CheckedPixels } from "./pixels.ts";
import { RowRing } from "./row_ring.ts";

/** Makes a row of the resized image, and returns a pointer to it. */
type ResizeRow = (row: number) => number;

/** What a resized image is made of. */
interface Resizing {
  readonly backend: WasmBackend;
  readonly allocate: Allocate;
  readonly image: CheckedPixels;
  readonly placed: Placed;
  /** Pointer to the bytes that kernels pick by: see `shuffles`. */
  readonly pick: number;
  /** Pointer to the row that they make. */
  readonly made: number;
}

/** Kernels write up to a vector past a row. */
const SLACK = 64;

/** Rows of four bytes for each pixel, of which the first three are the channels at these places of the source's pixels. */
export function resizeRows(
  backend: WasmBackend,
  allocate: Allocate,
  method: Method,
  image: CheckedPixels,
  placed: Placed,
  channels: readonly number[],
): ResizeRow {
  const [pick, made] = [allocate(48), allocate(4 * placed.width + SLACK)];
  backend.memory.view(Uint8Array, pick, 48).set(shuffles(image.channels, channels));
  const resizing = { backend, allocate, image, placed, pick, made };
  if (method === "area") return areaRows(resizing);
  if (method === "bicubic") return bicubicRows(resizing);
  return isHalf(method, image, placed) ? halfRows(resizing) : bilinearRows(resizing, method);
}

/** Are both sides halved? Each byte is the mean of four then. */
function isHalf(method: Method, image: CheckedPixels, placed: Placed): boolean {
  return method === "bilinear" && image.width === 2 * placed.width && image.height === 2 * placed.height;
}

function halfRows({ backend, allocate, image, placed, pick, made }: Resizing): ResizeRow {
  const ring = new RowRing(backend, allocate, image, 2);
  return (row) => {
    ring.need(2 * row, 2 * row + 2);
    const [upper, lower] = [ring.at(2 * row), ring.at(2 * row + 1)];
    backend.kernels.half_row(upper, lower, pick, 2 * image.channels, placed.width, made);
    return made;
  };
}

/**
 * Three times 16 bytes, by which a kernel picks channels: those of two neighbours side by side as words; the same of the next two;
 * those of one pixel. 255 picks 0.
 */
function shuffles(bytesEach: number, channels: readonly number[]): number[] {
  const pairs = [0, 2 * bytesEach].flatMap((start) => {
    const words = channels.flatMap((place) => [start + place, 255, start + place + bytesEach, 255]);
    return [...words, 255, 255, 255, 255];
  });
  return [...pairs, ...Array.from({ length: 16 }, (_, i) => channels[i] ?? 255)];
}

function bilinearRows(resizing: Resizing, method: Exclude<Method, "area">): ResizeRow {
  const { backend: { kernels }, image, placed, made } = resizing;
  const { first, coefficients } = tapsOf(method, image.height, placed.height);
  const across = acrossRows(resizing, method, 8, kernels.bilinear_across);
  return (row) => {
    const [upperWeight, lowerWeight] = [coefficients[2 * row], coefficients[2 * row + 1]];
    const upper = across(inside(first[row], image.height));
    // A row without weight is not copied.
    const lower = lowerWeight === 0 ? upper : across(inside(first[row] + 1, image.height));
    kernels.bilinear_down(upper, lower, upperWeight, lowerWeight, placed.width, made);
    return made;
  };
}

function inside(at: number, length: number): number {
  return Math.min(Math.max(at, 0), length - 1);
}

function bicubicRows(resizing: Resizing): ResizeRow {
  const { backend: { kernels, memory }, allocate, image, placed, made } = resizing;
  const { first, coefficients } = clamped(tapsOf("bicubic", image.height, placed.height), image.height);
  const across = acrossRows(resizing, "bicubic", 16, kernels.bicubic_across);
  const list = allocate(32);
  return (row) => {
    for (let k = 0; k < 4; k++) {
      const weight = coefficients[4 * row + k];
      // A row without weight is not copied, nor one that is not there: what lies at 0 is read in its place.
      memory.ints[(list >> 2) + 2 * k] = weight === 0 ? 0 : across(first[row] + k);
      memory.ints[(list >> 2) + 2 * k + 1] = weight;
    }
    kernels.bicubic_down(list, placed.width, made);
    return made;
  };
}

type Across = (src: number, shuffle: number, taps: number, count: number, dst: number) => void;

/** Resizes rows of the source to the new width, and keeps the last of them: as many as a row of the result is made of. */
function acrossRows(
  { backend, allocate, image, placed, pick }: Resizing,
  method: Exclude<Method, "area">,
  bytesEach: number,
  resize: Across,
): (row: number) => number {
  const { taps, words } = columnTaps(method, image, placed.width);
  const table = copied(backend, allocate, words);
  const ring = new RowRing(backend, allocate, image, 1);
  const slots = Array.from({ length: taps }, () => ({ row: -1, pointer: allocate(placed.width * bytesEach + SLACK) }));
  return (row) => {
    const slot = slots[row % taps];
    if (slot.row !== row) {
      slot.row = row;
      ring.need(row, row + 1);
      resize(ring.at(row), pick, table, placed.width, slot.pointer);
    }
    return slot.pointer;
  };
}

/** The taps of the columns as kernels read them: an offset in bytes, and pairs of coefficients. */
function columnTaps(
  method: Exclude<Method, "area">,
  { width, channels }: CheckedPixels,
  columns: number,
): { taps: number; words: Int32Array } {
  const { taps, first, coefficients } = clamped(tapsOf(method, width, columns), width);
  const each = 1 + taps / 2;
  // One more, because kernels may make two pixels at once.
  const words = new Int32Array(each * (columns + 1));
  const halves = new Int16Array(words.buffer);
  for (let i = 0; i < columns; i++) {
    words[each * i] = first[i] * channels;
    halves.set(coefficients.subarray(taps * i, taps * (i + 1)), 2 * (each * i + 1));
  }
  return { taps, words };
}

/** Pointer to a copy of a table. */
function copied(backend: WasmBackend, allocate: Allocate, words: Int32Array): number {
  const pointer = allocate(words.byteLength);
  backend.memory.view(Int32Array, pointer, words.length).set(words);
  return pointer;
}

/** Rows of the source that are summed at once need not more memory than this, if two of them do not. */
const RING_BYTES = 128 * 1024;

function areaRows({ backend, allocate, image, placed, pick, made }: Resizing): ResizeRow {
  const { kernels, memory } = backend;
  const { width, height, channels } = image;
  const values = width * channels;
  const down = cellsOf(height, placed.height);
  const across = cellsOf(width, placed.width);
  const most = Math.max(...down.whole) + 2;
  const room = Math.min(RING_BYTES, memory.available / 4);
  const ring = new RowRing(backend, allocate, image, Math.max(2, Math.min(most, Math.floor(room / values))));
  const list = allocate(12 * ring.capacity);
  const cells = cellTable(backend, allocate, across, channels);
  // Before the first cell, a pixel without weight is read.
  const sums = allocate(values * 4 + 128) + 64;
  return (row) => {
    const [before, after] = [down.before[row], down.after[row]];
    const [first, end] = [down.first[row], down.first[row] + down.whole[row]];
    const weightOf = (y: number) => y < first ? before : y < end ? 2 ** down.shift : after;
    const begin = before > 0 ? first - 1 : first;
    const last = after > 0 ? end + 1 : end;
    for (let from = begin; from < last; from += ring.capacity) {
      const to = Math.min(last, from + ring.capacity);
      ring.need(from, to);
      const pairs = writePairs(memory.ints, list, ring, from, to, weightOf);
      kernels.area_rows(list, pairs, values, sums, from === begin ? 0 : 1);
    }
    const weight = before + after + down.whole[row] * 2 ** down.shift;
    kernels.area_row(sums, channels, cells, across.shift, 1 / weight, pick + 32, placed.width, made);
    return made;
  };
}

/** Pairs of rows as `area_rows` reads them; the last row of an odd number has a partner without weight. */
function writePairs(
  ints: Int32Array,
  list: number,
  ring: RowRing,
  from: number,
  to: number,
  weightOf: (row: number) => number,
): number {
  let at = list >> 2;
  for (let row = from; row < to; row += 2) {
    const isPair = row + 1 < to;
    ints[at++] = ring.at(row);
    ints[at++] = ring.at(isPair ? row + 1 : row);
    ints[at++] = weightOf(row) | (isPair ? weightOf(row + 1) << 16 : 0);
  }
  return Math.ceil((to - from) / 2);
}

/** Cells of the columns as `area_row` reads them, with the reciprocal of their weight. */
function cellTable(backend: WasmBackend, allocate: Allocate, cells: Cells, channels: number): number {
  const { shift, first, whole, before, after } = cells;
  const words = new Int32Array(6 * first.length);
  const reciprocals = new Float64Array(words.buffer);
  for (let i = 0; i < first.length; i++) {
    words[6 * i] = first[i] * channels * 4;
    words[6 * i + 1] = whole[i];
    words[6 * i + 2] = before[i];
    words[6 * i + 3] = after[i];
    reciprocals[3 * i + 2] = 1 / (before[i] + after[i] + whole[i] * 2 ** shift);
  }
  return copied(backend, allocate, words);
}
