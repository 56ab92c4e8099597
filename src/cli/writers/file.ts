/**
 * Writes what a flag asked for.
 */
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { about } from "../errors.ts";

/** The name of standard output on the command line. */
export const STDOUT = "-";

/** Writes the text to the file, or to stdout for "-". */
export async function writeText(path: string, text: string): Promise<void> {
  if (path === STDOUT) process.stdout.write(text);
  else await about(`${path}: cannot be written`, () => writeFile(path, text));
}
