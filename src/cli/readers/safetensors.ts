/**
 * The safetensors format: the length of the header in 8 bytes, the header as JSON, then the values.
 */
import type { HostTensor } from "../../types.ts";
import { UsageError } from "../errors.ts";
import { toLabels } from "./npy.ts";
import type { TensorFile } from "./tensor_file.ts";

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Halves are held by their bits. */
const ARRAYS = { F32: Float32Array, F16: Uint16Array, F64: Float64Array } as const;

const LABELS = {
  I8: Int8Array,
  U8: Uint8Array,
  I16: Int16Array,
  U16: Uint16Array,
  I32: Int32Array,
  U32: Uint32Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
} as const;

/** A file that may hold labels too. */
export interface Safetensors extends TensorFile {
  read(name: string): HostTensor;
  /** Reads integers as labels. */
  readLabels(name: string): Int32Array;
}

/** The tensors in the bytes of a file; views of it where alignment allows. */
export function parseSafetensors(bytes: Uint8Array): Safetensors {
  const { header, values } = split(bytes);
  const metadata = readMetadata(header.__metadata__ ?? {});
  const names = Object.keys(header).filter((name) => name !== "__metadata__");
  if (names.length === 0) throw new UsageError("holds no tensors");
  // In the order of the values: the header's own order is not preserved by every writer.
  const start = (name: string) => checkEntry(name, header[name], values.length).data_offsets[0];
  names.sort((a, b) => start(a) - start(b));
  const entry = (name: string) => checkEntry(name, header[name], values.length);
  return {
    names,
    metadata,
    read: (name) => readTensor(name, entry(name), values),
    readLabels: (name) => readIntegers(name, entry(name), values),
  };
}

function split(bytes: Uint8Array): { header: Record<string, unknown>; values: Uint8Array } {
  if (bytes.length < 8) throw damaged(`it has ${bytes.length} bytes`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > bytes.length - 8) throw damaged("its header is longer than the file");
  const values = bytes.subarray(8 + length);
  try {
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    if (isObject(header)) return { header, values };
  } catch {
    // Told below.
  }
  throw damaged("its header is no JSON object");
}

function readMetadata(value: unknown): Map<string, string> {
  if (isObject(value) && Object.values(value).every((text) => typeof text === "string")) {
    return new Map(Object.entries(value) as [string, string][]);
  }
  throw damaged("__metadata__ is no map of texts");
}

function checkEntry(name: string, entry: unknown, bytes: number): Entry {
  const { dtype, shape, data_offsets: offsets } = isObject(entry) ? entry : {};
  if (typeof dtype !== "string" || !isIntegers(shape) || !isIntegers(offsets) || offsets.length !== 2) {
    throw damaged(`the entry of ${name} lacks dtype, shape or data_offsets`);
  }
  const [from, to] = offsets;
  if (from > to || to > bytes) throw damaged(`${name} is at bytes ${from} to ${to} of ${bytes}`);
  return { dtype, shape, data_offsets: [from, to] };
}

function readTensor(name: string, entry: Entry, values: Uint8Array): HostTensor {
  const { dtype, shape } = entry;
  if (!isKey(ARRAYS, dtype)) {
    const why = dtype === "I8" || dtype === "U8" ? " (8-bit outputs need a scale, which the format cannot carry)" : "";
    throw new UsageError(`${name} is ${dtype}; wanted F32, F16 or F64${why}`);
  }
  const Values = ARRAYS[dtype];
  const [length, bytes] = contents(name, entry, values, Values.BYTES_PER_ELEMENT);
  return { data: new Values(bytes.buffer, bytes.byteOffset, length), dims: shape };
}

function readIntegers(name: string, entry: Entry, values: Uint8Array): Int32Array {
  const { dtype } = entry;
  if (!isKey(LABELS, dtype)) throw new UsageError(`${name} is ${dtype}; wanted integers, such as I64`);
  const Values = LABELS[dtype];
  const [length, bytes] = contents(name, entry, values, Values.BYTES_PER_ELEMENT);
  return toLabels(new Values(bytes.buffer, bytes.byteOffset, length));
}

/** How many elements, and their bytes, aligned. */
function contents(
  name: string,
  { dtype, shape, data_offsets: [from, to] }: Entry,
  values: Uint8Array,
  size: number,
): [number, Uint8Array<ArrayBuffer>] {
  const length = shape.reduce((product, n) => product * n, 1);
  const bytes = values.subarray(from, to);
  if (bytes.length !== length * size) {
    throw damaged(`${name} has ${bytes.length} bytes for shape (${shape.join(", ")}) of ${dtype}`);
  }
  return [length, bytes.byteOffset % size === 0 ? bytes as Uint8Array<ArrayBuffer> : new Uint8Array(bytes)];
}

function isKey<T extends object>(table: T, key: PropertyKey): key is keyof T {
  return Object.hasOwn(table, key);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isIntegers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function damaged(how: string): UsageError {
  return new UsageError(`is no whole .safetensors file: ${how}`);
}
