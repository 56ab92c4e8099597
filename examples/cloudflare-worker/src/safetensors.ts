/**
 * The safetensors format: the length of the header in 8 bytes, the header as JSON, then the values.
 */
import { badRequest, type Problem } from "./problem.ts";
import { shapeOf, type Tensor, type Tensors } from "./tensors.ts";

const ARRAYS = {
  F16: Uint16Array,
  F32: Float32Array,
  F64: Float64Array,
  I8: Int8Array,
  U8: Uint8Array,
  I16: Int16Array,
  U16: Uint16Array,
  I32: Int32Array,
  U32: Uint32Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
} as const;

/** Heads have some dozens at most. */
const MAX_TENSORS = 64;
const MAX_HEADER = 64 * 1024;

interface Entry {
  readonly name: string;
  readonly dtype: Tensor["dtype"];
  readonly shape: readonly number[];
  readonly from: number;
  readonly to: number;
}

/** The tensors in the bytes of a file; views of them where alignment allows. */
export function readSafetensors(bytes: Uint8Array<ArrayBuffer>): Tensors {
  const { header, values } = split(bytes);
  const named = Object.entries(header).filter(([name]) => name !== "__metadata__");
  if (named.length === 0 || named.length > MAX_TENSORS) {
    throw damaged(`it has ${named.length} tensors; wanted 1 to ${MAX_TENSORS}`);
  }
  const entries = named.map(([name, entry]) => readEntry(name, entry)).sort((a, b) => a.from - b.from || a.to - b.to);
  checkRanges(entries, values.length);
  return new Map(entries.map((entry) => [entry.name, readTensor(entry, values)]));
}

function split(bytes: Uint8Array<ArrayBuffer>): { header: object; values: Uint8Array<ArrayBuffer> } {
  if (bytes.length < 8) throw damaged(`it has ${bytes.length} bytes`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > bytes.length - 8) throw damaged(`its header has ${length} bytes, of ${bytes.length} in all`);
  if (length > MAX_HEADER) throw damaged(`its header has ${length} bytes; wanted at most ${MAX_HEADER}`);
  const start = 8 + Number(length);
  const header = parseJson(new TextDecoder().decode(bytes.subarray(8, start)));
  if (!isObject(header)) throw damaged("its header is no JSON object");
  return { header, values: bytes.subarray(start) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readEntry(name: string, entry: unknown): Entry {
  const { dtype, shape, data_offsets: offsets } = isObject(entry) ? entry : {};
  if (!isCounts(shape)) throw badRequest(name, `tensor ${name}: shape is no list of non-negative integers`);
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw badRequest(name, `tensor ${name}: data_offsets is no pair of ascending non-negative integers`);
  }
  if (typeof dtype !== "string" || !Object.hasOwn(ARRAYS, dtype)) {
    throw badRequest(
      name,
      `tensor ${name}: dtype is ${typeof dtype === "string" ? dtype : typeof dtype}; wanted ${
        Object.keys(ARRAYS).join(", ")
      }`,
    );
  }
  return { name, dtype: dtype as Tensor["dtype"], shape, from: offsets[0], to: offsets[1] };
}

/** Values follow each other without overlaps or holes, to the end of the file. */
function checkRanges(entries: readonly Entry[], bytes: number): void {
  let end = 0;
  for (const { name, from, to } of entries) {
    if (from !== end) throw badRequest(name, `tensor ${name} begins at byte ${from} of the values; wanted ${end}`);
    end = to;
  }
  if (end !== bytes) throw damaged(`its tensors have ${end} bytes; ${bytes} follow the header`);
}

function readTensor({ name, dtype, shape, from, to }: Entry, values: Uint8Array<ArrayBuffer>): Tensor {
  const Values = ARRAYS[dtype];
  const length = shape.reduce((product, n) => product * n, 1);
  if (to - from !== length * Values.BYTES_PER_ELEMENT) {
    throw badRequest(name, `tensor ${name} has ${to - from} bytes for shape ${shapeOf(shape)} of ${dtype}`);
  }
  const bytes = values.subarray(from, to);
  const { buffer, byteOffset } = bytes.byteOffset % Values.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return { dtype, data: new Values(buffer, byteOffset, length), dims: shape };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function damaged(how: string): Problem {
  return badRequest("body", `the body is no whole .safetensors file: ${how}`);
}
