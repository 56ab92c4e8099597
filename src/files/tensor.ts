/**
 * A tensor of a file: its checks, and its values as bytes.
 */
import { arrayName, readArray } from "../arrays.ts";
import type { HalfArray, SessionTensor } from "../types.ts";
import { describe, elementsOf, listOf, shapeOf, typeError } from "../validate.ts";
import { type ElementType, type FileArray, formatOf, isElementType, type ValuesConstructor } from "./element_types.ts";

/**
 * A tensor as files hold it, in the form of onnxruntime's tensors, so that every operation takes it: `type` tells half
 * floats from integers, both of which are a `Uint16Array`. Integers become quantised outputs with a scale:
 * `{ ...tensor, scale, zeroPoint }`.
 */
export interface FileTensor extends SessionTensor {
  /** The values, row-major. float16: a `Uint16Array` of half bits; int64, uint64: bigints; bool: a `Uint8Array` of 0 and 1. */
  readonly data: FileArray;
  /** The shape; its product is the length of `data`. */
  readonly dims: readonly number[];
  /** Name of the element type. */
  readonly type: ElementType;
}

/** A tensor to write: values and a shape. Without a `type`, that of the array; a `Uint16Array` then holds half bits. */
export interface WritableTensor {
  /** The values, row-major. */
  readonly data: FileArray | HalfArray;
  /** The shape; its product is the length of `data`. */
  readonly dims: readonly number[];
  /** Name of the element type. */
  readonly type?: ElementType;
}

/** A file as it was given. */
export type FileBytes = Uint8Array | ArrayBuffer;

/** A file to write. In TypeScript from 5.7 on a `Uint8Array<ArrayBuffer>`, as `Response` and `Blob` want it. */
export type WrittenFile = ReturnType<Uint8ArrayConstructor["of"]>;

/** The bytes in a plain array: a Node `Buffer` slices in another way. */
export function bytesOf(op: string, file: unknown): Uint8Array {
  const place = { op, argument: "file" };
  if (arrayName(file) === "Uint8Array") return readArray(place, "Uint8Array", file).data;
  if (/^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(file))) {
    return new Uint8Array(file as ArrayBuffer);
  }
  throw typeError(place, describe(file), "a Uint8Array or an ArrayBuffer");
}

/** A view of `length` values, or of a copy where they are not aligned. */
export function valuesAt(bytes: Uint8Array, start: number, length: number, Values: ValuesConstructor): FileArray {
  const size = Values.BYTES_PER_ELEMENT;
  if ((bytes.byteOffset + start) % size === 0) return new Values(bytes.buffer, bytes.byteOffset + start, length);
  return new Values(bytes.slice(start, start + length * size).buffer, 0, length);
}

/** What a writer has to know of a tensor. */
export interface WrittenTensor {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

/** Checks a tensor to be written. */
export function writtenTensor(op: string, argument: string, tensor: WritableTensor): WrittenTensor {
  const place = { op, argument };
  if (typeof tensor !== "object" || tensor === null) throw typeError(place, describe(tensor), "{ data, dims }");
  const { data, dims, type, scale, zeroPoint } = tensor as WritableTensor & { scale?: unknown; zeroPoint?: unknown };
  if (scale !== undefined || zeroPoint !== undefined) {
    const member = scale === undefined ? "zeroPoint" : "scale";
    throw typeError(
      { op, argument: `${argument}.${member}` },
      describe(scale ?? zeroPoint),
      "none: files cannot hold it",
    );
  }
  const shape = listOf(dims);
  if (shape === null || !isExtents(shape)) {
    throw typeError({ op, argument: `${argument}.dims` }, describe(dims), "an array of non-negative integers");
  }
  const element = elementTypeOf(op, argument, data, type);
  if (data.length !== elementsOf(shape)) {
    throw typeError(place, `${describe(data)} with dims ${shapeOf(shape)}`, `${elementsOf(shape)} values`);
  }
  return { type: element, dims: shape, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

function elementTypeOf(op: string, argument: string, data: unknown, type: unknown): ElementType {
  const name = arrayName(data) ?? "";
  const element = type ?? (/^(Float16|Uint16)Array$/.test(name) ? "float16" : elementTypeIn(name));
  if (type !== undefined && !isElementType(type)) {
    throw typeError(
      { op, argument: `${argument}.type` },
      describe(type),
      'the name of an element type, such as "float32"',
    );
  }
  const fits = isElementType(element) &&
    (formatOf(element).Values.name === name || (element === "float16" && name === "Float16Array"));
  if (fits) return element;
  const wanted = isElementType(type) ? `a ${formatOf(type).Values.name}, because type is ${type}` : "a typed array";
  throw typeError({ op, argument: `${argument}.data` }, describe(data), wanted);
}

/** "Int32Array" → "int32", "BigInt64Array" → "int64". */
function elementTypeIn(name: string): string {
  return name.replace(/^Big|Array$/g, "").toLowerCase();
}

export function isExtents(values: unknown): values is number[] {
  return Array.isArray(values) && values.every((n) => Number.isSafeInteger(n) && n >= 0);
}
