/**
 * NumPy's .npy format, read by npyjs; what that does not check is checked here.
 */
import { float16ToFloat32, type NpyArray, parse } from "npyjs";
import type { DataArray, HostTensor } from "../../types.ts";
import { reason, UsageError } from "../errors.ts";

const NAMES: Readonly<Record<string, string>> = {
  i1: "int8",
  u1: "uint8",
  i4: "int32",
  i8: "int64",
  f2: "float16",
  f4: "float32",
  f8: "float64",
  b1: "bool",
};

const INTEGERS = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"];

/** The tensor in the bytes of a .npy file. */
export function parseNpy(bytes: Uint8Array): HostTensor {
  const { data, shape, dtype, ...layout } = parseArray(bytes);
  if (!["f2", "f4", "f8"].includes(dtype)) {
    const why = dtype === "i1" || dtype === "u1" ? " (8-bit outputs need a scale, which .npy cannot carry)" : "";
    throw new UsageError(`holds ${NAMES[dtype] ?? dtype}; wanted float32, float16 or float64${why}`);
  }
  checkLayout(data.length, shape, layout);
  return { data: data as DataArray, dims: shape };
}

/** The integers in the bytes of a .npy file, as labels. */
export function parseNpyLabels(bytes: Uint8Array): Int32Array {
  const { data, shape, dtype, ...layout } = parseArray(bytes);
  if (!INTEGERS.includes(dtype)) throw new UsageError(`holds ${NAMES[dtype] ?? dtype}; wanted integers, such as int64`);
  checkLayout(data.length, shape, layout);
  return toLabels(data);
}

/** Any integers as int32. Whatever is no class is background, so what is out of range may go to its ends. */
export function toLabels(values: ArrayLike<number | bigint>): Int32Array {
  return Int32Array.from(values, (value) => Math.max(-1, Math.min(Number(value), 2 ** 31 - 1)));
}

/** Values, or half bits, as float32. */
export function toFloat32(values: DataArray): Float32Array {
  if (values instanceof Float32Array) return values;
  return Float32Array.from(values, values instanceof Uint16Array ? float16ToFloat32 : Number);
}

function checkLayout(length: number, shape: readonly number[], { fortranOrder }: { fortranOrder: boolean }): void {
  if (fortranOrder) throw new UsageError("is in Fortran order; wanted C order (numpy.ascontiguousarray makes it so)");
  const values = shape.reduce((product, n) => product * n, 1);
  if (length === values) return;
  throw new UsageError(`holds ${length} values; its shape (${shape.join(", ")}) wants ${values}`);
}

/** Half floats stay bits, which the library reads as they are. */
function parseArray(bytes: Uint8Array): NpyArray<DataArray | BigInt64Array<ArrayBuffer>> {
  try {
    return parse(wholeBuffer(bytes), { convertFloat16: false }) as NpyArray<DataArray | BigInt64Array<ArrayBuffer>>;
  } catch (error) {
    throw new UsageError(`is no readable .npy file (${reason(error)})`);
  }
}

function wholeBuffer({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer {
  const whole = byteOffset === 0 && byteLength === buffer.byteLength;
  return (whole ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)) as ArrayBuffer;
}
