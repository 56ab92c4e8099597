/**
 * Files of tensors, by format.
 */
import type { HostTensor } from "densehead";
import { type FileTensor, readNpy, readSafetensors } from "densehead/files";
import { badRequest, Problem, refusing } from "./problem.ts";

/** By name, in the order of the values. */
export type Tensors = ReadonlyMap<string, FileTensor>;

type Reader = (bytes: Uint8Array<ArrayBuffer>) => Tensors;

const READERS: Readonly<Record<string, Reader>> = {
  "application/vnd.safetensors": readNamed,
  "application/x-npy": readOne,
  "application/octet-stream": readTensors,
};

/** Heads have some dozens at most. */
const MAX_TENSORS = 64;
const MAX_HEADER = 64 * 1024;

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
  return isNpy ? readOne(bytes) : readNamed(bytes);
}

/** The only tensor of a .npy file is called as what is wrong with it. */
function readOne(bytes: Uint8Array<ArrayBuffer>): Tensors {
  return new Map([["body", refusing(() => readNpy(bytes))]]);
}

function readNamed(bytes: Uint8Array<ArrayBuffer>): Tensors {
  const { tensors } = refusing(() => readSafetensors(bytes, { maxHeader: MAX_HEADER }));
  if (tensors.size > 0 && tensors.size <= MAX_TENSORS) return tensors;
  throw badRequest("body", `the body has ${tensors.size} tensors; wanted 1 to ${MAX_TENSORS}`);
}

/** Floating-point values as densehead takes them. */
export function floats(name: string, { data, dims, type }: FileTensor): HostTensor {
  if (type !== "float32" && type !== "float16" && type !== "float64") {
    throw badRequest(name, `tensor ${name} is ${type}; wanted float32, float16 or float64`);
  }
  return { data: data as HostTensor["data"], dims };
}

export function shapeOf(dims: readonly number[]): string {
  return `(${dims.join(", ")})`;
}
