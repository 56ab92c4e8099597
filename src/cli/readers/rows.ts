/**
 * COCO's files as they are, for an evaluation, which checks them itself: annotations, and results.
 */
import type { CocoDataset, EvalResult } from "../../eval/index.ts";
import { UsageError } from "../errors.ts";
import { readLists } from "./coco.ts";
import { readStdin, STDIN } from "./file.ts";
import { parseChunks, readJson } from "./json.ts";

/** Is it a file of results, rather than one of tensors? */
export function isRows(path: string): boolean {
  return path === STDIN || /\.json$/i.test(path);
}

/** A file of annotations. */
export async function readDataset(path: string): Promise<CocoDataset> {
  return await readLists(path) as unknown as CocoDataset;
}

/** A file of results, or these on standard input. */
export async function readResults(path: string): Promise<readonly EvalResult[]> {
  const rows = path === STDIN ? await parseChunks([await readStdin()]) : await readJson(path);
  if (Array.isArray(rows)) return rows;
  throw new UsageError("is no list of COCO results");
}
