/**
 * Tensors as NumPy's .npy files.
 */
import { writeFile } from "node:fs/promises";
import { writeNpy } from "../../files/index.ts";
import { about } from "../errors.ts";

/** Writes the values as float32. */
export async function writeFloats(path: string, values: Iterable<number>, dims: readonly number[]): Promise<void> {
  const data = values instanceof Float32Array ? values : Float32Array.from(values);
  await about(`${path}: cannot be written`, () => writeFile(path, writeNpy({ data, dims })));
}
