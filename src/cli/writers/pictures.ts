/**
 * The pictures that --svg asked for: a file, or a folder with one for each image.
 */
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { BANDS } from "../detect_options.ts";
import { about, UsageError } from "../errors.ts";
import type { ImageResult } from "../result.ts";
import { STDOUT, writeText } from "./file.ts";
import { svgText } from "./svg.ts";

/** Writes them. */
export async function writePictures(
  path: string,
  results: readonly ImageResult[],
  bands: typeof BANDS[number],
): Promise<void> {
  if (!await isFolder(path, results.length)) return writeText(path, svgText(results[0], bands));
  await about(`${path}: cannot be made`, () => mkdir(path, { recursive: true }));
  // A name:0 of a batch is no file's name on Windows.
  const names = results.map(({ name }) => `${name.replaceAll(":", "-")}.svg`);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new UsageError(`--svg: two images would be ${join(path, twice)}`);
  for (const [i, result] of results.entries()) await writeText(join(path, names[i]), svgText(result, bands));
}

async function isFolder(path: string, images: number): Promise<boolean> {
  if (/[/\\]$/.test(path)) return true;
  if (path === STDOUT && images === 1) return false;
  const folder = await stat(path).then((found) => found.isDirectory(), () => false);
  if (folder || images === 1) return folder;
  if (path !== STDOUT && !/\.svg$/i.test(path)) return true;
  throw new UsageError(`--svg ${path} is for one image; there are ${images} (a folder has a picture for each)`);
}
