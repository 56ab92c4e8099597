/**
 * The truth about an output: which images it is of, and where their objects are in its pixels.
 */
import type { GroundTruth } from "../types.ts";
import { UsageError } from "./errors.ts";
import { type Fit, transformFor } from "./fit.ts";
import type { Box, CocoFile, CocoImage } from "./readers/coco.ts";
import { stemOf } from "./readers/tensors.ts";

/** The name of an image's file, else its id. */
export function nameOf({ id, fileName }: CocoImage): string {
  return fileName ?? String(id);
}

/** The image whose id or file name that is. */
export function findImage({ images }: CocoFile, name: string): CocoImage | undefined {
  return images.find((image) => String(image.id) === name || image.fileName === name) ??
    images.find(({ fileName }) => fileName !== undefined && baseName(fileName) === name);
}

/** The same; an error says which there are. */
export function imageCalled(truth: CocoFile, name: string): CocoImage {
  const found = findImage(truth, name);
  if (found !== undefined) return found;
  throw new UsageError(`--gt has no image ${name}; it has ${listed(truth.images)}`);
}

/**
 * The images of an output, by its name. A batch is of all images in order. The only image serves the only FILE, unless that
 * is called as another image would be.
 */
export function imagesByName(path: string, count: number, { images }: CocoFile, files: number): readonly CocoImage[] {
  if (count > 1 && count === images.length) return images;
  if (count > 1) throw new UsageError(`holds ${count} images; --gt has ${images.length}`);
  const stem = stemOf(path);
  const found = [hasName, isPartOf].map((names) => images.filter((image) => names(stemOfImage(image), stem)));
  const named = found.find((list) => list.length > 0) ?? [];
  if (named.length === 1) return named;
  if (named.length === 0 && images.length === 1 && files === 1 && !isAnother(stemOfImage(images[0]), stem)) {
    return images;
  }
  const each = files > 1 ? " (--image once for each FILE, in their order)" : "";
  throw new UsageError(`say with --image which image this is, of ${listed(named.length > 1 ? named : images)}${each}`);
}

function hasName(image: string, file: string): boolean {
  return image === file;
}

/** Shorter names are parts of others by chance. */
const TELLING = 4;

/** nanodet_000000255165 has the name of 000000255165 in it: neither a letter nor a digit goes on at its ends. */
function isPartOf(image: string, file: string): boolean {
  return image.length >= TELLING && bounded(escaped(image), image).test(file);
}

/** scene2 is not scene1, nor is nanodet_000000423617 of 000000255165: the same but for the digits. */
function isAnother(image: string, file: string): boolean {
  if (!/\d/.test(image)) return false;
  const onlyDigits = /^\d+$/.test(image);
  const pattern = escaped(image).replaceAll(/\d+/g, ({ length }) => onlyDigits ? `\\d{${length}}` : "\\d+");
  return new RegExp(`^${pattern}$`).test(file) || (image.length >= TELLING && bounded(pattern, image).test(file));
}

function bounded(pattern: string, name: string): RegExp {
  const [before, after] = [name[0], name[name.length - 1]].map((end) => /\d/.test(end) ? "\\d" : "[\\p{L}\\d]");
  return new RegExp(`(?<!${before})${pattern}(?!${after})`, "u");
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function stemOfImage(image: CocoImage): string {
  return baseName(nameOf(image)).replace(/\.\w+$/, "");
}

function baseName(path: string): string {
  return path.split(/[/\\]/).at(-1) ?? path;
}

const SHOWN = 5;

function listed(images: readonly CocoImage[]): string {
  const names = images.slice(0, SHOWN).map(nameOf).join(", ");
  return images.length <= SHOWN ? names : `${names} and ${images.length - SHOWN} more`;
}

/** Objects and crowds in the pixels of the network's input; `classes` has each category's class. */
export function inInput(
  image: CocoImage,
  inputSize: readonly [number, number],
  fit: Fit | undefined,
  classes: readonly number[],
): GroundTruth {
  const { scaleX, scaleY, padX, padY } = transformFor(`image ${nameOf(image)}`, image, inputSize, fit);
  const place = (boxes: readonly Box[]) =>
    Float32Array.from(boxes.flat(), (side, i) => i % 2 === 0 ? side * scaleX + padX : side * scaleY + padY);
  return {
    boxes: place(image.boxes),
    labels: Int32Array.from(image.labels, (category) => classes[category]),
    ignore: place(image.crowds),
  };
}
