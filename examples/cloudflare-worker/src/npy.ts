/**
 * NumPy's .npy format, versions 1 to 3: a header in Python's notation, then the values.
 */
import { badRequest, type Problem } from "./problem.ts";
import { shapeOf, type Tensor, type Tensors } from "./tensors.ts";

/** Types that are read, little-endian as every network writes them. */
const ARRAYS = { "<f2": Uint16Array, "<f4": Float32Array, "<f8": Float64Array } as const;
const DTYPES = { "<f2": "F16", "<f4": "F32", "<f8": "F64" } as const satisfies Record<string, Tensor["dtype"]>;
type Descr = keyof typeof ARRAYS;

const MAX_HEADER = 64 * 1024;

/** The one tensor in the bytes of a file, under the name "npy". Nothing is read of values whose type is not known. */
export function readNpy(bytes: Uint8Array<ArrayBuffer>): Tensors {
  const { header, start } = split(bytes);
  const descr = field(header, "descr", /'([^']*)'/);
  if (!Object.hasOwn(ARRAYS, descr)) throw damaged(`it holds ${descr}; wanted ${Object.keys(ARRAYS).join(", ")}`);
  if (field(header, "fortran_order", /(True|False)/) === "True") {
    throw damaged("it is in Fortran order; wanted C order (numpy.ascontiguousarray makes it so)");
  }
  const dims = field(header, "shape", /\(([\d, ]*)\)/).split(",").filter((text) => text.trim() !== "").map(Number);
  const Values = ARRAYS[descr as Descr];
  const length = dims.reduce((product, n) => product * n, 1);
  const wanted = length * Values.BYTES_PER_ELEMENT;
  if (bytes.length - start !== wanted) {
    throw damaged(`${bytes.length - start} bytes follow its header; shape ${shapeOf(dims)} of ${descr} has ${wanted}`);
  }
  const { buffer } = bytes.slice(start);
  return new Map([["npy", { dtype: DTYPES[descr as Descr], data: new Values(buffer, 0, length), dims }]]);
}

function split(bytes: Uint8Array<ArrayBuffer>): { header: string; start: number } {
  const isNpy = bytes[0] === 0x93 && String.fromCharCode(...bytes.subarray(1, 6)) === "NUMPY";
  if (!isNpy || bytes.length < 12) throw damaged("it does not begin as one");
  const version = bytes[6];
  if (version < 1 || version > 3) throw damaged(`its version is ${version}; wanted 1 to 3`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [length, begin] = version === 1 ? [view.getUint16(8, true), 10] : [view.getUint32(8, true), 12];
  if (length > MAX_HEADER) throw damaged(`its header has ${length} bytes; wanted at most ${MAX_HEADER}`);
  const start = begin + length;
  if (start > bytes.length) throw damaged(`its header has ${length} bytes, of ${bytes.length} in all`);
  return { header: new TextDecoder().decode(bytes.subarray(begin, start)), start };
}

/** The value of a member of the header's dictionary. */
function field(header: string, name: string, value: RegExp): string {
  const found = new RegExp(`['"]${name}['"]\\s*:\\s*${value.source}`).exec(header);
  if (found === null) throw damaged(`its header has no ${name} that can be read`);
  return found[1];
}

function damaged(how: string): Problem {
  return badRequest("body", `the body is no .npy file that can be read: ${how}`);
}
