/**
 * Whole files, and standard input for "-".
 */
import { readFile, stat } from "node:fs/promises";
import process from "node:process";
import { UsageError } from "../errors.ts";

/** The name of standard input on the command line. */
export const STDIN = "-";

/** Refuses folders, and pipes and devices, which may never end. */
export async function checkFile(path: string): Promise<void> {
  const found = await stat(path);
  if (found.isDirectory()) throw new UsageError("is a folder; wanted a file");
  if (!found.isFile()) throw notRegular();
}

/** The bytes of a file. */
export async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  await checkFile(path);
  return new Uint8Array(await readFile(path));
}

export function notRegular(): UsageError {
  return new UsageError('is no regular file; "-" reads from standard input');
}

/** The same, decoded as UTF-8. */
export async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path));
}

/** All of standard input. */
export async function readStdin(): Promise<Uint8Array<ArrayBuffer>> {
  if (process.stdin.isTTY) throw new UsageError('"-" is standard input, which is a terminal here; pipe a file into it');
  if (process.stdin.readableEnded) throw new UsageError('"-" is standard input, which can be read once');
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, end);
    end += chunk.length;
  }
  return bytes;
}
