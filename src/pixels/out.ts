/**
 * The array that `preprocess` writes: a new one, or the caller's.
 */
import { type OutArray, overlap, ownArray } from "../arrays.ts";
import { arrayOf, overlapError, rangeError } from "../validate.ts";
import type { CheckedPixels } from "./pixels.ts";
import { arrayTypeOf, type Dtype, type Values } from "./values.ts";

/** The caller's array, or a new one, for images of that many values each. */
export function checkOut(
  op: string,
  given: unknown,
  dtype: Dtype,
  images: readonly CheckedPixels[],
  valuesEach: number,
): OutArray<Values> {
  const Type = arrayTypeOf(dtype);
  const length = images.length * valuesEach;
  const place = { op, argument: "options.out" };
  if (given === undefined) {
    const made = newArray(op, Type, length);
    return { ...ownArray(place, made), given: made };
  }
  const name = Type.name as "Float32Array" | "Uint16Array" | "Uint8Array";
  const array = arrayOf(place, name, given, length, ` for ${images.length} × ${valuesEach} values of ${dtype}`);
  for (const { bytes } of images) if (overlap(array, bytes)) throw overlapError(array, bytes);
  return { ...array, given: given as Values };
}

function newArray(op: string, Type: ReturnType<typeof arrayTypeOf>, length: number): Values {
  try {
    return new Type(length);
  } catch {
    throw rangeError({ op, argument: "input.size" }, `for ${length} values`, "as many as the host has memory for");
  }
}
