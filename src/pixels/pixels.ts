/**
 * Images as callers give them, checked.
 */
import { type HostArray, readBytes } from "../arrays.ts";
import type { Pixels } from "../types.ts";
import { describe, integer, listOf, type Place, typeError } from "../validate.ts";

/** A checked image. */
export interface CheckedPixels {
  readonly place: Place;
  readonly bytes: HostArray<Uint8Array>;
  readonly width: number;
  readonly height: number;
  /** Bytes of a pixel: 1 grey, 3 RGB, 4 RGBA. */
  readonly channels: 1 | 3 | 4;
}

/** Longest side of an image: rows of RGBA have 256 KiB then. */
const MOST_SIDE = 2 ** 16;

const CHANNELS = [1, 3, 4] as const;

/** One image or a list of them. */
export function checkImages(op: string, given: unknown): { images: readonly CheckedPixels[]; many: boolean } {
  const list = listOf(given);
  if (list === null) return { images: [checkPixels({ op, argument: "pixels" }, given)], many: false };
  if (list.length === 0) throw typeError({ op, argument: "pixels" }, "an array of 0", "at least one image");
  return { images: list.map((each, i) => checkPixels({ op, argument: `pixels[${i}]` }, each)), many: true };
}

function checkPixels(place: Place, given: unknown): CheckedPixels {
  const { op, argument } = place;
  if (typeof given !== "object" || given === null) {
    throw typeError(place, describe(given), "an object with data, width and height");
  }
  const { data, width, height } = given as Partial<Pixels>;
  const columns = integer({ op, argument: `${argument}.width` }, width, 1, MOST_SIDE);
  const rows = integer({ op, argument: `${argument}.height` }, height, 1, MOST_SIDE);
  const at = { op, argument: `${argument}.data` };
  const bytes = readBytes(at, data);
  if (bytes === null) throw typeError(at, describe(data), "a Uint8Array or Uint8ClampedArray");
  const channels = CHANNELS.find((each) => each * columns * rows === bytes.length);
  if (channels === undefined) {
    const counts = CHANNELS.map((each) => each * columns * rows).join(", ");
    throw typeError(at, describe(data), `${counts} bytes (grey, RGB, RGBA) for ${columns} × ${rows} pixels`);
  }
  return { place, bytes, width: columns, height: rows, channels };
}
