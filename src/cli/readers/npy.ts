/**
 * NumPy's .npy format, read by npyjs; what that does not check is checked here.
 */
import { type NpyArray, parse } from "npyjs";
import type { DataArray, HostTensor } from "../../types.ts";
import { reason, UsageError } from "../errors.ts";

const NAMES: Readonly<Record<string, string>> = { i1: "int8", u1: "uint8", i4: "int32", i8: "int64", b1: "bool" };

/** The tensor in the bytes of a .npy file. */
export function parseNpy(bytes: Uint8Array): HostTensor {
  const { data, shape, dtype, fortranOrder } = parseArray(bytes);
  if (!["f2", "f4", "f8"].includes(dtype)) {
    const why = dtype === "i1" || dtype === "u1" ? " (8-bit outputs need a scale, which .npy cannot carry)" : "";
    throw new UsageError(`holds ${NAMES[dtype] ?? dtype}; wanted float32, float16 or float64${why}`);
  }
  if (fortranOrder) throw new UsageError("is in Fortran order; wanted C order (numpy.ascontiguousarray makes it so)");
  const values = shape.reduce((product, n) => product * n, 1);
  if (data.length !== values) {
    throw new UsageError(`holds ${data.length} values; its shape (${shape.join(", ")}) wants ${values}`);
  }
  return { data, dims: shape };
}

/** Half floats stay bits, which the library reads as they are. */
function parseArray(bytes: Uint8Array): NpyArray<DataArray> {
  try {
    return parse(wholeBuffer(bytes), { convertFloat16: false }) as NpyArray<DataArray>;
  } catch (error) {
    throw new UsageError(`is no readable .npy file (${reason(error)})`);
  }
}

function wholeBuffer({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer {
  const whole = byteOffset === 0 && byteLength === buffer.byteLength;
  return (whole ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)) as ArrayBuffer;
}
