/**
 * Names of classes.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { about, UsageError } from "../errors.ts";

/** Names with commas between them, or the lines of a text file; a single name where there is no such file. */
export async function classNames(flag: string, text: string | undefined): Promise<string[] | undefined> {
  if (text === undefined) return undefined;
  const names = isFile(text) ? await about(text, async () => lines(await readFile(text, "utf8"))) : splitNames(text);
  if (names.length === 0) throw new UsageError(`${flag} has no names`);
  return names;
}

/** "circle, square" → ["circle", "square"]. */
export function splitNames(text: string): string[] {
  return text.split(",").map((name) => name.trim()).filter((name) => name !== "");
}

function isFile(text: string): boolean {
  return !text.includes(",") && (/\.txt$|[/\\]/.test(text) || existsSync(text));
}

function lines(text: string): string[] {
  return text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
}
