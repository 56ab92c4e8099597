/**
 * Files of tensors, whatever their format.
 */
import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { type FileTensor, readNpy, readSafetensors, type Safetensors } from "../../files/index.ts";
import type { HostTensor } from "../../types.ts";
import { about, UsageError } from "../errors.ts";
import { notRegular, readBytes, readStdin, STDIN } from "./file.ts";
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
  if (kind === ".npy") return { names: [stemOf(path)], metadata: new Map(), read: () => readFloats(bytes) };
  const { tensors, metadata } = readTensors(bytes);
  return {
    names: [...tensors.keys()],
    metadata,
    read: (name) => floats(tensors.get(name) as FileTensor, `${name} is`),
  };
}

/** The tensors of a .safetensors file, of which there is one at least. */
export function readTensors(bytes: Uint8Array): Safetensors {
  const file = readSafetensors(bytes);
  if (file.tensors.size === 0) throw new UsageError("holds no tensors");
  return file;
}

/** The floating-point tensor of a .npy file. */
export function readFloats(bytes: Uint8Array): HostTensor {
  return floats(readNpy(bytes), "holds");
}

/** Refuses other than floating-point values; `subject` begins the error. */
export function floats({ data, dims, type }: FileTensor, subject: string): HostTensor {
  if (type === "float32" || type === "float16" || type === "float64") return { data: data as HostTensor["data"], dims };
  const why = type === "int8" || type === "uint8" ? " (8-bit outputs need a scale, which the format cannot carry)" : "";
  throw new UsageError(`${subject} ${type}; wanted float32, float16 or float64${why}`);
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
      return "; .onnx is a network: densehead run runs it on pictures, densehead inspect says what its tensors are";
    case ".pt":
    case ".pth":
    case ".pdmodel":
    case ".tflite":
    case ".engine":
      return `; ${kind} is a network: run it first, and save the tensors that it returns (numpy.save and ` +
        "safetensors write), or export it to ONNX for densehead run";
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
      return about(name, async () => readFloats(await readBytes(join(path, name))));
    },
  };
}

/** cls_s8 before cls_s16. */
function naturally(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
