/**
 * NumPy's .npy format, read by npyjs; what that does not check is checked here.
 */
import { type NpyArray, parse } from "npyjs";
import { badRequest, type Problem } from "./problem.ts";
import { shapeOf, type Tensor, type Tensors } from "./tensors.ts";

const DTYPES: Readonly<Record<string, Tensor["dtype"]>> = { f2: "F16", f4: "F32", f8: "F64" };

/** The one tensor in the bytes of a file, under the name "npy". */
export function readNpy(bytes: Uint8Array<ArrayBuffer>): Tensors {
  const { data, dtype, shape, fortranOrder } = parseArray(bytes);
  if (!Object.hasOwn(DTYPES, dtype)) throw damaged(`it holds ${dtype}; wanted f2, f4 or f8`);
  if (fortranOrder) throw damaged("it is in Fortran order; wanted C order (numpy.ascontiguousarray makes it so)");
  const length = shape.reduce((product, n) => product * n, 1);
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0) || length !== data.length) {
    throw damaged(`it holds ${data.length} values for shape ${shapeOf(shape)}`);
  }
  return new Map([["npy", { dtype: DTYPES[dtype], data, dims: shape }]]);
}

/** Half floats stay bits, which densehead reads as they are. */
function parseArray(bytes: Uint8Array<ArrayBuffer>): NpyArray<Float32Array | Float64Array | Uint16Array> {
  const { buffer } = bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice();
  try {
    return parse(buffer, { convertFloat16: false }) as NpyArray<Float32Array | Float64Array | Uint16Array>;
  } catch (error) {
    throw damaged(error instanceof Error ? error.message : String(error));
  }
}

function damaged(how: string): Problem {
  return badRequest("body", `the body is no .npy file that can be read: ${how}`);
}
