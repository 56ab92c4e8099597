/**
 * Every error a user can see: each names the operation, the argument, what it got and what it wanted.
 */
import type { GpuTensor, HostTensor, TensorLike } from "./types.ts";

/** Storage kinds that kernels read; f64 is narrowed on its way into linear memory. */
export type Kind = "f32" | "f16" | "f64" | "i8" | "u8";

/** A checked tensor. Half floats are held by their bits. */
export interface Source {
  readonly kind: Kind;
  readonly data: Float32Array | Float64Array | Uint16Array | Int8Array | Uint8Array;
  readonly dims: readonly number[];
  readonly scale: number;
  readonly zeroPoint: number;
  /** Taken when checked: should `data` lie in linear memory, growth empties the view but these stay true. */
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
}

/** A checked tensor on the GPU. */
export interface GpuSource {
  readonly kind: "gpu";
  readonly gpuBuffer: GPUBuffer;
  readonly dims: readonly number[];
  /** float16, two values in a word. */
  readonly half: boolean;
}

export type AnySource = Source | GpuSource;

/** Where a value was passed: "nms: boxes". */
export interface Place {
  readonly op: string;
  readonly argument: string;
}

export function typeError({ op, argument }: Place, got: string, wanted: string): TypeError {
  return new TypeError(`${op}: ${argument} is ${got}; wanted ${wanted}`);
}

export function rangeError({ op, argument }: Place, got: unknown, wanted: string): RangeError {
  return new RangeError(`${op}: ${argument} is ${String(got)}; wanted ${wanted}`);
}

export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object") {
    const name = value.constructor?.name ?? "Object";
    return ArrayBuffer.isView(value) && "length" in value ? `${name}(${value.length})` : `an object (${name})`;
  }
  if (typeof value === "function") return "a function";
  return typeof value === "string" ? JSON.stringify(value) : `${typeof value} ${String(value)}`;
}

export function shapeOf(dims: readonly number[]): string {
  return `(${dims.join(", ")})`;
}

const DATA_KINDS = "Float32Array, Float16Array, Float64Array, Uint16Array (half bits), Int8Array or Uint8Array";

type Assume = (length: number) => readonly number[];

/** A host tensor of any storage kind. A bare Float32Array gets the shape `assume` makes of its length. */
export function tensor(place: Place, value: TensorLike, assume: Assume): Source {
  if (typeof value === "object" && value !== null && isOnGpu(value)) throw gpuError(place);
  return onHost(place, tensorAnywhere(place, value, assume));
}

/** Refuses what lies on the GPU. */
export function onHost(place: Place, source: AnySource): Source {
  if (source.kind === "gpu") throw gpuError(place);
  return source;
}

function gpuError(place: Place): TypeError {
  return typeError(place, "a GpuTensor", "host data: operations on WASM do not read GPU buffers");
}

/** A tensor on the host or on the GPU. */
export function tensorAnywhere(place: Place, value: TensorLike, assume: Assume): AnySource {
  if (value instanceof Float32Array) return source(place, value, assume(value.length), 1, 0);
  if (typeof value !== "object" || value === null) {
    throw typeError(place, describe(value), "a Float32Array or an object with data and dims");
  }
  if (isOnGpu(value)) return gpuSource(place, value);
  if (!("data" in value) || !("dims" in value)) {
    throw typeError(place, describe(value), "a Float32Array or an object with data and dims");
  }
  const { data, dims, scale, zeroPoint } = value as HostTensor;
  if (!isShape(dims)) throw typeError(at(place, "dims"), describe(dims), "an array of non-negative integers");
  const elements = elementsOf(dims);
  if (ArrayBuffer.isView(data) && "length" in data && data.length !== elements) {
    throw typeError(place, `${describe(data)} with dims ${shapeOf(dims)}`, `${elements} values`);
  }
  return source(place, data, dims, scale, zeroPoint);
}

/** A tensor of onnxruntime has both members and says where it lies; reading the wrong one would throw. */
function isOnGpu(value: object): value is GpuTensor {
  return "gpuBuffer" in value && (!("data" in value) || ("location" in value && value.location === "gpu-buffer"));
}

/** Of storage buffers: `GPUBufferUsage` is no global everywhere. */
const STORAGE = 0x80;

function gpuSource(place: Place, value: GpuTensor & { readonly type?: unknown }): GpuSource {
  const { dims } = value;
  const gpuBuffer = value.gpuBuffer as GPUBuffer;
  if (!isShape(dims)) throw typeError(at(place, "dims"), describe(dims), "an array of non-negative integers");
  // A tensor of onnxruntime calls it `type`.
  const dataType = value.dataType ?? value.type ?? "float32";
  const half = oneOf(at(place, "dataType"), dataType, ["float32", "float16"]) === "float16";
  const { size, usage } = gpuBuffer ?? {};
  if (typeof size !== "number" || typeof usage !== "number") {
    throw typeError(at(place, "gpuBuffer"), describe(gpuBuffer), "a GPUBuffer");
  }
  if ((usage & STORAGE) === 0) throw typeError(at(place, "gpuBuffer"), `of usage ${usage}`, "one with usage STORAGE");
  // Shaders read whole words.
  const bytes = half ? Math.ceil(elementsOf(dims) / 2) * 4 : elementsOf(dims) * 4;
  if (size < bytes) {
    throw typeError(at(place, "gpuBuffer"), `of ${size} bytes with dims ${shapeOf(dims)}`, `${bytes} bytes`);
  }
  return { kind: "gpu", gpuBuffer, dims, half };
}

export function elementsOf(dims: readonly number[]): number {
  return dims.reduce((product, d) => product * d, 1);
}

function at(place: Place, member: string): Place {
  return { op: place.op, argument: `${place.argument}.${member}` };
}

function isShape(dims: unknown): dims is readonly number[] {
  return Array.isArray(dims) && dims.every((d) => Number.isInteger(d) && d >= 0);
}

function source(
  place: Place,
  data: unknown,
  dims: readonly number[],
  scale: number | undefined,
  zeroPoint: number | undefined,
): Source {
  const kind = kindOf(data);
  if (kind === null) throw typeError(at(place, "data"), describe(data), DATA_KINDS);
  const quantised = kind === "i8" || kind === "u8";
  if (quantised && typeof scale !== "number") {
    throw typeError(at(place, "scale"), describe(scale), `a number, because data is ${describe(data)}`);
  }
  if (quantised && !Number.isFinite(scale)) throw rangeError(at(place, "scale"), scale, "a finite number");
  if (quantised && zeroPoint !== undefined && !Number.isFinite(zeroPoint)) {
    throw rangeError(at(place, "zeroPoint"), zeroPoint, "a finite number");
  }
  const bits = kind === "f16" && !(data instanceof Uint16Array) ? halfBits(data as ArrayBufferView) : data;
  const values = bits as Source["data"];
  const { buffer, byteOffset } = values;
  return { kind, data: values, dims, scale: scale ?? 1, zeroPoint: zeroPoint ?? 0, buffer, byteOffset };
}

function kindOf(data: unknown): Kind | null {
  if (data instanceof Float32Array) return "f32";
  if (data instanceof Uint16Array) return "f16";
  if (data instanceof Float64Array) return "f64";
  if (data instanceof Int8Array) return "i8";
  if (data instanceof Uint8Array) return "u8";
  return ArrayBuffer.isView(data) && data.constructor.name === "Float16Array" ? "f16" : null;
}

function halfBits(data: ArrayBufferView): Uint16Array {
  return new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
}

/** (N, columns): also from a bare array, whose length must then be a multiple. Returns the rows. */
export function matrix(place: Place, value: TensorLike, columns: number): Source & { readonly rows: number } {
  const found = matrixAnywhere(place, value, columns);
  return { ...onHost(place, found), rows: found.rows };
}

export function matrixAnywhere(
  place: Place,
  value: TensorLike,
  columns: number,
): AnySource & { readonly rows: number } {
  const found = tensorAnywhere(place, value, (length) => [length / columns, columns]);
  const [rows, width] = found.dims;
  if (found.dims.length !== 2 || width !== columns || !Number.isInteger(rows)) {
    throw typeError(place, describeTensor(value, found), `shape (N, ${columns})`);
  }
  return { ...found, rows };
}

/** (N). */
export function vector(place: Place, value: TensorLike, length: number): Source {
  const found = tensor(place, value, (n) => [n]);
  if (found.dims.length !== 1 || found.dims[0] !== length) {
    throw typeError(place, describeTensor(value, found), `shape (${length})`);
  }
  return found;
}

export function describeTensor(value: TensorLike, found: AnySource): string {
  return value instanceof Float32Array ? describe(value) : `of shape ${shapeOf(found.dims)}`;
}

/** The options object of an operation. */
export function options<T extends object>(op: string, value: T | undefined, required = false): Partial<T> {
  if (value === undefined && !required) return {};
  if (typeof value !== "object" || value === null) {
    throw typeError({ op, argument: "options" }, describe(value), "an object");
  }
  return value;
}

/** A number that is not NaN, within the bounds. */
export function number(place: Place, value: unknown, low = -Infinity, high = Infinity): number {
  if (typeof value !== "number") throw typeError(place, describe(value), "a number");
  if (!(value >= low && value <= high)) throw rangeError(place, value, bounds("a number", low, high));
  return value;
}

export function integer(place: Place, value: unknown, low: number, high = Infinity): number {
  if (typeof value !== "number") throw typeError(place, describe(value), "an integer");
  const unlimited = value === Infinity && high === Infinity;
  if (!(unlimited || (Number.isInteger(value) && value >= low && value <= high))) {
    throw rangeError(place, value, bounds("an integer", low, high));
  }
  return value;
}

function bounds(what: string, low: number, high: number): string {
  if (low === -Infinity && high === Infinity) return what;
  if (high === Infinity) return `${what} of at least ${low}`;
  if (low === -Infinity) return `${what} of at most ${high}`;
  return `${what} from ${low} to ${high}`;
}

export function boolean(place: Place, value: unknown): boolean {
  if (typeof value !== "boolean") throw typeError(place, describe(value), "true or false");
  return value;
}

export function oneOf<T extends string>(place: Place, value: unknown, choices: readonly T[]): T {
  if (!choices.includes(value as T)) {
    throw typeError(place, describe(value), choices.map((c) => JSON.stringify(c)).join(" or "));
  }
  return value as T;
}

/** [height, width], both positive. */
export function size(place: Place, value: unknown): readonly [number, number] {
  if (!Array.isArray(value) || value.length !== 2) throw typeError(place, describe(value), "[height, width]");
  for (const v of value) {
    if (typeof v !== "number") throw typeError(place, `[${value.map(describe).join(", ")}]`, "two numbers");
    if (!(v > 0 && v < Infinity)) throw rangeError(place, `[${value.join(", ")}]`, "positive [height, width]");
  }
  return value as unknown as readonly [number, number];
}

/** One Int32Array of class indices. */
export function classIds(place: Place, value: unknown, length: number): Int32Array {
  if (!(value instanceof Int32Array) || value.length !== length) {
    throw typeError(place, describe(value), `Int32Array(${length})`);
  }
  return value;
}
