/**
 * The kernels and their memory, and how host data gets there: chunk by chunk, converted to float32 on the way.
 */
import { instantiateSync } from "@assemblyscript/loader";
import type { instantiate } from "../../build/densehead.d.ts";
import { type HostArray, isWhole, type OutArray, ownArray, type PlainArray, section, valuesOf } from "../arrays.ts";
import { type Kind, type Source, typeError } from "../validate.ts";
import { type Block, LinearMemory } from "./memory.ts";

/** The exports of the compiled kernels, typed by the compiler itself. */
export type Kernels = Awaited<ReturnType<typeof instantiate>>;

/** Bytes of host data that are in linear memory at a time; about half a second-level cache. */
const CHUNK_BYTES = 256 * 1024;
/** Room beyond a chunk for vectors that reach past its end and for raw data being converted. */
const SLACK = 128;

/**
 * Picking a value in JavaScript costs about 2.4 ns, copying one 0.25 ns and picking it in a kernel 0.8 ns: copying a whole
 * span pays up to this many columns for each one that is wanted. To begin a row's copy costs as much as copying 120 more.
 */
const SPAN_PER_COLUMN = 6;
const SPAN_START = 120;

/** A part of a tensor as rows: row r starts at element start + r · pitch. */
export interface Rows {
  readonly start: number;
  readonly pitch: number;
  readonly rows: number;
  readonly columns: number;
}

/** Float32 rows in linear memory; `stride` in bytes. */
export interface StagedRows {
  readonly pointer: number;
  readonly stride: number;
}

export class WasmBackend {
  readonly module: WebAssembly.Module;
  readonly kernels: Kernels;
  readonly memory: LinearMemory;
  /** Whether this is the build that fuses products into sums. */
  readonly relaxed: boolean;
  /** Floats of one chunk: smaller where little memory is allowed. */
  readonly chunk: number;

  constructor(module: WebAssembly.Module, maxMemory: number) {
    this.module = module;
    this.kernels = instantiateSync<Kernels>(module, {}).exports as unknown as Kernels;
    this.memory = new LinearMemory(this.kernels.memory, this.kernels.heap_base(), maxMemory);
    this.relaxed = this.kernels.relaxed_simd() === 1;
    const share = Math.floor(this.memory.available / 16);
    this.chunk = Math.max(1024, Math.min(CHUNK_BYTES, share)) >> 2;
  }

  /** Bytes of a staging area that `stage` can fill with that many floats. */
  stagingBytes(floats: number): number {
    return floats * 4 + SLACK;
  }

  /** Pointer to an array that lies in linear memory, else 0. */
  pointerOf({ place, data, length, byteOffset }: HostArray): number {
    if (length === 0 || !this.memory.owns(data.buffer)) return 0;
    if (this.memory.tensorAround(byteOffset, length * data.BYTES_PER_ELEMENT) !== null) return byteOffset;
    throw typeError(place, "in linear memory, where no tensor is", "data of a tensor that was not disposed");
  }

  /** The values of an array where they lie now. */
  values<A extends PlainArray>(array: HostArray<A>): A {
    const pointer = this.pointerOf(array);
    if (pointer === 0) return valuesOf(array);
    if (isWhole(array)) return array.data;
    const Plain = array.data.constructor as new (buffer: ArrayBufferLike, start: number, length: number) => A;
    return this.memory.view(Plain, pointer, array.length);
  }

  /** A copy outside of linear memory. */
  copyOf<S extends HostArray>(source: S): S {
    return { ...source, ...ownArray(source.place, this.values(source).slice()) };
  }

  /** The tensor that the array is of, if it lies in linear memory. */
  blockOf({ data, length, byteOffset }: HostArray): Block | null {
    if (length === 0 || !this.memory.owns(data.buffer)) return null;
    return this.memory.tensorAround(byteOffset, length * data.BYTES_PER_ELEMENT);
  }

  /** The array as it was given, unless growth of the memory has emptied it. */
  handedBack<A extends PlainArray>(array: OutArray<A>): A {
    return isWhole(array) ? array.given : this.values(array);
  }

  /** Pointer to the source's values if they lie in linear memory as float32 already, else 0. */
  resident(source: Source): number {
    return source.kind === "f32" ? this.pointerOf(source) : 0;
  }

  /** Elements [start, start + length) as float32: where they lie, or copied and converted into `staging`. */
  stage(source: Source, start: number, length: number, staging: number): number {
    const resident = this.resident(source);
    if (resident !== 0) return resident + start * 4;
    const { raw, at } = this.#rawPlace(source, staging, length);
    raw.set(section(this.values(source), start, length) as never, at);
    this.#convert(source, staging, length);
    return staging;
  }

  /** Every `step`-th element from `start` on as float32 at `dst`, so many of them, with room for staging. */
  pick(source: Source, start: number, step: number, count: number, dst: number): void {
    const { raw, at } = this.#rawPlace(source, dst, count);
    const values = this.values(source);
    if (step === 1) raw.set(section(values, start, count) as never, at);
    else for (let i = 0; i < count; i++) raw[at + i] = values[start + i * step];
    this.#convert(source, dst, count);
  }

  /** Rows as float32: where they lie, or copied into `staging` with rows padded to 16 floats. */
  stageRows(source: Source, rows: Rows, staging: number): StagedRows {
    const resident = this.resident(source);
    if (resident !== 0) return { pointer: resident + rows.start * 4, stride: rows.pitch * 4 };
    if (rows.pitch === rows.columns) {
      const pointer = this.stage(source, rows.start, rows.rows * rows.pitch, staging);
      return { pointer, stride: rows.pitch * 4 };
    }
    const pitch = paddedColumns(rows.columns);
    const { raw, at } = this.#rawPlace(source, staging, rows.rows * pitch);
    const values = this.values(source);
    for (let row = 0; row < rows.rows; row++) {
      const from = rows.start + row * rows.pitch;
      raw.set(values.subarray(from, from + rows.columns) as never, at + row * pitch);
    }
    this.#convert(source, staging, rows.rows * pitch);
    return { pointer: staging, stride: pitch * 4 };
  }

  /** dst (rows, count): the listed columns of the part, `first` subtracted from the list. */
  gatherColumns(source: Source, part: Rows, list: number, count: number, first: number, dst: number): void {
    const resident = this.resident(source);
    if (resident !== 0) {
      const from = resident + (part.start - first) * 4;
      this.kernels.gather_channels(from, part.pitch * 4, part.rows, list, count, dst);
      return;
    }
    const { ints } = this.memory;
    const span = count === 0 ? 0 : ints[(list >> 2) + count - 1] - ints[list >> 2] + 1;
    if (span + SPAN_START <= count * SPAN_PER_COLUMN && span <= this.chunk) {
      const start = part.start + ints[list >> 2] - first;
      this.#gatherFromSpan(source, { ...part, start, columns: span }, list, count, ints[list >> 2], dst);
      return;
    }
    const { raw, at } = this.#rawPlace(source, dst, part.rows * count);
    copyColumns(this.values(source), part, { ints, start: list >> 2, count }, first, raw, at);
    this.#convert(source, dst, part.rows * count);
  }

  /** Copies all columns from the first to the last listed one through staging, and lets the kernel pick. */
  #gatherFromSpan(source: Source, span: Rows, list: number, count: number, first: number, dst: number): void {
    const pitch = paddedColumns(span.columns);
    const rowsAtOnce = Math.min(span.rows, Math.max(1, Math.floor(this.chunk / pitch)));
    this.memory.frame("gather", (allocate) => {
      const staging = allocate(this.stagingBytes(rowsAtOnce * pitch));
      for (let row = 0; row < span.rows; row += rowsAtOnce) {
        const rows = Math.min(rowsAtOnce, span.rows - row);
        const staged = this.stageRows(source, { ...span, start: span.start + row * span.pitch, rows }, staging);
        const to = dst + row * count * 4;
        this.kernels.gather_channels(staged.pointer - first * 4, staged.stride, rows, list, count, to);
      }
    });
  }

  /** dst (count, columns): the listed rows of the part. */
  gatherRows(source: Source, part: Rows, list: number, count: number, first: number, dst: number): void {
    const resident = this.resident(source);
    if (resident !== 0) {
      const from = resident + (part.start - first * part.pitch) * 4;
      this.kernels.gather_rows(from, part.pitch * 4, part.columns, list, count, dst);
      return;
    }
    const { raw, at } = this.#rawPlace(source, dst, part.columns * count);
    copyRows(this.values(source), part, { ints: this.memory.ints, start: list >> 2, count }, first, raw, at);
    this.#convert(source, dst, part.columns * count);
  }

  /**
   * Where raw values go before conversion: at the end of `staging`, so that the kernels can widen them forwards in place. Floats
   * need no view of their own.
   */
  #rawPlace({ kind }: Source, staging: number, length: number): { raw: Values; at: number } {
    const Raw = RAW[kind as keyof typeof RAW];
    if (Raw === undefined) return { raw: this.memory.floats, at: staging >> 2 };
    return {
      raw: this.memory.view<Values>(
        Raw as Int8ArrayConstructor,
        rawStart(staging, length, Raw.BYTES_PER_ELEMENT),
        length,
      ),
      at: 0,
    };
  }

  #convert({ kind, scale, zeroPoint }: Source, staging: number, length: number): void {
    const Raw = RAW[kind as keyof typeof RAW];
    if (Raw === undefined) return;
    const raw = rawStart(staging, length, Raw.BYTES_PER_ELEMENT);
    if (kind === "f16") this.kernels.convert_f16(raw, staging, length);
    else this.kernels[`convert_${kind as Quantised}`](raw, staging, length, scale, zeroPoint);
  }
}

type Quantised = "i8" | "u8" | "i16" | "u16";

/** What is converted in linear memory, as it comes. */
const RAW = {
  f16: Uint16Array,
  i16: Int16Array,
  u16: Uint16Array,
  i8: Int8Array,
  u8: Uint8Array,
} as const satisfies Partial<Record<Kind, unknown>>;

export function paddedColumns(columns: number): number {
  return Math.ceil(columns / 16) * 16;
}

/** Raw values end 64 bytes after the floats that they become. */
function rawStart(staging: number, length: number, bytesEach: number): number {
  return staging + length * 4 + 64 - length * bytesEach;
}

type Values = Source["data"];

/** A list of rows or columns in linear memory. */
interface Listed {
  readonly ints: Int32Array;
  readonly start: number;
  readonly count: number;
}

/** Eight rows at once, so that their cache misses overlap: 2 ns for each value; four at once take a fifth longer, one alone twice as long. */
function copyColumns(src: Values, part: Rows, list: Listed, first: number, dst: Values, at: number): void {
  const { ints, start, count } = list;
  const { pitch, rows } = part;
  let row = 0;
  for (; row + 8 <= rows; row += 8) {
    const from = part.start + row * pitch - first;
    const to = at + row * count;
    for (let i = 0; i < count; i++) {
      const read = from + ints[start + i];
      const write = to + i;
      dst[write] = src[read];
      dst[write + count] = src[read + pitch];
      dst[write + 2 * count] = src[read + 2 * pitch];
      dst[write + 3 * count] = src[read + 3 * pitch];
      dst[write + 4 * count] = src[read + 4 * pitch];
      dst[write + 5 * count] = src[read + 5 * pitch];
      dst[write + 6 * count] = src[read + 6 * pitch];
      dst[write + 7 * count] = src[read + 7 * pitch];
    }
  }
  for (; row + 4 <= rows; row += 4) {
    const from = part.start + row * pitch - first;
    const to = at + row * count;
    for (let i = 0; i < count; i++) {
      const read = from + ints[start + i];
      const write = to + i;
      dst[write] = src[read];
      dst[write + count] = src[read + pitch];
      dst[write + 2 * count] = src[read + 2 * pitch];
      dst[write + 3 * count] = src[read + 3 * pitch];
    }
  }
  for (; row < rows; row++) {
    const from = part.start + row * pitch - first;
    for (let i = 0; i < count; i++) dst[at + row * count + i] = src[from + ints[start + i]];
  }
}

/** Neighbouring rows at once, where a row is all of its pitch. */
function copyRows(src: Values, part: Rows, list: Listed, first: number, dst: Values, at: number): void {
  const { ints, start, count } = list;
  const { columns, pitch } = part;
  let to = at;
  for (let i = 0; i < count;) {
    const row = ints[start + i];
    let run = 1;
    while (pitch === columns && i + run < count && ints[start + i + run] === row + run) run++;
    const from = part.start + (row - first) * pitch;
    const length = run * columns;
    if (length > SPAN_START) dst.set(src.subarray(from, from + length) as never, to);
    else for (let k = 0; k < length; k++) dst[to + k] = src[from + k];
    to += length;
    i += run;
  }
}
