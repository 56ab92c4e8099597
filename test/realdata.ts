/** Reads the real networks' outputs beside the project. They stay where they are. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "npyjs";

/** Where they are. */
export const folder = join(process.env.DENSEHEAD_ROOT ?? ".", "..", "shared", "realdata");

/** Names of all cases; none where the folder is not there. */
const all: readonly string[] = existsSync(folder)
  ? readdirSync(folder).filter((name) => existsSync(join(folder, name, "meta.json")))
  : [];

/** Those that end in distributions, with the losses that were recorded for them. */
export const cases = all.filter((name) => existsSync(join(folder, name, "loss")));

/** Those of YOLOX: one tensor of boxes with logarithms of sizes. */
export const undecoded = all.filter((name) => !cases.includes(name));

export const missing = "no folder ../shared/realdata beside the project";

export interface Npy<T = Float32Array<ArrayBuffer>> {
  data: T;
  dims: number[];
}

export async function readNpy<T = Float32Array<ArrayBuffer>>(...path: string[]): Promise<Npy<T>> {
  const bytes = readFileSync(join(folder, ...path));
  const { data, shape } = await load(Uint8Array.from(bytes).buffer);
  return { data: data as T, dims: shape };
}

export function readJson<T>(...path: string[]): T {
  return JSON.parse(readFileSync(join(folder, ...path), "utf8"));
}

/** The rows of all levels, in the order of the strides. */
export async function concatenated(name: string, role: string, strides: readonly number[]): Promise<Float32Array> {
  const levels = await Promise.all(strides.map((stride) => readNpy(name, `${role}_logits_s${stride}.npy`)));
  return Float32Array.from(levels.flatMap(({ data }) => [...data]));
}
