/**
 * Files of tensors, by format.
 */
import type { HostTensor } from "densehead";
import { readNpy } from "./npy.ts";
import { badRequest, Problem } from "./problem.ts";
import { readSafetensors } from "./safetensors.ts";

/** A tensor of any type: values as they lie in the file, halves as their bits. */
export interface Tensor {
  readonly dtype: "F16" | "F32" | "F64" | "I8" | "U8" | "I16" | "U16" | "I32" | "U32" | "I64" | "U64";
  readonly data:
    | Float32Array
    | Float64Array
    | Int8Array
    | Uint8Array
    | Int16Array
    | Uint16Array
    | Int32Array
    | Uint32Array
    | BigInt64Array
    | BigUint64Array;
  readonly dims: readonly number[];
}

/** By name, in the order of the values. */
export type Tensors = ReadonlyMap<string, Tensor>;

type Reader = (bytes: Uint8Array<ArrayBuffer>) => Tensors;

const READERS: Readonly<Record<string, Reader>> = {
  "application/vnd.safetensors": readSafetensors,
  "application/x-npy": readNpy,
  "application/octet-stream": readTensors,
};

/** How to read a body of that type; throws 415 for one that is unknown. */
export function readerFor(contentType: string | null): Reader {
  const type = (contentType ?? "").split(";")[0].trim().toLowerCase();
  if (Object.hasOwn(READERS, type)) return READERS[type];
  const known = Object.keys(READERS).join(", ");
  throw new Problem(415, `Content-Type is ${JSON.stringify(contentType)}; wanted one of ${known}`, {
    field: "Content-Type",
    headers: { "Accept-Post": known },
  });
}

/** Tells the format by the first bytes: those of .npy are a length of petabytes in .safetensors. */
export function readTensors(bytes: Uint8Array<ArrayBuffer>): Tensors {
  const isNpy = bytes[0] === 0x93 && String.fromCharCode(...bytes.subarray(1, 6)) === "NUMPY";
  return isNpy ? readNpy(bytes) : readSafetensors(bytes);
}

/** Floating-point values as densehead takes them. */
export function floats(name: string, { dtype, data, dims }: Tensor): HostTensor {
  if (dtype !== "F32" && dtype !== "F16" && dtype !== "F64") {
    throw badRequest(name, `tensor ${name} is ${dtype}; wanted F32, F16 or F64`);
  }
  return { data: data as HostTensor["data"], dims };
}

export function shapeOf(dims: readonly number[]): string {
  return `(${dims.join(", ")})`;
}
