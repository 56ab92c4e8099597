/**
 * The pictures that --svg asked for: a file, or a folder with one for each image.
 */
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Bands } from "../detect_options.ts";
import { about, UsageError } from "../errors.ts";
import type { ImageResult } from "../result.ts";
import { STDOUT, writeText } from "./file.ts";
import { svgText } from "./svg.ts";

/** Writes the picture of an image, which `source` tells from others. */
export type PictureWriter = (source: string, result: ImageResult) => Promise<void>;

/** Makes a folder where there are several images. */
export async function pictureWriter(path: string, images: number, bands: Bands): Promise<PictureWriter> {
  if (!await isFolder(path, images)) return (_, result) => writeText(path, svgText(result, bands));
  await about(`${path}: cannot be made`, () => mkdir(path, { recursive: true }));
  const sources = new Map<string, string>();
  return async (source, result) => {
    // A name:0 of a batch is no file's name on Windows.
    const file = join(path, `${result.name.replaceAll(":", "-")}.svg`);
    if ((sources.get(file) ?? source) !== source) throw new UsageError(`--svg: two images would be ${file}`);
    sources.set(file, source);
    await writeText(file, svgText(result, bands));
  };
}

async function isFolder(path: string, images: number): Promise<boolean> {
  if (/[/\\]$/.test(path)) return true;
  if (path === STDOUT && images === 1) return false;
  const folder = await stat(path).then((found) => found.isDirectory(), () => false);
  if (folder || images === 1) return folder;
  if (path !== STDOUT && !/\.svg$/i.test(path)) return true;
  const count = images === Infinity ? "may be several" : `are ${images}`;
  throw new UsageError(`--svg ${path} is for one image; there ${count} (a folder has a picture for each)`);
}
