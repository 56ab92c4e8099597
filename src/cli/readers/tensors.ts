/**
 * Files of tensors, whatever their format.
 */
import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { about, UsageError } from "../errors.ts";
import { notRegular, readBytes, readStdin, STDIN } from "./file.ts";
import { parseNpy } from "./npy.ts";
import { parseSafetensors } from "./safetensors.ts";
import type { TensorFile } from "./tensor_file.ts";

/** Opens a .npy file, a .safetensors file, or a folder of .npy files. */
export async function openTensors(path: string): Promise<TensorFile> {
  if (path === STDIN) {
    const bytes = await readStdin();
    return openBytes(path, kindOfInput(bytes), bytes);
  }
  const found = await stat(path);
  if (found.isDirectory()) return openFolder(path);
  if (!found.isFile()) throw notRegular();
  const kind = extname(path).toLowerCase();
  if (!TENSOR_FILES.includes(kind)) {
    throw new UsageError(`wanted a .npy or .safetensors file, or a folder of .npy files${whatItIs(kind)}`);
  }
  return openBytes(path, kind, await readBytes(path));
}

function openBytes(path: string, kind: string, bytes: Uint8Array<ArrayBuffer>): TensorFile {
  if (kind === ".safetensors") return parseSafetensors(bytes);
  return { names: [stemOf(path)], metadata: new Map(), read: () => parseNpy(bytes) };
}

const TENSOR_FILES = [".npy", ".safetensors"];

/** What standard input is, by how it begins. */
export function kindOfInput(bytes: Uint8Array): string {
  const wanted = "wanted a .npy or .safetensors file";
  if (bytes.length === 0) throw new UsageError(`standard input is empty; ${wanted}`);
  // A .safetensors file that begins so would have a header longer than any file.
  if (bytes[0] === 0x93) return ".npy";
  // After the header's length, eight bytes, JSON begins.
  if (bytes.length <= 8 || bytes[8] === 0x7b) return ".safetensors";
  throw new UsageError(`standard input is something else; ${wanted}`);
}

/** The way on from other files that people have. */
export function whatItIs(kind: string): string {
  switch (kind) {
    case ".onnx":
    case ".pt":
    case ".pth":
    case ".pdmodel":
    case ".tflite":
    case ".engine":
      return `; ${kind} is a network: run it first, and save the tensors that it returns (npm's onnxruntime-node or ` +
        "Python's onnxruntime run .onnx; numpy.save and safetensors write)";
    case ".npz":
      return "; .npz is an archive of .npy files: unzip it into a folder";
    case ".png":
    case ".jpg":
    case ".jpeg":
      return "; a picture is what --image takes, FILE is what a network made of it";
    default:
      return "";
  }
}

/** The file's name without folders and without the ending of a known format. */
export function stemOf(path: string): string {
  if (path === STDIN) return "stdin";
  const name = path.replaceAll("\\", "/").split("/").filter((part) => part !== "").at(-1) ?? path;
  return name.replace(/\.(npy|safetensors)$/i, "");
}

async function openFolder(path: string): Promise<TensorFile> {
  const all = await readdir(path);
  const names = all.filter((name) => /\.npy$/i.test(name));
  if (names.length === 0) {
    const others = all.some((name) => /\.safetensors$/i.test(name));
    throw new UsageError(
      `the folder has no .npy files${others ? "; its .safetensors files are one FILE each: name them" : ""}`,
    );
  }
  const files = new Map(names.sort(naturally).map((name) => [stemOf(name), name]));
  return {
    names: [...files.keys()],
    metadata: new Map(),
    read: (stem) => {
      const name = files.get(stem) ?? stem;
      return about(name, async () => parseNpy(await readBytes(join(path, name))));
    },
  };
}

/** cls_s8 before cls_s16. */
function naturally(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
