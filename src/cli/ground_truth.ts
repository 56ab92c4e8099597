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
export function imageCalled({ images }: CocoFile, name: string): CocoImage {
  const found = images.find((image) => String(image.id) === name || image.fileName === name);
  if (found !== undefined) return found;
  throw new UsageError(`has no image ${name}; it has ${listed(images)}`);
}

/**
 * The images of an output. One without a batch is of the only image, or of that whose file is called as it is; a batch is
 * of all images in order.
 */
export function imagesOf(path: string, count: number, { images }: CocoFile): readonly CocoImage[] {
  if (count === images.length) return images;
  if (count !== 1) throw new UsageError(`holds ${count} images; --gt has ${images.length}`);
  const found = images.filter(({ fileName }) => fileName?.replace(/\.\w+$/, "") === stemOf(path));
  if (found.length === 1) return found;
  throw new UsageError(`say with --image which image this is, of ${listed(images)}`);
}

const SHOWN = 5;

function listed(images: readonly CocoImage[]): string {
  const names = images.slice(0, SHOWN).map(nameOf).join(", ");
  return images.length <= SHOWN ? names : `${names} and ${images.length - SHOWN} more`;
}

/** Objects and crowds in the pixels of the network's input. */
export function inInput(image: CocoImage, inputSize: readonly [number, number], fit: Fit | undefined): GroundTruth {
  const { scaleX, scaleY, padX, padY } = transformFor(`image ${nameOf(image)}`, image, inputSize, fit);
  const place = (boxes: readonly Box[]) =>
    Float32Array.from(boxes.flat(), (side, i) => i % 2 === 0 ? side * scaleX + padX : side * scaleY + padY);
  return { boxes: place(image.boxes), labels: Int32Array.from(image.labels), ignore: place(image.crowds) };
}
