/**
 * The safetensors format: the length of the header in 8 bytes, the header as JSON, then the values.
 */
import type { HostTensor } from "../../types.ts";
import { UsageError } from "../errors.ts";
import type { TensorFile } from "./tensors.ts";

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Halves are held by their bits. */
const ARRAYS = { F32: Float32Array, F16: Uint16Array, F64: Float64Array } as const;

/** The tensors in the bytes of a file; views of it where alignment allows. */
export function parseSafetensors(bytes: Uint8Array): TensorFile {
  const { header, values } = split(bytes);
  const metadata = readMetadata(header.__metadata__ ?? {});
  const names = Object.keys(header).filter((name) => name !== "__metadata__");
  if (names.length === 0) throw new UsageError("holds no tensors");
  // In the order of the values: the header's own order is not preserved by every writer.
  const start = (name: string) => checkEntry(name, header[name], values.length).data_offsets[0];
  names.sort((a, b) => start(a) - start(b));
  return { names, metadata, read: (name) => readTensor(name, checkEntry(name, header[name], values.length), values) };
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

function readTensor(name: string, { dtype, shape, data_offsets: [from, to] }: Entry, values: Uint8Array): HostTensor {
  if (!isReadable(dtype)) {
    const why = dtype === "I8" || dtype === "U8" ? " (8-bit outputs need a scale, which the format cannot carry)" : "";
    throw new UsageError(`${name} is ${dtype}; wanted F32, F16 or F64${why}`);
  }
  const Values = ARRAYS[dtype];
  const length = shape.reduce((product, n) => product * n, 1);
  const bytes = values.subarray(from, to);
  if (bytes.length !== length * Values.BYTES_PER_ELEMENT) {
    throw damaged(`${name} has ${bytes.length} bytes for shape (${shape.join(", ")}) of ${dtype}`);
  }
  const { buffer, byteOffset } = bytes.byteOffset % Values.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  return { data: new Values(buffer as ArrayBuffer, byteOffset, length), dims: shape };
}

function isReadable(dtype: string): dtype is keyof typeof ARRAYS {
  return Object.hasOwn(ARRAYS, dtype);
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
