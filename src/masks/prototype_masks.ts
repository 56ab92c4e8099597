/**
 * Masks from prototypes, by kernels: for the window of a detection logits at the prototypes' resolution, then its pixels, a few
 * rows or columns at a time.
 */
import type { WasmBackend } from "../wasm/backend.ts";
import type { Allocate } from "../wasm/memory.ts";
import { type Axis, lengthOf, pixelsWithin, type Range, samplesOf } from "./axis.ts";
import type { MaskPixels, MaskWindow, RowReader } from "./mask_pixels.ts";
import { BLOCK, blocksOf, type PackedPrototypes, packPrototypes, type Prototypes } from "./packed_prototypes.ts";

/** What the masks of an image are made of. */
export interface MaskInput {
  /** Null where nothing was detected. */
  readonly prototypes: Prototypes | null;
  /** Of the image in the batch. */
  readonly image: number;
  readonly across: Axis;
  readonly down: Axis;
  /** (N, channels). */
  readonly coefficients: Float32Array;
  /** (N, 4) in the frame. */
  readonly boxes: Float32Array;
}

/** Kernels may write a vector where a pixel is. */
const SLACK = 16;

/** Rows or columns of a window in linear memory. */
interface Band {
  readonly pointer: number;
  readonly lines: Range;
  /** Pixels that are 1. */
  readonly area: number;
}

/** A window as the kernels go through it: lines of pixels, which are columns where pixels are wanted column by column. */
interface Lines {
  readonly byColumn: boolean;
  /** Bytes from line to line, and before the first pixel. */
  readonly pitch: number;
  readonly before: number;
  /** Along a line, and from line to line. */
  readonly along: Axis;
  readonly apart: Axis;
  readonly pixels: Range;
  readonly lines: Range;
}

export class PrototypeMasks implements MaskPixels {
  readonly length: number;
  readonly width: number;
  readonly height: number;
  readonly #backend: WasmBackend;
  readonly #across: Axis;
  readonly #down: Axis;
  readonly #coefficients: Float32Array;
  readonly #boxes: Float32Array;
  readonly #prototypes: PackedPrototypes | null;

  constructor(op: string, backend: WasmBackend, { prototypes, image, across, down, coefficients, boxes }: MaskInput) {
    this.length = boxes.length / 4;
    this.width = across.pixels;
    this.height = down.pixels;
    this.#backend = backend;
    this.#across = across;
    this.#down = down;
    this.#coefficients = coefficients;
    this.#boxes = boxes;
    const { rows, columns } = this.#samples();
    this.#prototypes = prototypes && packPrototypes(op, backend, prototypes, image, rows, columns);
  }

  window(i: number): MaskWindow {
    const { columns, rows } = this.#ranges(i);
    return { x: columns.first, y: rows.first, width: lengthOf(columns), height: lengthOf(rows) };
  }

  area(op: string, i: number): number {
    let area = 0;
    this.#bands(op, i, ROWS, this.#backend.chunk * 4, (band) => area += band.area);
    return area;
  }

  rows(op: string, i: number, whole: boolean, read: RowReader): void {
    const { columns, rows } = this.#ranges(i);
    const width = whole ? this.width : lengthOf(columns);
    this.#bands(op, i, whole ? WHOLE_ROWS : ROWS, this.#backend.chunk * 4, ({ pointer, lines }) => {
      read(this.#backend.memory.view(Uint8Array, pointer, lengthOf(lines) * width), lines.first - rows.first);
    });
  }

  runs(op: string, i: number): number[] {
    const { memory, kernels, chunk } = this.#backend;
    const { columns, rows } = this.#ranges(i);
    const height = lengthOf(rows);
    const pixels = this.width * this.height;
    const counts: number[] = [];
    // A run for each pixel takes four bytes.
    this.#bands(op, i, COLUMNS, chunk >> 1, ({ pointer, lines }, allocate, state) => {
      const runs = allocate(4 * (lengthOf(lines) * (height + 1)));
      const { ints } = memory;
      if (lines.first === columns.first) {
        ints[state >> 2] = 0;
        ints[(state >> 2) + 1] = columns.first * this.height + rows.first;
      }
      const found = kernels.mask_runs(pointer, lengthOf(lines), height, this.height - height, state, runs);
      for (let k = 0; k < found; k++) counts.push(ints[(runs >> 2) + k]);
      // Behind columns as high as the frame, ones may go on to the end.
      if (lines.end === columns.end && ints[state >> 2] === 1) counts.push(ints[(state >> 2) + 1]);
    });
    const rest = counts.reduce((left, count) => left - count, pixels);
    if (rest > 0 || counts.length === 0) counts.push(rest);
    return counts;
  }

  #ranges(i: number): { readonly columns: Range; readonly rows: Range } {
    const [x1, y1, x2, y2] = [0, 1, 2, 3].map((side) => this.#boxes[4 * i + side]);
    return { columns: pixelsWithin(this.#across, x1, x2), rows: pixelsWithin(this.#down, y1, y2) };
  }

  /** The samples that any of the masks needs. */
  #samples(): { readonly columns: Range; readonly rows: Range } {
    let columns = { first: Infinity, end: 0 };
    let rows = { first: Infinity, end: 0 };
    for (let i = 0; i < this.length; i++) {
      const found = this.#ranges(i);
      if (lengthOf(found.columns) === 0 || lengthOf(found.rows) === 0) continue;
      columns = joined(columns, samplesOf(this.#across, found.columns));
      rows = joined(rows, samplesOf(this.#down, found.rows));
    }
    return columns.end === 0 ? { columns: NONE, rows: NONE } : { columns, rows };
  }

  /** Makes mask i in bands of lines, of at most so many bytes each or of one line. `state` is eight bytes that stay. */
  #bands(
    op: string,
    i: number,
    kind: LineKind,
    bytes: number,
    body: (band: Band, allocate: Allocate, state: number) => void,
  ): void {
    this.#backend.memory.frame(op, (allocate) => {
      const { columns, rows } = this.#ranges(i);
      if (lengthOf(columns) === 0 || lengthOf(rows) === 0) return;
      const byColumn = kind === COLUMNS;
      const pitch = kind === WHOLE_ROWS ? this.width : lengthOf(byColumn ? rows : columns);
      const shape = { byColumn, pitch, before: kind === WHOLE_ROWS ? columns.first : 0 };
      const window = byColumn
        ? { ...shape, along: this.#down, apart: this.#across, pixels: rows, lines: columns }
        : { ...shape, along: this.#across, apart: this.#down, pixels: columns, lines: rows };
      const state = allocate(8);
      const coefficients = this.#stageCoefficients(allocate, i);
      const atOnce = linesAtOnce(window, bytes);
      for (let { first } = window.lines; first < window.lines.end; first += atOnce) {
        const lines = { first, end: Math.min(first + atOnce, window.lines.end) };
        this.#backend.memory.frame(op, (inner) => {
          body(this.#band(inner, { ...window, lines }, coefficients), inner, state);
        });
      }
    });
  }

  #stageCoefficients(allocate: Allocate, i: number): number {
    const { channels } = this.#prototypes as PackedPrototypes;
    const pointer = allocate(channels * 4);
    this.#backend.memory.floats.set(this.#coefficients.subarray(i * channels, (i + 1) * channels), pointer >> 2);
    return pointer;
  }

  #band(allocate: Allocate, window: Lines, coefficients: number): Band {
    const { memory, kernels } = this.#backend;
    const { byColumn, pitch, before, along, apart, pixels, lines } = window;
    const [alongSamples, apartSamples] = [samplesOf(along, pixels), samplesOf(apart, lines)];
    const [rows, columns] = byColumn ? [alongSamples, apartSamples] : [apartSamples, alongSamples];
    const blocks = blocksOf(columns);
    const firstColumn = blocks.first * BLOCK;
    const wide = lengthOf(blocks) * BLOCK;
    // Logits stand line by line: from sample to sample along a line are four bytes.
    const lineBytes = 4 * (byColumn ? lengthOf(rows) : wide);
    const logits = allocate(4 * lengthOf(rows) * wide);
    this.#logits(rows, blocks, coefficients, logits, byColumn ? lineBytes : 4, byColumn ? 4 : lineBytes);
    const alongOrigin = byColumn ? rows.first : firstColumn;
    const apartOrigin = byColumn ? firstColumn : rows.first;
    const alongAxis = this.#axis(allocate, along, pixels, alongOrigin, 4);
    const apartAxis = this.#axis(allocate, apart, lines, apartOrigin, lineBytes);
    const size = pitch * lengthOf(lines);
    const pointer = allocate(size + SLACK);
    memory.view(Uint8Array, pointer, size).fill(0);
    return { pointer, lines, area: kernels.mask_pixels(logits, alongAxis, apartAxis, pointer + before, pitch) };
  }

  #axis(allocate: Allocate, axis: Axis, { first, end }: Range, origin: number, sampleBytes: number): number {
    const { samples, scale, pad, ratio } = axis;
    const pointer = allocate(40 + 24 * (end - first));
    this.#backend.kernels.mask_axis(first, end - first, scale, pad, ratio, samples, origin, sampleBytes, pointer);
    return pointer;
  }

  /** Logits of rows of blocks, from sample to sample and from row to row so many bytes apart. */
  #logits(
    rows: Range,
    blocks: Range,
    coefficients: number,
    logits: number,
    sampleBytes: number,
    rowBytes: number,
  ): void {
    const { memory, kernels, chunk } = this.#backend;
    const { values, channels, rows: packedRows, blocks: packedBlocks } = this.#prototypes as PackedPrototypes;
    const pitch = lengthOf(packedBlocks) * BLOCK * channels;
    const floatsOfRow = lengthOf(blocks) * BLOCK * channels;
    const atOnce = Math.min(lengthOf(rows), Math.max(1, Math.floor(chunk / floatsOfRow)));
    memory.frame("masks", (allocate) => {
      const staging = allocate(atOnce * floatsOfRow * 4);
      const { floats } = memory;
      for (let row = rows.first; row < rows.end; row += atOnce) {
        const count = Math.min(atOnce, rows.end - row);
        for (let k = 0; k < count; k++) {
          const from = (row + k - packedRows.first) * pitch + (blocks.first - packedBlocks.first) * BLOCK * channels;
          floats.set(values.subarray(from, from + floatsOfRow), (staging >> 2) + k * floatsOfRow);
        }
        const to = logits + (row - rows.first) * rowBytes;
        kernels.mask_logits(staging, count, lengthOf(blocks), channels, coefficients, to, rowBytes, sampleBytes);
      }
    });
  }
}

/** The lines of a window: its rows, whole rows of the frame, or its columns. */
type LineKind = typeof ROWS | typeof WHOLE_ROWS | typeof COLUMNS;
const [ROWS, WHOLE_ROWS, COLUMNS] = ["rows", "whole rows", "columns"] as const;

const NONE: Range = { first: 0, end: 0 };

function joined(a: Range, b: Range): Range {
  return { first: Math.min(a.first, b.first), end: Math.max(a.end, b.end) };
}

/** Of a band: neither its pixels nor its logits take more bytes, unless one line does. */
function linesAtOnce({ pitch, along, apart, pixels, lines }: Lines, bytes: number): number {
  const samplesOfLine = Math.max(1, Math.abs(apart.scale * apart.ratio));
  const logitBytes = 4 * (lengthOf(samplesOf(along, pixels)) + 2 * BLOCK) * samplesOfLine;
  const most = Math.floor(bytes / Math.max(pitch, logitBytes));
  return Math.min(lengthOf(lines), Math.max(1, most));
}
