/**
 * The element types of files: which array holds the values, and what each format calls them.
 */

/** One element type. */
interface ElementFormat {
  /** Half floats are held by their bits. */
  readonly Values: ValuesConstructor;
  /** NumPy's type string, little-endian. */
  readonly npy: string;
  readonly safetensors: string;
}

/** The values of a tensor in a file. */
export type FileArray =
  | Float32Array
  | Float64Array
  | Uint16Array
  | Int16Array
  | Uint8Array
  | Int8Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** Makes arrays of one class. */
export interface ValuesConstructor {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): FileArray;
}

/** Names of element types, as those of onnxruntime's tensors. */
export type ElementType =
  | "float32"
  | "float16"
  | "float64"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "bool";

const FORMATS = {
  float32: { Values: Float32Array, npy: "<f4", safetensors: "F32" },
  float16: { Values: Uint16Array, npy: "<f2", safetensors: "F16" },
  float64: { Values: Float64Array, npy: "<f8", safetensors: "F64" },
  int8: { Values: Int8Array, npy: "|i1", safetensors: "I8" },
  uint8: { Values: Uint8Array, npy: "|u1", safetensors: "U8" },
  int16: { Values: Int16Array, npy: "<i2", safetensors: "I16" },
  uint16: { Values: Uint16Array, npy: "<u2", safetensors: "U16" },
  int32: { Values: Int32Array, npy: "<i4", safetensors: "I32" },
  uint32: { Values: Uint32Array, npy: "<u4", safetensors: "U32" },
  int64: { Values: BigInt64Array, npy: "<i8", safetensors: "I64" },
  uint64: { Values: BigUint64Array, npy: "<u8", safetensors: "U64" },
  bool: { Values: Uint8Array, npy: "|b1", safetensors: "BOOL" },
} as const satisfies Record<ElementType, ElementFormat>;

export const ELEMENT_TYPES = Object.keys(FORMATS) as readonly ElementType[];

export function formatOf(type: ElementType): ElementFormat {
  return FORMATS[type];
}

export function isElementType(name: unknown): name is ElementType {
  return typeof name === "string" && Object.hasOwn(FORMATS, name);
}

/** The element type that a format calls so. */
export function elementTypeCalled(format: "npy" | "safetensors", name: string): ElementType | undefined {
  return ELEMENT_TYPES.find((type) => FORMATS[type][format] === name);
}
