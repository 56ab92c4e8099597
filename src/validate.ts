/**
 * Every error a user can see: each names the operation, the argument, what it got and what it wanted.
 *
 * What is checked is read once: arrays into plain ones of ours, shapes and lists into copies. Getters, proxies and subclasses
 * of the caller's have no say afterwards.
 */
import {
  arrayLength,
  type ArrayName,
  arrayName,
  type HostArray,
  isArrayName,
  type Place,
  type PlainArray,
  readArray,
  valuesOf,
} from "./arrays.ts";
import { nearest } from "./nearest.ts";
import type { GpuTensor, TensorLike } from "./types.ts";

export type { Place } from "./arrays.ts";

/** Storage kinds that kernels read; f64 is narrowed on its way into linear memory. */
export type Kind = "f32" | "f16" | "f64" | "i8" | "u8" | "i16" | "u16";

type Values = Exclude<PlainArray, Int32Array>;

/** A checked tensor. */
export interface Source extends HostArray<Values> {
  readonly kind: Kind;
  readonly dims: readonly number[];
  readonly scale: number;
  readonly zeroPoint: number;
}

/** As the check makes them: an operation takes one that another has checked. */
class CheckedSource implements Source {
  readonly place: Place;
  readonly data: Values;
  readonly length: number;
  readonly byteOffset: number;

  constructor(
    array: HostArray<Values>,
    readonly kind: Kind,
    readonly dims: readonly number[],
    readonly scale: number,
    readonly zeroPoint: number,
  ) {
    this.place = array.place;
    this.data = array.data;
    this.length = array.length;
    this.byteOffset = array.byteOffset;
  }
}

/** A checked tensor on the GPU. */
export interface GpuSource {
  readonly kind: "gpu";
  readonly gpuBuffer: GPUBuffer;
  readonly dims: readonly number[];
  /** float16, two values in a word. */
  readonly half: boolean;
}

/** Likewise made by the check alone. */
class CheckedGpuSource implements GpuSource {
  readonly kind = "gpu";

  constructor(readonly gpuBuffer: GPUBuffer, readonly dims: readonly number[], readonly half: boolean) {}
}

export type AnySource = Source | GpuSource;

export function typeError({ op, argument }: Place, got: string, wanted: string): TypeError {
  return new TypeError(`${op}: ${argument} is ${got}; wanted ${wanted}`);
}

export function rangeError({ op, argument }: Place, got: unknown, wanted: string): RangeError {
  return new RangeError(`${op}: ${argument} is ${String(got)}; wanted ${wanted}`);
}

/** For a result's array that has bytes of another in it. */
export function overlapError(out: HostArray, other: HostArray): TypeError {
  return typeError(out.place, `an array that overlaps ${other.place.argument}`, "one apart from it");
}

export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const array = arrayName(value);
  if (array !== undefined) return `${array}(${arrayLength(value)})`;
  if (typeof value === "object") return `an object (${className(value)})`;
  if (typeof value === "function") return "a function";
  return typeof value === "string" ? quoted(value) : `${typeof value} ${String(value)}`;
}

/** Letters of a caller's string that go into a message. */
const LONGEST_STRING = 60;

function quoted(text: string): string {
  if (text.length <= LONGEST_STRING) return JSON.stringify(text);
  return `${JSON.stringify(text.slice(0, LONGEST_STRING))}… (${text.length} characters)`;
}

function className(value: object): string {
  try {
    return String(value.constructor.name);
  } catch {
    return "Object";
  }
}

export function shapeOf(dims: readonly number[]): string {
  return `(${dims.join(", ")})`;
}

const DATA_KINDS = "Float32Array, Float16Array, Float64Array, Uint16Array (half bits, or quantised with a scale), " +
  "Int16Array, Int8Array or Uint8Array";

type Assume = (length: number) => readonly number[];

/** A host tensor of any storage kind. A bare Float32Array gets the shape `assume` makes of its length. */
export function tensor(place: Place, value: TensorLike, assume: Assume): Source {
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
  if (isBare(value)) return source(place, value, assume(arrayLength(value)), NO_CODING);
  if (typeof value !== "object" || value === null) throw noTensor(place, value);
  if (value instanceof CheckedSource || value instanceof CheckedGpuSource) return value;
  if (isOnGpu(value)) return gpuSource(place, value);
  if (!("data" in value) || !("dims" in value)) throw noTensor(place, value);
  const data = dataOf(place, value);
  const { dims, scale, zeroPoint, type } = value as OnnxTensor;
  const shape = readShape(place, dims);
  const elements = elementsOf(shape);
  if (arrayName(data) !== undefined && arrayLength(data) !== elements) {
    throw typeError(place, `${describe(data)} with dims ${shapeOf(shape)}`, `${elements} values`);
  }
  const found = source(place, data, shape, { scale, zeroPoint, type });
  if (found.kind !== "f32") refuseOtherNames(place, value);
  return found;
}

/** As ONNX and TFLite call them: unread, they would be dropped without a word. */
const OTHER_NAMES = [[/^scales$/i, "scale"], [/^zero_?points?$/i, "zeroPoint"]] as const;

function refuseOtherNames({ op, argument }: Place, value: object): void {
  for (const name of Object.keys(value)) {
    const [, meant = name] = OTHER_NAMES.find(([pattern]) => pattern.test(name)) ?? [];
    if (meant !== name) throw new TypeError(`${op}: ${argument}.${name} is unknown; did you mean ${meant}?`);
  }
}

/** One of onnxruntime also says what its data are. */
type OnnxTensor = Coding & { readonly dims: unknown };

export function isBare(value: unknown): value is Float32Array {
  return arrayName(value) === "Float32Array";
}

function noTensor(place: Place, value: unknown): TypeError {
  return typeError(place, describe(value), "a Float32Array or an object with data and dims");
}

/** A tensor that was given back, or that lies elsewhere, throws where it is read. */
function dataOf({ op, argument }: Place, value: { readonly data: unknown }): unknown {
  try {
    return value.data;
  } catch (error) {
    throw new Error(`${op}: ${argument}.data cannot be read: ${(error as Error)?.message}`, { cause: error });
  }
}

/** A tensor of onnxruntime has both members and says where it lies; reading the wrong one would throw. */
function isOnGpu(value: object): value is GpuTensor {
  return "gpuBuffer" in value && (!("data" in value) || ("location" in value && value.location === "gpu-buffer"));
}

/** Usage of storage buffers: `GPUBufferUsage` is no global everywhere. */
export const STORAGE = 0x80;

function gpuSource(place: Place, value: GpuTensor & { readonly type?: unknown }): GpuSource {
  const dims = readShape(place, value.dims);
  const gpuBuffer = value.gpuBuffer as GPUBuffer;
  // A tensor of onnxruntime calls it `type`.
  const dataType = value.dataType ?? value.type ?? "float32";
  const half = oneOf(at(place, "dataType"), dataType, ["float32", "float16"]) === "float16";
  const { size, usage, mapAsync } = gpuBuffer ?? {};
  if (typeof size !== "number" || typeof usage !== "number" || typeof mapAsync !== "function") {
    throw typeError(at(place, "gpuBuffer"), describe(gpuBuffer), "a GPUBuffer");
  }
  if ((usage & STORAGE) === 0) throw typeError(at(place, "gpuBuffer"), `of usage ${usage}`, "one with usage STORAGE");
  // Shaders read whole words.
  const bytes = half ? Math.ceil(elementsOf(dims) / 2) * 4 : elementsOf(dims) * 4;
  if (!(size >= bytes)) {
    throw typeError(at(place, "gpuBuffer"), `of ${size} bytes with dims ${shapeOf(dims)}`, `${bytes} bytes`);
  }
  return new CheckedGpuSource(gpuBuffer, dims, half);
}

export function elementsOf(dims: readonly number[]): number {
  return dims.reduce((product, d) => product * d, 1);
}

function at(place: Place, member: string): Place {
  return { op: place.op, argument: `${place.argument}.${member}` };
}

/** A copy of a shape. */
function readShape(place: Place, dims: unknown): readonly number[] {
  const copy = listOf(dims);
  if (copy === null || !copy.every(isExtent)) {
    throw typeError(at(place, "dims"), describe(dims), "an array of non-negative integers");
  }
  return Object.freeze(copy as number[]);
}

function isExtent(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A copy of a list, each member read once; null for what is none. */
export function listOf(value: unknown): unknown[] | null {
  if (!Array.isArray(value)) return null;
  const { length } = value;
  const copy: unknown[] = [];
  for (let i = 0; i < length; i++) copy.push(value[i]);
  return copy;
}

/** A copy of finite numbers, each over the one before it. */
export function rising({ op, argument }: Place, given: unknown): readonly number[] {
  const values = isBare(given) ? [...valuesOf(readArray({ op, argument }, "Float32Array", given))] : listOf(given);
  if (values === null) throw typeError({ op, argument }, describe(given), "an array of numbers");
  return values.map((each, i) => {
    const place = { op, argument: `${argument}[${i}]` };
    const value = number(place, each);
    if (!Number.isFinite(value)) throw rangeError(place, value, "a finite number");
    if (i > 0 && !(value > (values[i - 1] as number))) {
      throw rangeError(place, value, `over ${values[i - 1]}, its neighbour`);
    }
    return value;
  });
}

/** What a tensor says of its data; nothing of it is checked. */
interface Coding {
  readonly scale?: unknown;
  readonly zeroPoint?: unknown;
  readonly type?: unknown;
}

const NO_CODING: Coding = {};

function source(place: Place, data: unknown, dims: readonly number[], coding: Coding): Source {
  const name = arrayName(data);
  if (!isArrayName(name) || name === "Int32Array") throw typeError(at(place, "data"), describe(data), DATA_KINDS);
  const kind = kindOf(place, name, data, coding);
  const quantised = isQuantised(kind);
  const scale = quantised ? finite(at(place, "scale"), coding.scale) : 1;
  // TFLite says so of tensors that are not quantised.
  if (scale === 0) throw rangeError(at(place, "scale"), scale, "a number other than 0");
  const single = Math.fround(scale);
  if (single === 0 || Math.abs(single) === Infinity) {
    throw rangeError(at(place, "scale"), scale, "one that float32 has");
  }
  const zeroPoint = quantised ? finite(at(place, "zeroPoint"), coding.zeroPoint ?? 0) : 0;
  return new CheckedSource(readArray(place, name, data), kind, dims, scale, zeroPoint);
}

/** Whether real values are (q − zeroPoint) · scale. */
export function isQuantised(kind: Kind): boolean {
  return kind === "i8" || kind === "u8" || kind === "i16" || kind === "u16";
}

const KINDS = {
  Float32Array: "f32",
  Float64Array: "f64",
  Float16Array: "f16",
  Int16Array: "i16",
  Int8Array: "i8",
  Uint8Array: "u8",
} as const satisfies Partial<Record<ArrayName, Kind>>;

function kindOf(place: Place, name: Exclude<ArrayName, "Int32Array">, data: unknown, coding: Coding): Kind {
  if (name === "Uint16Array") return kindOfWords(place, coding);
  const kind = KINDS[name];
  if (!isQuantised(kind)) {
    refuseCoding(place, coding, `data is ${name}, which holds real values`);
  } else if (typeof coding.scale !== "number") {
    throw typeError(at(place, "scale"), describe(coding.scale), `a number, because data is ${describe(data)}`);
  }
  return kind;
}

/** A Uint16Array has half bits, or integers if there is a scale. */
function kindOfWords(place: Place, coding: Coding): Kind {
  const { scale, type } = coding;
  if (type === "float16") refuseCoding(place, coding, `type is "float16", real values`);
  if (scale !== undefined) return "u16";
  if (type !== undefined && type !== "float16") {
    const why = `type is ${describe(type)}; half bits come as type "float16"`;
    throw typeError(at(place, "scale"), "undefined", `a number, because ${why}`);
  }
  refuseCoding(place, coding, "data is Uint16Array, which without a scale holds half bits");
  return "f16";
}

function refuseCoding(place: Place, { scale, zeroPoint }: Coding, why: string): void {
  if (scale === undefined && zeroPoint === undefined) return;
  const [member, value] = scale === undefined ? ["zeroPoint", zeroPoint] : ["scale", scale];
  throw typeError(at(place, member as string), describe(value), `none, because ${why}`);
}

/** An array of that type and, if there is one, of that length. */
export function arrayOf<N extends ArrayName>(
  place: Place,
  name: N,
  value: unknown,
  length?: number,
  why = "",
): HostArray<PlainArray<N>> {
  if (arrayName(value) !== name || (length !== undefined && arrayLength(value) !== length)) {
    const any = name.startsWith("Int") ? `an ${name}` : `a ${name}`;
    throw typeError(place, describe(value), (length === undefined ? any : `${name}(${length})`) + why);
  }
  return readArray(place, name, value);
}

/** (N, columns): also from a bare array, whose length must then be a multiple. */
export function matrix(place: Place, value: TensorLike, columns: number): Source {
  return onHost(place, matrixAnywhere(place, value, columns));
}

export function matrixAnywhere(place: Place, value: TensorLike, columns: number): AnySource {
  const found = tensorAnywhere(place, value, (length) => [length / columns, columns]);
  const [rows, width] = found.dims;
  if (found.dims.length !== 2 || width !== columns || !Number.isInteger(rows)) {
    throw typeError(place, describeTensor(value, found), `shape (N, ${columns})`);
  }
  return found;
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
  return isBare(value) ? describe(value) : `of shape ${shapeOf(found.dims)}`;
}

/** Names of the members of an interface: the compiler says which one is missing. */
export function namesOf<T>(members: { readonly [K in keyof Required<T>]: true }): readonly string[] {
  return Object.keys(members);
}

/** Whether a value is an object with members of its own names, as options are. */
export function hasMembers(value: unknown): value is object {
  return typeof value === "object" && value !== null && (isLiteral(value) || !isContainer(value));
}

/** Whether an object is as a literal makes it. */
export function isLiteral(value: object): boolean {
  return Object.getPrototypeOf(value) === Object.prototype;
}

/** Lists, maps and promises have no members of their own names: taken for options, they would be none without a word. */
export function isContainer(value: object): boolean {
  const { [Symbol.iterator]: iterator, then } = value as { [Symbol.iterator]?: unknown; then?: unknown };
  return typeof iterator === "function" || typeof then === "function";
}

/** Refuses members that nobody reads; inherited ones are not looked at. */
export function known(op: string, argument: string, value: object, names: readonly string[]): void {
  for (const name of Object.keys(value)) {
    if (names.includes(name)) continue;
    const meant = nearest(name.slice(0, LONGEST_STRING), names);
    const hint = meant === undefined ? "" : `did you mean ${meant}? `;
    throw new TypeError(
      `${op}: ${argument}.${name.slice(0, LONGEST_STRING)} is unknown; ${hint}known: ${names.join(", ")}`,
    );
  }
}

/** The options object of an operation. It is the caller's: each member is to be read once. */
export function options<T extends object>(
  op: string,
  value: T | undefined,
  names: readonly string[],
  required = false,
): Partial<T> {
  if (value === undefined && !required) return {};
  if (!hasMembers(value)) throw typeError({ op, argument: "options" }, describe(value), "an object");
  known(op, "options", value, names);
  return value;
}

export function finite(place: Place, value: unknown): number {
  return number(place, value, -Number.MAX_VALUE, Number.MAX_VALUE);
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
  const { MAX_VALUE } = Number;
  if (low === -MAX_VALUE) return high === MAX_VALUE ? "a finite number" : `a finite number of at most ${high}`;
  if (high === MAX_VALUE) return `a finite number of at least ${low}`;
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

/** A copy of an array of numbers of any kind, of any length or of that one. JSON has null for NaN. */
export function numbers(place: Place, value: unknown, length?: number): number[] {
  const wanted = length === undefined ? "an array of numbers" : `an array of ${length} numbers`;
  const isList = Array.isArray(value) || arrayName(value) !== undefined;
  const list = isList ? Array.from(value as ArrayLike<unknown>) : undefined;
  if (list === undefined || (length !== undefined && list.length !== length)) {
    throw typeError(place, describe(value), wanted);
  }
  return list.map((item, i) => {
    if (typeof item === "number") return item;
    if (item === null) return NaN;
    throw typeError({ op: place.op, argument: `${place.argument}[${i}]` }, describe(item), "a number");
  });
}

/** [height, width], both positive. */
export function size(place: Place, value: unknown): readonly [number, number] {
  const pair = listOf(value);
  if (pair?.length !== 2) throw typeError(place, describe(value), "[height, width]");
  for (const v of pair) {
    if (typeof v !== "number") throw typeError(place, `[${pair.map(describe).join(", ")}]`, "two numbers");
    if (!(v > 0 && v < Infinity)) throw rangeError(place, `[${pair.join(", ")}]`, "positive [height, width]");
  }
  return pair as [number, number];
}
