/**
 * Files of tensors, whatever their format.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import type { HostTensor } from "../../types.ts";
import { about, UsageError } from "../errors.ts";
import { parseNpy } from "./npy.ts";
import { parseSafetensors } from "./safetensors.ts";

/** Named tensors. */
export interface TensorFile {
  /** In the order of the file; of a folder, in natural order. */
  readonly names: readonly string[];
  /** What the file says about itself. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Reads one of them. */
  read(name: string): Promise<HostTensor> | HostTensor;
}

/** Opens a .npy file, a .safetensors file, or a folder of .npy files. */
export async function openTensors(path: string): Promise<TensorFile> {
  if ((await stat(path)).isDirectory()) return openFolder(path);
  switch (extname(path).toLowerCase()) {
    case ".npy":
      return { names: [stemOf(path)], metadata: new Map(), read: () => readNpy(path) };
    case ".safetensors":
      return parseSafetensors(await readFile(path));
    default:
      throw new UsageError("wanted a .npy or .safetensors file, or a folder of .npy files");
  }
}

/** The file's name without folders and without the ending of a known format. */
export function stemOf(path: string): string {
  const name = path.replaceAll("\\", "/").split("/").filter((part) => part !== "").at(-1) ?? path;
  return name.replace(/\.(npy|safetensors)$/i, "");
}

async function openFolder(path: string): Promise<TensorFile> {
  const names = (await readdir(path)).filter((name) => /\.npy$/i.test(name));
  if (names.length === 0) throw new UsageError("the folder has no .npy files");
  const files = new Map(names.sort(naturally).map((name) => [stemOf(name), name]));
  return {
    names: [...files.keys()],
    metadata: new Map(),
    read: (stem) => {
      const name = files.get(stem) ?? stem;
      return about(name, () => readNpy(join(path, name)));
    },
  };
}

async function readNpy(path: string): Promise<HostTensor> {
  return parseNpy(await readFile(path));
}

/** cls_s8 before cls_s16. */
function naturally(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
