/**
 * One tensor of a file: file.npy, file.safetensors:name, or "-".
 */
import { extname } from "node:path";
import type { HostTensor } from "../../types.ts";
import { UsageError } from "../errors.ts";
import { readBytes, readStdin, STDIN } from "./file.ts";
import { parseNpy, parseNpyLabels } from "./npy.ts";
import { parseSafetensors, type Safetensors } from "./safetensors.ts";
import { kindOfInput, whatItIs } from "./tensors.ts";

/** Reads floating-point values. */
export function readTensor(where: string): Promise<HostTensor> {
  return readOne(where, parseNpy, (file, name) => file.read(name));
}

/** Reads integers as labels. */
export function readLabels(where: string): Promise<Int32Array> {
  return readOne(where, parseNpyLabels, (file, name) => file.readLabels(name));
}

async function readOne<T>(
  where: string,
  parse: (bytes: Uint8Array) => T,
  pick: (file: Safetensors, name: string) => T,
): Promise<T> {
  const [, path, name] = /^(.*\.safetensors):(.+)$/is.exec(where) ?? [where, where];
  const kind = extname(path).toLowerCase();
  if (path !== STDIN && kind !== ".npy" && kind !== ".safetensors") {
    throw new UsageError(`wanted a .npy file or file.safetensors:name${whatItIs(kind)}`);
  }
  const bytes = path === STDIN ? await readStdin() : await readBytes(path);
  if (kind === ".npy" || (path === STDIN && kindOfInput(bytes) === ".npy")) return parse(bytes);
  const file = parseSafetensors(bytes);
  return pick(file, chosen(file, name));
}

/** The tensor of that name; without a name, the only one. */
function chosen({ names }: Safetensors, name: string | undefined): string {
  if (name === undefined && names.length === 1) return names[0];
  if (name !== undefined && names.includes(name)) return name;
  const what = name === undefined ? "say which tensor, as in file.safetensors:name" : `has no ${name}`;
  throw new UsageError(`${what}; it has ${names.join(", ")}`);
}
