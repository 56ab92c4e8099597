/**
 * Values of any element type as float32.
 */
import { arrayName } from "../arrays.ts";
import { dequantise, halvesToFloat32 } from "../float32.ts";
import type { HostTensor } from "../types.ts";
import type { FileTensor } from "./tensor.ts";

/**
 * The values of a tensor as float32: half bits decoded, float64 and integers rounded, quantised data as
 * (q − zeroPoint) · scale, each step rounded to float32.
 *
 * - Shapes: any; as many values in the same order. A `Float32Array` is returned as it is, without a copy.
 *
 * @example
 * ```ts
 * import { toFloat32 } from "densehead/files";
 *
 * console.log(toFloat32({ data: Uint16Array.of(0x3c00, 0xb800), dims: [2], type: "float16" })); // → [1, -0.5]
 * ```
 */
export function toFloat32(tensor: FileTensor | HostTensor): Float32Array {
  const { data, type, scale, zeroPoint = 0 } = tensor as FileTensor & HostTensor;
  const name = arrayName(data);
  if (name === "Float32Array") return data as Float32Array;
  if (scale !== undefined) return dequantise(data as ArrayLike<number>, scale, zeroPoint);
  if (name === "Uint16Array" && (type ?? "float16") === "float16") return halvesToFloat32(data);
  return Float32Array.from(data as ArrayLike<number | bigint>, Number);
}

/** bfloat16 is the upper half of float32. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (upper) => upper << 16).buffer);
}
