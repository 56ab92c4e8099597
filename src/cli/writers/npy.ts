/**
 * NumPy's .npy format.
 */
import { writeFile } from "node:fs/promises";
import { dump } from "npyjs";
import { about } from "../errors.ts";

/** Writes the values as float32. */
export async function writeNpy(path: string, values: Iterable<number>, dims: readonly number[]): Promise<void> {
  const bytes = new Uint8Array(dump(values instanceof Float32Array ? values : Float32Array.from(values), [...dims]));
  await about(`${path}: cannot be written`, () => writeFile(path, bytes));
}
