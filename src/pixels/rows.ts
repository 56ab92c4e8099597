/**
 * The rows of an image as a result has them: resized, or as they are.
 */
import type { Allocate } from "../wasm/memory.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { methodOf, pickOf } from "./coefficients.ts";
import type { Placed } from "./geometry.ts";
import type { CheckedInput } from "./input.ts";
import type { CheckedPixels } from "./pixels.ts";
import { resizeRows } from "./resize.ts";
import { RowRing } from "./row_ring.ts";

/** Rows of pixels in linear memory. */
export interface PixelRows {
  /** Bytes from one pixel to the next. */
  readonly step: number;
  /** Where a pixel has the channels of the result. */
  readonly channels: readonly number[];
  /** Pointer to a row, which is there until the next is asked for. Rows are asked for from the first to the last. */
  at(row: number): number;
}

/** Allocates at once what all rows need. */
export function rowsOf(
  backend: WasmBackend,
  allocate: Allocate,
  { resize, order }: CheckedInput,
  image: CheckedPixels,
  placed: Placed,
): PixelRows {
  const channels = [0, 1, 2].map((channel) => image.channels === 1 ? 0 : order === "bgr" ? 2 - channel : channel);
  const method = methodOf(resize, image, placed);
  const [columns, rows] = [pickOf(method, image.width, placed.width), pickOf(method, image.height, placed.height)];
  if (columns === null || rows === null) {
    return { step: 4, channels: [0, 1, 2], at: resizeRows(backend, allocate, method, image, placed, channels) };
  }
  const ring = new RowRing(backend, allocate, image, 1);
  const at = (row: number) => {
    const from = rows.first + rows.step * row;
    ring.need(from, from + 1);
    return ring.at(from) + columns.first * image.channels;
  };
  return { step: columns.step * image.channels, channels, at };
}
