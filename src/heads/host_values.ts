/**
 * Tensors on the host, of any kind, as float32.
 */
import { ownArray, valuesOf } from "../arrays.ts";
import { dequantise, halvesToFloat32 } from "../float32.ts";
import { isQuantised, type Place, type Source } from "../validate.ts";

/** The values of a tensor as float32. */
export function float32Values(source: Source): Float32Array {
  const { kind, scale, zeroPoint } = source;
  const data = valuesOf(source);
  if (kind === "f32") return data as Float32Array;
  if (kind === "f16") return halvesToFloat32(data);
  return isQuantised(kind) ? dequantise(data, scale, zeroPoint) : Float32Array.from(data);
}

/** A tensor of values that were computed from those of the place. */
export function float32Source(place: Place, data: Float32Array, dims: readonly number[]): Source {
  return { ...ownArray(place, data), kind: "f32", dims, scale: 1, zeroPoint: 0 };
}
