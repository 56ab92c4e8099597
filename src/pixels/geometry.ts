/**
 * Where an image goes in a network's input, and the transform that takes boxes back. No pixels here: every device uses it.
 */
import type { ImageTransform } from "../types.ts";
import type { CheckedInput } from "./input.ts";

/** The resized image's place in the input, in pixels. */
export interface Placed {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
}

/** What decides where an image goes. */
export type Fitting = Pick<CheckedInput, "size" | "fit" | "scaleUp" | "rounding">;

/** Where an image of that size goes. */
export function placeIn(input: Fitting, width: number, height: number): Placed {
  const [inputHeight, inputWidth] = input.size;
  if (input.fit === "stretch") return { width: inputWidth, height: inputHeight, left: 0, top: 0 };
  const fitting = Math.min(inputHeight / height, inputWidth / width);
  const ratio = input.scaleUp ? fitting : Math.min(fitting, 1);
  const whole = input.rounding === "floor" ? Math.floor : roundHalfToEven;
  const placed = { width: Math.max(1, whole(width * ratio)), height: Math.max(1, whole(height * ratio)) };
  if (input.fit === "top-left") return { ...placed, left: 0, top: 0 };
  // Of an odd padding the smaller half: so round(pad / 2 − 0.1) has it.
  const before = (outer: number, inner: number) => Math.floor((outer - inner) / 2);
  return { ...placed, left: before(inputWidth, placed.width), top: before(inputHeight, placed.height) };
}

/** input = image · scale + pad, with the scale of the whole pixels that the image was resized to. */
export function transformOf(placed: Placed, width: number, height: number): ImageTransform {
  return {
    scaleX: placed.width / width,
    scaleY: placed.height / height,
    padX: placed.left,
    padY: placed.top,
    clip: [height, width],
  };
}

/** As Python's round and the C library's rint. */
export function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}
