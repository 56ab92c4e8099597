/**
 * NumPy's .npy format.
 */
import { float16ToFloat32 } from "npyjs";
import type { DataArray, HostTensor } from "../../types.ts";
import { reason, UsageError } from "../errors.ts";
import { type NpyHeader, readNpyHeader } from "./npy_header.ts";

/** Values of networks; half floats stay bits, which the library reads as they are. */
const FLOATS = { "<f2": Uint16Array, "<f4": Float32Array, "<f8": Float64Array } as const;

const INTEGERS = {
  "|i1": Int8Array,
  "|u1": Uint8Array,
  "<i2": Int16Array,
  "<u2": Uint16Array,
  "<i4": Int32Array,
  "<u4": Uint32Array,
  "<i8": BigInt64Array,
  "<u8": BigUint64Array,
} as const;

const KINDS: Readonly<Record<string, string>> = { b: "bool", c: "complex", f: "float", i: "int", u: "uint" };

/** The tensor in the bytes of a .npy file. */
export function parseNpy(bytes: Uint8Array): HostTensor {
  const header = headerOf(bytes);
  const { dtype, shape } = header;
  if (!isKey(FLOATS, dtype)) {
    const why = dtype === "|i1" || dtype === "|u1" ? " (8-bit outputs need a scale, which .npy cannot carry)" : "";
    throw new UsageError(`holds ${nameOf(dtype)}; wanted float32, float16 or float64${why}`);
  }
  return { data: valuesOf<DataArray>(bytes, header, FLOATS[dtype]), dims: shape };
}

/** The integers in the bytes of a .npy file, as labels. */
export function parseNpyLabels(bytes: Uint8Array): Int32Array {
  const header = headerOf(bytes);
  const { dtype } = header;
  if (!isKey(INTEGERS, dtype)) throw new UsageError(`holds ${nameOf(dtype)}; wanted integers, such as int64`);
  return toLabels(valuesOf<ArrayLike<number | bigint>>(bytes, header, INTEGERS[dtype]));
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

function headerOf(bytes: Uint8Array): NpyHeader {
  try {
    return readNpyHeader(bytes);
  } catch (error) {
    throw new UsageError(`is no readable .npy file (${reason(error)})`);
  }
}

interface ArrayType<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): T;
}

/** A view of the values, or of a copy where they are not aligned. */
function valuesOf<T>(bytes: Uint8Array, { dtype, fortranOrder, shape, start }: NpyHeader, Values: ArrayType<T>): T {
  if (fortranOrder) throw new UsageError("is in Fortran order; wanted C order (numpy.ascontiguousarray makes it so)");
  const wanted = shape.reduce((product, n) => product * n, 1);
  const size = Values.BYTES_PER_ELEMENT;
  const held = (bytes.length - start) / size;
  if (!Number.isInteger(held)) {
    throw new UsageError(
      `is no readable .npy file (${bytes.length - start} bytes are no whole ${nameOf(dtype)} values)`,
    );
  }
  if (held !== wanted) throw new UsageError(`holds ${held} values; its shape (${shape.join(", ")}) wants ${wanted}`);
  const aligned = (bytes.byteOffset + start) % size === 0 ? bytes.subarray(start) : bytes.slice(start);
  return new Values(aligned.buffer as ArrayBuffer, aligned.byteOffset, held);
}

/** "<f4" → "float32"; what has no such name stays. */
function nameOf(dtype: string): string {
  const [, order, kind, size] = /^([<>|=]?)([bcfiu])(\d{1,2})$/.exec(dtype) ?? [];
  if (kind === undefined) return `dtype ${JSON.stringify(dtype)}`;
  const bits = kind === "b" ? "" : String(8 * Number(size));
  return `${order === ">" ? "big-endian " : ""}${KINDS[kind]}${bits}`;
}

function isKey<T extends object>(table: T, key: PropertyKey): key is keyof T {
  return Object.hasOwn(table, key);
}
