/**
 * NumPy's .npy format: magic, version, length of the header, a Python dictionary of dtype, order and shape, the values.
 */
import { shapeOf } from "../validate.ts";
import { elementTypeCalled, formatOf } from "./element_types.ts";
import {
  bytesOf,
  type FileBytes,
  type FileTensor,
  valuesAt,
  type WritableTensor,
  type WrittenFile,
  writtenTensor,
} from "./tensor.ts";

/** "\x93NUMPY". */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** How a zip archive begins. */
const ZIP = [0x50, 0x4b];

/** NumPy writes 128 bytes for most arrays; it needs more only for structured dtypes. */
const MAX_HEADER = 65536;

const KINDS: Readonly<Record<string, string>> = { b: "bool", c: "complex", f: "float", i: "int", u: "uint" };

/**
 * The tensor in the bytes of a NumPy .npy file. The header is checked before any value is touched, so that files may come from
 * anybody.
 *
 * - Shapes: any, in C order. The data are a view of the bytes where those are aligned, as NumPy writes them, else a copy.
 * - Types: little-endian float32, float16 (as half bits) and float64, integers of 8 to 64 bits, bool.
 * - Throws: TypeError if the file is none, a .npz archive, in Fortran order, or of another dtype. RangeError if its header is
 *   longer than the file or than 64 KiB, or its values are not as many as the shape has.
 * - Source: NumPy's `numpy.lib.format`, versions 1 to 3.
 *
 * @example
 * ```ts
 * import { readNpy, writeNpy } from "densehead/files";
 *
 * const file = writeNpy({ data: Float32Array.of(1, 2, 3, 4, 5, 6), dims: [2, 3] });
 * console.log(readNpy(file)); // → { data: [1, 2, 3, 4, 5, 6], dims: [2, 3], type: "float32" }
 * ```
 */
export function readNpy(file: FileBytes): FileTensor {
  const bytes = bytesOf("readNpy", file);
  const { dtype, fortranOrder, dims, start } = readHeader(bytes);
  const type = elementTypeCalled("npy", dtype);
  if (type === undefined) {
    throw new TypeError(
      `readNpy: file holds ${nameOf(dtype)}; wanted float32, float16 or float64, or integers, little-endian`,
    );
  }
  if (fortranOrder) {
    throw new TypeError("readNpy: file is in Fortran order; wanted C order (numpy.ascontiguousarray makes it so)");
  }
  const { Values } = formatOf(type);
  const wanted = dims.reduce((product, n) => product * n, 1);
  const held = (bytes.length - start) / Values.BYTES_PER_ELEMENT;
  if (!Number.isInteger(held)) {
    throw new RangeError(unreadable(`${bytes.length - start} bytes are no whole ${type} values`));
  }
  if (held !== wanted) {
    throw new RangeError(`readNpy: file holds ${held} values; its shape ${shapeOf(dims)} wants ${wanted}`);
  }
  return { data: valuesAt(bytes, start, held, Values), dims, type };
}

/**
 * The bytes of a NumPy .npy file with the tensor in it: version 1, byte by byte as NumPy writes it.
 *
 * - Shapes: any. Without a `type`, that of the array; a `Uint16Array` then holds half bits.
 * - Throws: TypeError if data, dims or type are of another kind, or do not fit each other, or there is a scale or zeroPoint,
 *   which the format cannot hold.
 * - Source: NumPy's `numpy.lib.format`, version 1.
 *
 * @example
 * ```ts
 * import { writeNpy } from "densehead/files";
 *
 * const file = writeNpy({ data: Float32Array.of(0.5), dims: [1] });
 * console.log(file.length, new TextDecoder("latin1").decode(file.slice(1, 6))); // → 132, "NUMPY"
 * ```
 */
export function writeNpy(tensor: WritableTensor): WrittenFile {
  const { type, dims, bytes } = writtenTensor("writeNpy", "tensor", tensor);
  // A tuple as Python writes it.
  const shape = dims.length === 1 ? `(${dims[0]},)` : shapeOf(dims);
  const dictionary = `{'descr': '${formatOf(type).npy}', 'fortran_order': False, 'shape': ${shape}, }`;
  // As NumPy does: the values begin at a multiple of 64, after a line break.
  const start = 64 * Math.ceil((10 + dictionary.length + 1) / 64);
  const file = new Uint8Array(start + bytes.length);
  file.set([...MAGIC, 1, 0, (start - 10) & 255, (start - 10) >> 8]);
  file.set(new TextEncoder().encode(`${dictionary.padEnd(start - 11)}\n`), 10);
  file.set(bytes, start);
  return file;
}

interface Header {
  /** NumPy's code, such as "<f4". */
  readonly dtype: string;
  readonly fortranOrder: boolean;
  readonly dims: readonly number[];
  /** Where the values begin. */
  readonly start: number;
}

function readHeader(bytes: Uint8Array): Header {
  const { start, text } = headerText(bytes);
  const [, dtype] = /['"]descr['"]\s*:\s*['"]([^'"]{1,16})['"]/.exec(text) ?? [];
  const [, order] = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text) ?? [];
  const [, extents] = /['"]shape['"]\s*:\s*\(([\d,L\s]*)\)/.exec(text) ?? [];
  if (dtype === undefined) throw new TypeError(unreadable("its header has no simple dtype"));
  if (order === undefined || extents === undefined) {
    throw new TypeError(unreadable("its header has no shape or fortran_order"));
  }
  // Python 2 wrote some extents as 4L.
  const dims = extents.split(",").map((text) => text.replace("L", "").trim()).filter((text) => text !== "").map(Number);
  if (!dims.every(Number.isSafeInteger)) {
    throw new RangeError(unreadable(`its shape is (${extents.slice(0, 80)}); wanted whole numbers`));
  }
  return { dtype, fortranOrder: order === "True", dims, start };
}

function headerText(bytes: Uint8Array): { start: number; text: string } {
  const begins = (magic: readonly number[]) => magic.every((byte, i) => bytes[i] === byte);
  if (begins(ZIP)) {
    throw new TypeError("readNpy: file is a .npz archive; wanted one of the .npy files inside: unzip it");
  }
  if (bytes.length < 12 || !begins(MAGIC)) throw new TypeError(unreadable("Not an .npy file"));
  const version = bytes[6];
  if (version < 1 || version > 3) throw new TypeError(unreadable(`its version is ${version}; wanted 1, 2 or 3`));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [from, length] = version === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  if (length > MAX_HEADER) {
    throw new RangeError(unreadable(`its header has ${length} bytes; wanted at most ${MAX_HEADER}`));
  }
  const start = from + length;
  if (start > bytes.length) throw new RangeError(unreadable("its header is longer than the file"));
  return { start, text: new TextDecoder("latin1").decode(bytes.slice(from, start)) };
}

/** "<c8" → "complex64"; what has no such name stays. */
function nameOf(dtype: string): string {
  const [, order, kind, size] = /^([<>|=]?)([bcfiu])(\d{1,2})$/.exec(dtype) ?? [];
  if (kind === undefined) return `dtype ${JSON.stringify(dtype)}`;
  const bits = kind === "b" ? "" : String(8 * Number(size));
  return `${order === ">" ? "big-endian " : ""}${KINDS[kind]}${bits}`;
}

function unreadable(why: string): string {
  return `readNpy: file is no readable .npy file (${why})`;
}
