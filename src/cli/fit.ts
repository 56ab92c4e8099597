/**
 * How an image was fitted into the network's input. `detect` undoes the transform, and truth
 * is taken to the input by it.
 */
import { placeIn, transformOf } from "../pixels/geometry.ts";
import type { ImageTransform } from "../types.ts";
import { UsageError } from "./errors.ts";

/** The ways, as --fit names them. */
export const FITS = ["letterbox", "top-left", "stretch", "letterbox-exact"] as const;
export type Fit = typeof FITS[number];

export const FIT_HELP = `  --fit KIND               how an image of another shape was fitted to the input:
                           letterbox        ratio kept, size rounded to whole pixels, centred (Ultralytics)
                           top-left         the same, at the top left corner (MMDetection, YOLOX)
                           stretch          ratio not kept
                           letterbox-exact  letterbox by one affine warp, nothing rounded (NanoDet)`;

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The transform from image to input. Images of the input's shape need no word about how they were fitted. */
export function transformFor(
  what: string,
  image: Size,
  [inputHeight, inputWidth]: readonly [number, number],
  fit: Fit | undefined,
): ImageTransform {
  const input: readonly [number, number] = [inputHeight, inputWidth];
  if (fit !== undefined) return transformTo(input, image, fit);
  if (image.width * inputHeight === image.height * inputWidth) return transformTo(input, image, "stretch");
  throw new UsageError(
    `${what} is ${image.width}×${image.height}, the input ${inputWidth}×${inputHeight}; ` +
      `say --fit ${FITS.slice(0, -1).join(", ")} or ${FITS.at(-1)}`,
  );
}

function transformTo(size: readonly [number, number], { width, height }: Size, fit: Fit): ImageTransform {
  if (fit === "letterbox-exact") return exactLetterbox(size, width, height);
  return transformOf(placeIn({ size, fit, scaleUp: true, rounding: "round" }, width, height), width, height);
}

/** Centred to fractions of a pixel. */
function exactLetterbox(
  [inputHeight, inputWidth]: readonly [number, number],
  width: number,
  height: number,
): ImageTransform {
  const scale = Math.min(inputHeight / height, inputWidth / width);
  return {
    scaleX: scale,
    scaleY: scale,
    padX: (inputWidth - width * scale) / 2,
    padY: (inputHeight - height * scale) / 2,
    clip: [height, width],
  };
}
