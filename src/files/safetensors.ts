/**
 * The safetensors format: the length of the header in 8 bytes, the header as JSON, then the values.
 */
import { describe, number, options as checkOptions, shapeOf, typeError } from "../validate.ts";
import { ELEMENT_TYPES, elementTypeCalled, formatOf } from "./element_types.ts";
import { entriesOf, type Named } from "./named.ts";
import {
  bytesOf,
  type FileBytes,
  type FileTensor,
  isExtents,
  valuesAt,
  type WritableTensor,
  type WrittenFile,
  writtenTensor,
} from "./tensor.ts";
import { bfloat16ToFloat32 } from "./values.ts";

/** The tensors of a .safetensors file, and what it says of itself. */
export interface Safetensors {
  /** By name, in the order of their values. */
  readonly tensors: ReadonlyMap<string, FileTensor>;
  /** The member `__metadata__` of the header. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Limits of what `readSafetensors` takes. */
export interface SafetensorsOptions {
  /** Bytes of the header. Default 100 000 000, that of the format's own implementation. */
  readonly maxHeader?: number;
}

const MAX_HEADER = 100_000_000;

/**
 * The tensors in the bytes of a .safetensors file, and its metadata. The whole header is checked, so that files may come from
 * anybody: values follow each other without overlap or hole, from the end of the header to the end of the file.
 *
 * - Shapes: any. The data are views of the bytes where those are aligned, else copies.
 * - Types: F32, F16 (as half bits), F64, BF16 (as float32, exactly), integers of 8 to 64 bits, BOOL.
 * - Throws: TypeError if the header is no JSON object, an entry lacks dtype, shape or data_offsets or has another dtype, or
 *   metadata are other than texts. RangeError if the header is longer than the file or than `maxHeader`, or offsets are
 *   outside the file, overlap, leave a hole, or do not fit the shape.
 * - Defaults: `maxHeader` 100 000 000 bytes, as in the format's own implementation.
 * - Source: https://github.com/huggingface/safetensors#format
 *
 * @example
 * ```ts
 * import { readSafetensors, writeSafetensors } from "densehead/files";
 *
 * const scores = { data: Float32Array.of(0.25, 0.5), dims: [1, 2] };
 * const { tensors, metadata } = readSafetensors(writeSafetensors({ scores }, { classes: "circle,square" }));
 * console.log(tensors.get("scores")); // → { data: [0.25, 0.5], dims: [1, 2], type: "float32" }
 * console.log(metadata.get("classes")); // → "circle,square"
 * ```
 */
export function readSafetensors(file: FileBytes, options?: SafetensorsOptions): Safetensors {
  const op = "readSafetensors";
  const bytes = bytesOf(op, file);
  const { maxHeader = MAX_HEADER } = checkOptions(op, options, ["maxHeader"]);
  number({ op, argument: "options.maxHeader" }, maxHeader, 0);
  const { header, start } = readHeader(bytes, maxHeader);
  const { __metadata__: said = {}, ...named } = header;
  const metadata = readMetadata(said);
  const entries = Object.entries(named).map(([name, entry]) => readEntry(name, entry, bytes.length - start));
  // A tensor without values begins where the next does.
  entries.sort((a, b) => a.from - b.from || a.to - b.to);
  checkContiguous(entries, bytes.length - start);
  return { tensors: new Map(entries.map((entry) => [entry.name, readTensor(entry, bytes, start)])), metadata };
}

/**
 * The bytes of a .safetensors file with the tensors in it, and what `metadata` says of them. Values stand in the order given,
 * those of larger elements first, so that all are aligned.
 *
 * - Shapes: any. Without a `type`, that of the array; a `Uint16Array` then holds half bits.
 * - Throws: TypeError if data, dims or type of a tensor are of another kind, or do not fit each other, or there is a scale or
 *   zeroPoint, which the format cannot hold; if metadata are other than texts; if a tensor is called `__metadata__`.
 * - Source: https://github.com/huggingface/safetensors#format
 *
 * @example
 * ```ts
 * import { readSafetensors, writeSafetensors } from "densehead/files";
 *
 * const cls_s8 = { data: new Float32Array(1600), dims: [1, 4, 20, 20] };
 * const labels = { data: Int32Array.of(2, 0), dims: [2] };
 * const { tensors } = readSafetensors(writeSafetensors({ cls_s8, labels }));
 * console.log([...tensors.keys()], tensors.get("labels")?.type); // → ["cls_s8", "labels"], "int32"
 * ```
 */
export function writeSafetensors(tensors: Named<WritableTensor>, metadata?: Named<string>): WrittenFile {
  const op = "writeSafetensors";
  const written = entriesOf(op, "tensors", tensors).map(([name, tensor]) => {
    if (name === METADATA) throw typeError({ op, argument: "tensors" }, `with a tensor ${METADATA}`, "another name");
    return { name, ...writtenTensor(op, `tensors.${name}`, tensor) };
  });
  const size = ({ type }: { type: FileTensor["type"] }) => formatOf(type).Values.BYTES_PER_ELEMENT;
  written.sort((a, b) => size(b) - size(a));
  const said = entriesOf(op, "metadata", metadata ?? {});
  for (const [name, text] of said) {
    if (typeof text !== "string") throw typeError({ op, argument: `metadata.${name}` }, describe(text), "a string");
  }
  const header: [string, unknown][] = said.length === 0 ? [] : [[METADATA, Object.fromEntries(said)]];
  let end = 0;
  for (const { name, type, dims, bytes } of written) {
    const offsets = [end, end += bytes.length];
    header.push([name, { dtype: formatOf(type).safetensors, shape: dims, data_offsets: offsets }]);
  }
  return joined(JSON.stringify(Object.fromEntries(header)), written.map(({ bytes }) => bytes), end);
}

const METADATA = "__metadata__";

/** The header is padded by spaces, so that values begin at a multiple of 8. */
function joined(header: string, values: readonly Uint8Array[], length: number): WrittenFile {
  const text = new TextEncoder().encode(header);
  const start = 8 + 8 * Math.ceil(text.length / 8);
  const file = new Uint8Array(start + length).fill(0x20, 8, start);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true);
  file.set(text, 8);
  let end = start;
  for (const bytes of values) {
    file.set(bytes, end);
    end += bytes.length;
  }
  return file;
}

// ── Reading ─────────────────────────────────────────────────────────────────────

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Of its bytes among the values. */
  readonly from: number;
  readonly to: number;
}

function readHeader(bytes: Uint8Array, maxHeader: number): { header: Record<string, unknown>; start: number } {
  if (bytes.length < 8) throw new TypeError(damaged(`it has ${bytes.length} bytes`));
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > bytes.length - 8) {
    throw new RangeError(damaged(`its header is longer than the file: ${length} bytes of ${bytes.length}`));
  }
  if (length > maxHeader) throw new RangeError(damaged(`its header has ${length} bytes; wanted at most ${maxHeader}`));
  const start = 8 + Number(length);
  const header = parseJson(bytes.slice(8, start));
  if (!isObject(header)) throw new TypeError(damaged("its header is no JSON object"));
  return { header, start };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function readMetadata(value: unknown): Map<string, string> {
  if (isObject(value) && Object.values(value).every((text) => typeof text === "string")) {
    return new Map(Object.entries(value) as [string, string][]);
  }
  throw new TypeError(damaged(`${METADATA} is no map of texts`));
}

function readEntry(name: string, entry: unknown, bytes: number): Entry {
  const { dtype, shape, data_offsets: offsets } = isObject(entry) ? entry : {};
  if (typeof dtype !== "string" || !isExtents(shape) || !isExtents(offsets) || offsets.length !== 2) {
    throw new TypeError(damaged(`tensor ${shown(name)} lacks dtype, shape or data_offsets`));
  }
  const [from, to] = offsets;
  if (from > to || to > bytes) {
    throw new RangeError(damaged(`tensor ${shown(name)} is at bytes ${from} to ${to} of ${bytes}`));
  }
  return { name, dtype, shape, from, to };
}

function checkContiguous(entries: readonly Entry[], bytes: number): void {
  let end = 0;
  for (const { name, from, to } of entries) {
    if (from !== end) {
      throw new RangeError(damaged(`tensor ${shown(name)} begins at byte ${from} of the values; wanted ${end}`));
    }
    end = to;
  }
  if (end !== bytes) throw new RangeError(damaged(`its tensors have ${end} bytes; ${bytes} follow the header`));
}

function readTensor({ name, dtype, shape: dims, from, to }: Entry, bytes: Uint8Array, start: number): FileTensor {
  const type = dtype === "BF16" ? "uint16" : elementTypeCalled("safetensors", dtype);
  if (type === undefined) {
    const known = [...ELEMENT_TYPES.map((each) => formatOf(each).safetensors), "BF16"].join(", ");
    throw new TypeError(`readSafetensors: tensor ${shown(name)} is ${shown(dtype)}; wanted ${known}`);
  }
  const { Values } = formatOf(type);
  const length = dims.reduce((product, n) => product * n, 1);
  if (to - from !== length * Values.BYTES_PER_ELEMENT) {
    const got = `tensor ${shown(name)} has ${to - from} bytes for shape ${shapeOf(dims)} of ${dtype}`;
    throw new RangeError(damaged(got));
  }
  const data = valuesAt(bytes, start + from, length, Values);
  return dtype === "BF16"
    ? { data: bfloat16ToFloat32(data as Uint16Array), dims, type: "float32" }
    : { data, dims, type };
}

/** Letters of a file's own names that go into a message. */
const LONGEST_NAME = 100;

function shown(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function damaged(how: string): string {
  return `readSafetensors: file is no whole .safetensors file: ${how}`;
}
