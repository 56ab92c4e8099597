/**
 * Typed arrays as the engine sees them: read once, through the language's own getters, into plain arrays of ours over the
 * same bytes. So it does not matter of which class or realm an array is, nor what it says of itself.
 */

/** Where a value was passed: "nms: boxes". */
export interface Place {
  readonly op: string;
  readonly argument: string;
}

/** The plain arrays that hold what is read from an array of a name; half floats are held by their bits. */
interface PlainArrays {
  Float32Array: Float32Array;
  Float64Array: Float64Array;
  Float16Array: Uint16Array;
  Uint16Array: Uint16Array;
  Int16Array: Int16Array;
  Int8Array: Int8Array;
  Uint8Array: Uint8Array;
  Int32Array: Int32Array;
}

export type ArrayName = keyof PlainArrays;
export type PlainArray<N extends ArrayName = ArrayName> = PlainArrays[N];

interface Constructor<A> {
  new (length: number): A;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
}

const constructors: { readonly [N in ArrayName]: Constructor<PlainArray<N>> } = {
  Float32Array,
  Float64Array,
  Float16Array: Uint16Array,
  Uint16Array,
  Int16Array,
  Int8Array,
  Uint8Array,
  Int32Array,
};

/** A checked array. */
export interface HostArray<A extends PlainArray = PlainArray> {
  readonly place: Place;
  readonly data: A;
  /** Kept from the check: growth of linear memory, a resize or a transfer changes what `data` says of itself. */
  readonly length: number;
  readonly byteOffset: number;
}

/** An array of the caller's that takes a result; `given` is how it came. */
export interface OutArray<A extends PlainArray = Float32Array> extends HostArray<A> {
  readonly given: A;
}

const prototype = Object.getPrototypeOf(Uint8Array.prototype) as object;

/** A getter of all typed arrays, as a function. */
function getter<T>(name: PropertyKey): (array: unknown) => T {
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get as () => T;
  return Function.prototype.call.bind(get) as (array: unknown) => T;
}

/** "Float32Array" for what is one; undefined for what is no typed array, a proxy of one included. */
export const arrayName: (value: unknown) => string | undefined = getter(Symbol.toStringTag);
/** How many values a typed array has. */
export const arrayLength: (array: unknown) => number = getter("length");
const bufferOf: (array: unknown) => ArrayBuffer = getter("buffer");
const byteOffsetOf: (array: unknown) => number = getter("byteOffset");

export function isArrayName(name: string | undefined): name is ArrayName {
  return name !== undefined && Object.hasOwn(constructors, name);
}

/** An array of that name, read. */
export function readArray<N extends ArrayName>(place: Place, name: N, array: unknown): HostArray<PlainArray<N>> {
  const length = arrayLength(array);
  const Plain: Constructor<PlainArray<N>> = constructors[name];
  // What has no values may have lost its buffer.
  const data = length === 0 ? new Plain(0) : new Plain(bufferOf(array), byteOffsetOf(array), length);
  return { place, data, length, byteOffset: data.byteOffset };
}

/** The bytes of a Uint8Array or Uint8ClampedArray, read; null for what is neither. */
export function readBytes(place: Place, array: unknown): HostArray<Uint8Array> | null {
  const name = arrayName(array);
  return name === "Uint8Array" || name === "Uint8ClampedArray" ? readArray(place, "Uint8Array", array) : null;
}

/** An array of our own, which nobody else can change. */
export function ownArray<A extends PlainArray>(place: Place, data: A): HostArray<A> {
  return { place, data, length: data.length, byteOffset: data.byteOffset };
}

/** Whether the array still has its values, by the getter: Node 20's optimized `data.length` may overlook a transfer. */
export function isWhole({ data, length }: HostArray): boolean {
  return arrayLength(data) === length;
}

/** The values where they lie now; an error where they are gone. Not for what lies in linear memory. */
export function valuesOf<A extends PlainArray>(array: HostArray<A>): A {
  if (isWhole(array)) return array.data;
  const { place: { op, argument }, length } = array;
  const wanted = `one that keeps its ${length} values until they are read`;
  throw new TypeError(`${op}: ${argument} is an array whose buffer was resized or transferred; wanted ${wanted}`);
}

/** Part of a plain array; the array itself where that is the whole. */
export function section<A extends PlainArray>(data: A, start: number, length: number): A {
  return start === 0 && length === data.length ? data : data.subarray(start, start + length) as A;
}

/** Whether its values are in memory that threads share. */
export function isShared({ data }: HostArray): boolean {
  // Of another realm too.
  return Object.prototype.toString.call(data.buffer) === "[object SharedArrayBuffer]";
}

/** Some values of an array. What else is said of it, a shape too, is that of the whole. Not for what lies in linear memory. */
export function partOf<A extends HostArray>(array: A, start: number, length: number): A {
  return { ...array, ...ownArray(array.place, section(valuesOf(array), start, length)) };
}

/** Have two arrays a byte in common? */
export function overlap(a: HostArray, b: HostArray): boolean {
  return a.length > 0 && a.byteOffset < endOf(b) && b.byteOffset < endOf(a) && mayShare(a, b);
}

/** Of one buffer; or read before and after a getter of the caller's made linear memory grow, which gives it another. */
function mayShare(a: HostArray, b: HostArray): boolean {
  return a.data.buffer === b.data.buffer || !isWhole(a) || !isWhole(b);
}

/** Are two arrays that overlap over all of each other, value over value? */
export function sameBytes(a: HostArray, b: HostArray): boolean {
  return a.byteOffset === b.byteOffset && endOf(a) === endOf(b) && a.length === b.length;
}

function endOf({ byteOffset, length, data }: HostArray): number {
  return byteOffset + length * data.BYTES_PER_ELEMENT;
}
