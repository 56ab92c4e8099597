/**
 * From the network's input back to the image that was fitted into it.
 */
import type { ImageTransform } from "../types.ts";
import { UsageError } from "./errors.ts";

/** How an image of another size became the input. */
export const FITS = ["letterbox", "stretch"] as const;
export type Fit = typeof FITS[number];

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The transform that `detect` undoes. Images of the input's shape need no word about how they were fitted. */
export function transformFor(
  what: string,
  { width, height }: Size,
  [inputHeight, inputWidth]: readonly [number, number],
  fit: Fit | undefined,
): ImageTransform {
  const clip = [height, width] as const;
  const scaleX = inputWidth / width;
  const scaleY = inputHeight / height;
  if (fit === "stretch" || scaleX === scaleY) return { scaleX, scaleY, padX: 0, padY: 0, clip };
  if (fit === undefined) {
    throw new UsageError(
      `${what} is ${width}×${height}, the input ${inputWidth}×${inputHeight}; say --fit letterbox or --fit stretch`,
    );
  }
  const scale = Math.min(scaleX, scaleY);
  const padX = (inputWidth - width * scale) / 2;
  const padY = (inputHeight - height * scale) / 2;
  return { scaleX: scale, scaleY: scale, padX, padY, clip };
}
