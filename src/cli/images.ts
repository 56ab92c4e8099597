/**
 * The images that outputs are of: pictures, images of the truth, or both. The same for every command.
 */
import { existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { about, UsageError } from "./errors.ts";
import { type Fit, FIT_HELP, FITS } from "./fit.ts";
import { findImage, imageCalled, imagesByName, nameOf } from "./ground_truth.ts";
import { type CocoFile, type CocoImage, readCoco } from "./readers/coco.ts";
import { type ImageFile, readImage } from "./readers/image.ts";
import { stemOf } from "./readers/tensors.ts";
import { choice, optional } from "./values.ts";

export const IMAGE_HELP =
  `  --image FILE | NAME      the image that the network saw: a PNG or JPEG (turned as its EXIF orientation says), or the id
                           or file_name of an image of --gt; once for each FILE, or a folder with one called as each
  --gt FILE                COCO annotations: images, annotations (bbox x, y, width, height) and categories. A FILE is of
                           the image that is called as it is, or whose name is a part of its own; a batch is of all
                           images in order. Classes are the categories of their names, else those in the order of ids
${FIT_HELP}`;

export const IMAGE_OPTIONS = {
  image: { type: "string", multiple: true },
  gt: { type: "string" },
  fit: { type: "string" },
} as const;

/** The flags, checked. */
export interface ImageFlags {
  readonly files: readonly string[];
  readonly images: readonly string[];
  readonly gt: string | undefined;
  readonly fit: Fit | undefined;
}

/** What is known of an image. */
export interface KnownImage {
  readonly picture: ImageFile | undefined;
  readonly truth: CocoImage | undefined;
}

/** Reads the flags; the error of a wrong one names it. */
export function readImageFlags(
  files: readonly string[],
  { image: images = [], gt, fit }: { image?: string[]; gt?: string; fit?: string },
): ImageFlags {
  const folder = images.length === 1 && isFolder(images[0]);
  if (images.length > 0 && images.length !== files.length && !folder) {
    throw new UsageError(
      images.length === 1
        ? `--image is for one FILE; ${files.length} were given (repeat it for each, or give a folder)`
        : `--image is given ${images.length} times; wanted it ${files.length} times, once for each FILE, or a folder`,
    );
  }
  if (fit !== undefined && images.length === 0 && gt === undefined) {
    throw new UsageError("--fit is about --image, which was not given, or --gt");
  }
  return { files, images, gt, fit: optional(fit, (text) => choice("--fit", text, FITS)) };
}

/** Reads --gt. */
export async function readTruth({ gt }: Pick<ImageFlags, "gt">): Promise<CocoFile | undefined> {
  return gt === undefined ? undefined : await about(`--gt ${gt}`, () => readCoco(gt));
}

/** Finds the images of each FILE in turn, of which there may be a batch; no two are of one image of the truth. */
export async function imageFinder(
  { files, images }: ImageFlags,
  truth: CocoFile | undefined,
): Promise<(path: string, index: number, count: number) => readonly KnownImage[]> {
  const asked: KnownImage[] = [];
  for (const [i, path] of files.entries()) {
    const name = images[images.length === 1 ? 0 : i];
    if (name !== undefined) asked.push(await askedImage(isFolder(name) ? pictureIn(name, path) : name, truth));
  }
  const taken = new Map<CocoImage, string>();
  return (path, index, count) => {
    if (asked.length > 0 && count !== 1) throw new UsageError(`holds ${count} images; --image is for one`);
    const found = asked.length > 0 ? [asked[index]] : unasked(path, count, truth, files.length);
    for (const image of found.flatMap(({ truth }) => truth ?? [])) {
      const other = taken.get(image);
      if (other !== undefined) throw new UsageError(`is of image ${nameOf(image)}, as ${other} is`);
      taken.set(image, path);
    }
    return found;
  };
}

function unasked(path: string, count: number, truth: CocoFile | undefined, files: number): readonly KnownImage[] {
  if (truth === undefined) return Array(count).fill({ picture: undefined, truth: undefined });
  return imagesByName(path, count, truth, files).map((image) => ({ picture: undefined, truth: image }));
}

/** A name of the truth comes before a file of that name; a picture is of the image of the truth that is called as it is. */
async function askedImage(asked: string, truth: CocoFile | undefined): Promise<KnownImage> {
  const called = truth && findImage(truth, asked);
  const isName = called !== undefined && !(isPicture(asked) && existsSync(asked));
  if (isName || (truth !== undefined && !existsSync(asked))) {
    return { picture: undefined, truth: called ?? imageCalled(truth as CocoFile, asked) };
  }
  const picture = await about(asked, () => readImage(asked));
  if (truth === undefined) return { picture, truth: undefined };
  const image = called ?? imageCalled(truth, basename(asked));
  if (image.width !== picture.width || image.height !== picture.height) {
    const sizes = [picture, image].map(({ width, height }) => `${width}×${height}`);
    throw new UsageError(`--image ${asked} is ${sizes[0]}; --gt says ${sizes[1]} for ${nameOf(image)}`);
  }
  return { picture, truth: image };
}

function isPicture(name: string): boolean {
  return /\.(png|jpe?g)$/i.test(name);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function pictureIn(folder: string, path: string): string {
  const names = ["png", "jpg", "jpeg", "PNG", "JPG", "JPEG"].map((ending) => `${stemOf(path)}.${ending}`);
  const found = names.map((name) => join(folder, name)).find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new UsageError(`--image ${folder} has no ${names[0]} and no ${names[1]}`);
}
