/**
 * An image's prototypes as the kernel of logits reads them, in an array of their own: the caller may change what was given, and
 * linear memory is free again.
 */
import type { Source } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { lengthOf, type Range } from "./axis.ts";

/** (B, channels, height, width) where channels are first, else (B, height, width, channels). */
export interface Prototypes {
  readonly source: Source;
  readonly channelsFirst: boolean;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Samples of a block: the lanes of a vector. */
export const BLOCK = 4;

/** Rows of blocks of four samples; a block has four values for each channel. */
export interface PackedPrototypes {
  readonly values: Float32Array;
  readonly channels: number;
  /** Rows of samples, and blocks of a row, that are there. */
  readonly rows: Range;
  readonly blocks: Range;
}

/** The blocks that hold a range of samples. */
export function blocksOf({ first, end }: Range): Range {
  return { first: Math.floor(first / BLOCK), end: Math.ceil(end / BLOCK) };
}

/** Packs what masks need of an image, a few rows at a time. */
export function packPrototypes(
  op: string,
  backend: WasmBackend,
  prototypes: Prototypes,
  image: number,
  rows: Range,
  columns: Range,
): PackedPrototypes {
  const { channels, width } = prototypes;
  const blocks = blocksOf(columns);
  const floatsOfRow = lengthOf(blocks) * BLOCK * channels;
  const packed = { values: new Float32Array(lengthOf(rows) * floatsOfRow), channels, rows, blocks };
  if (packed.values.length === 0) return packed;
  const rowsAtOnce = Math.min(lengthOf(rows), Math.max(1, Math.floor(backend.chunk / (width * channels))));
  backend.memory.frame(op, (allocate) => {
    // A row of channels is padded to 16 floats.
    const staging = allocate(backend.stagingBytes(channels * (rowsAtOnce * width + 16)));
    const dst = allocate(rowsAtOnce * floatsOfRow * 4);
    for (let row = rows.first; row < rows.end; row += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows.end - row);
      packRows(backend, prototypes, image, { first: row, end: row + count }, blocks, staging, dst);
      const from = backend.memory.floats.subarray(dst >> 2, (dst >> 2) + count * floatsOfRow);
      packed.values.set(from, (row - rows.first) * floatsOfRow);
    }
  });
  return packed;
}

function packRows(
  backend: WasmBackend,
  { source, channelsFirst, channels, height, width }: Prototypes,
  image: number,
  rows: Range,
  blocks: Range,
  staging: number,
  dst: number,
): void {
  const firstColumn = blocks.first * BLOCK;
  const columns = Math.min(blocks.end * BLOCK, width) - firstColumn;
  const start = image * channels * height * width;
  const count = lengthOf(rows);
  const bytesOfRow = lengthOf(blocks) * BLOCK * channels * 4;
  const pack = (from: number, pixelBytes: number, channelBytes: number, rowBytes: number) => {
    for (let row = 0; row < count; row++) {
      const src = from + row * rowBytes + firstColumn * pixelBytes;
      backend.kernels.pack_prototypes(src, pixelBytes, channelBytes, columns, channels, dst + row * bytesOfRow);
    }
  };
  if (channelsFirst) {
    const lines = {
      start: start + rows.first * width,
      pitch: height * width,
      rows: channels,
      columns: count * width,
    };
    const { pointer, stride } = backend.stageRows(source, lines, staging);
    pack(pointer, 4, stride, width * 4);
  } else {
    const pointer = backend.stage(source, start + rows.first * width * channels, count * width * channels, staging);
    pack(pointer, channels * 4, 4, width * channels * 4);
  }
}
