/**
 * How an image was fitted into the network's input: all geometry of the command. `detect` undoes the transform, and truth
 * is taken to the input by it.
 */
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
  const input = { width: inputWidth, height: inputHeight };
  if (fit !== undefined) return transformOf(image, resized(image, input, fit), input, fit);
  if (image.width * inputHeight === image.height * inputWidth) return transformOf(image, input, input, "stretch");
  throw new UsageError(
    `${what} is ${image.width}×${image.height}, the input ${inputWidth}×${inputHeight}; ` +
      `say --fit ${FITS.slice(0, -1).join(", ")} or ${FITS.at(-1)}`,
  );
}

/** The size that the image has in the input. */
function resized(image: Size, input: Size, fit: Fit): Size {
  if (fit === "stretch") return input;
  const ratio = Math.min(input.height / image.height, input.width / image.width);
  const [width, height] = [image.width * ratio, image.height * ratio];
  return fit === "letterbox-exact" ? { width, height } : { width: whole(width), height: whole(height) };
}

/** Half to even, as Python and NumPy round; at least one pixel. */
function whole(side: number): number {
  return Math.max(1, side % 2 === 0.5 ? Math.floor(side) : Math.round(side));
}

function transformOf(image: Size, inside: Size, input: Size, fit: Fit): ImageTransform {
  return {
    scaleX: inside.width / image.width,
    scaleY: inside.height / image.height,
    padX: padding(input.width - inside.width, fit),
    padY: padding(input.height - inside.height, fit),
    clip: [image.height, image.width],
  };
}

/** Left of the image, or above it. Of an odd number of pixels the smaller half, as round(pad/2 − 0.1) gives. */
function padding(free: number, fit: Fit): number {
  switch (fit) {
    case "letterbox":
      return Math.floor(free / 2);
    case "letterbox-exact":
      return free / 2;
    default:
      return 0;
  }
}
