/**
 * Names of classes.
 */
import { existsSync } from "node:fs";
import { COCO_CLASSES } from "../coco_classes.ts";
import { about, UsageError } from "../errors.ts";
import { readText } from "./file.ts";

/** "coco", names with commas between them, or the lines of a text file; a single name where there is no such file. */
export async function classNames(flag: string, text: string | undefined): Promise<string[] | undefined> {
  if (text === undefined) return undefined;
  if (text.toLowerCase() === "coco") return [...COCO_CLASSES];
  const names = isFile(text) ? await about(text, async () => lines(await readText(text))) : splitNames(text);
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
