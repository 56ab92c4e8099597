/**
 * Rows in chunks that fit a binding.
 */
import { type Place, rangeError } from "../validate.ts";
import { ALIGNED_BYTES } from "./storage.ts";

/** Most bytes of a binding for maps that come from the host or go there, so that what is in flight is bounded. */
const CHUNK_BYTES = 128 * 1024 * 1024;
/** Rows of a chunk are a multiple of this, so that chunks of all widths begin aligned, in halves too. */
const ALIGNED_ROWS = ALIGNED_BYTES / 2;

export interface Chunk {
  readonly index: number;
  readonly firstRow: number;
  readonly rows: number;
}

/** Bytes of a map that a shader gets at a time. */
export function chunkBytes({ maxStorageBufferBindingSize }: GPUSupportedLimits, streams: boolean): number {
  return streams ? Math.min(maxStorageBufferBindingSize, CHUNK_BYTES) : maxStorageBufferBindingSize;
}

/** (rows, columns) in chunks of one size but for the last; RangeError where not even the least one fits. */
export function chunksOf(place: Place, rows: number, columns: number, bytes: number): Chunk[] {
  if (rows * columns === 0) return [];
  const fitting = Math.floor(bytes / (columns * 4));
  const most = fitting >= rows ? rows : Math.floor(fitting / ALIGNED_ROWS) * ALIGNED_ROWS;
  if (most > 0) return cut(rows, most);
  const maxColumns = Math.floor(bytes / (4 * ALIGNED_ROWS));
  throw rangeError(place, `of ${columns} values a row`, `at most ${maxColumns} on this device`);
}

/** The most values of a row that fits a binding of `unalignedChunks`, which may begin before its data. */
export function maxValues({ maxStorageBufferBindingSize }: GPUSupportedLimits): number {
  return Math.floor((maxStorageBufferBindingSize - ALIGNED_BYTES) / 4);
}

/** Rows of at most `maxValues` in chunks that may begin anywhere: a row at least, else what is in flight at a time. */
export function unalignedChunks(rows: number, columns: number, limits: GPUSupportedLimits): Chunk[] {
  const fitting = Math.floor(Math.min(maxValues(limits), CHUNK_BYTES / 4) / columns);
  return cut(rows, Math.max(1, fitting));
}

function cut(rows: number, most: number): Chunk[] {
  return Array.from({ length: Math.ceil(rows / most) }, (_, index) => {
    return { index, firstRow: index * most, rows: Math.min(most, rows - index * most) };
  });
}
