/**
 * One tensor of a file: file.npy, file.safetensors:name, or "-".
 */
import { extname } from "node:path";
import { type FileTensor, readNpy } from "../../files/index.ts";
import type { HostTensor } from "../../types.ts";
import { UsageError } from "../errors.ts";
import { readBytes, readStdin, STDIN } from "./file.ts";
import { floats, kindOfInput, readTensors, whatItIs } from "./tensors.ts";

/** Reads floating-point values. */
export async function readTensor(where: string): Promise<HostTensor> {
  const { tensor, subject } = await readOne(where);
  return floats(tensor, subject);
}

/** Reads integers as labels. What is no class is background, so what is out of the range of int32 may go to its ends. */
export async function readLabels(where: string): Promise<Int32Array> {
  const { tensor: { data, type }, subject } = await readOne(where);
  if (!/^u?int/.test(type)) throw new UsageError(`${subject} ${type}; wanted integers, such as int64`);
  return Int32Array.from(
    data as ArrayLike<number | bigint>,
    (value) => Math.max(-1, Math.min(Number(value), 2 ** 31 - 1)),
  );
}

/** Reads masks of 0 and 1. */
export async function readMasks(where: string): Promise<Masks> {
  const { tensor: { data, dims, type }, subject } = await readOne(where);
  if (type !== "bool" && !/^u?int/.test(type)) {
    throw new UsageError(`${subject} ${type}; wanted bool, or integers 0 and 1`);
  }
  const values = Array.from(data as ArrayLike<number | bigint>, Number);
  const wrong = values.findIndex((value) => value !== 0 && value !== 1);
  if (wrong >= 0) throw new UsageError(`value ${wrong} is ${values[wrong]}; wanted 0 or 1`);
  return { data: Uint8Array.from(values), dims };
}

/** Bytes of 0 and 1. */
export interface Masks {
  readonly data: Uint8Array;
  readonly dims: readonly number[];
}

/** A tensor, and how an error about it begins. */
interface Found {
  readonly tensor: FileTensor;
  readonly subject: string;
}

async function readOne(where: string): Promise<Found> {
  const [, path, name] = /^(.*\.safetensors):(.+)$/is.exec(where) ?? [where, where];
  const kind = extname(path).toLowerCase();
  if (path !== STDIN && kind !== ".npy" && kind !== ".safetensors") {
    throw new UsageError(`wanted a .npy file or file.safetensors:name${whatItIs(kind)}`);
  }
  const bytes = path === STDIN ? await readStdin() : await readBytes(path);
  if (kind === ".npy" || (path === STDIN && kindOfInput(bytes) === ".npy")) {
    return { tensor: readNpy(bytes), subject: "holds" };
  }
  return chosen(readTensors(bytes).tensors, name);
}

/** The tensor of that name; without a name, the only one. */
function chosen(tensors: ReadonlyMap<string, FileTensor>, name: string | undefined): Found {
  const names = [...tensors.keys()];
  const found = name ?? (names.length === 1 ? names[0] : undefined);
  const tensor = found === undefined ? undefined : tensors.get(found);
  if (tensor !== undefined) return { tensor, subject: `${found} is` };
  const what = name === undefined ? "say which tensor, as in file.safetensors:name" : `has no ${name}`;
  throw new UsageError(`${what}; it has ${names.join(", ")}`);
}
