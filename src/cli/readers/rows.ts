/**
 * COCO's files as they are, for an evaluation, which checks them itself: annotations, and results.
 */
import type { CocoDataset, EvalResult } from "../../eval/index.ts";
import { UsageError } from "../errors.ts";
import { readStdin, readText, STDIN } from "./file.ts";

/** Is it a file of results, rather than one of tensors? */
export function isRows(path: string): boolean {
  return path === STDIN || /\.json$/i.test(path);
}

/** A file of annotations. */
export async function readDataset(path: string): Promise<CocoDataset> {
  const { images, annotations, categories } = parse(await readText(path)) as Partial<CocoDataset>;
  for (const [name, list] of Object.entries({ images, annotations, categories })) {
    if (!Array.isArray(list)) throw new UsageError(`is no whole file of COCO annotations: it has no list of ${name}`);
  }
  return { images, annotations, categories } as CocoDataset;
}

/** A file of results, or these on standard input. */
export async function readResults(path: string): Promise<readonly EvalResult[]> {
  const text = path === STDIN ? new TextDecoder().decode(await readStdin()) : await readText(path);
  const rows = parse(text);
  if (Array.isArray(rows)) return rows;
  throw new UsageError("is no list of COCO results");
}

function parse(text: string): object {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    throw new UsageError("is no JSON");
  }
}
