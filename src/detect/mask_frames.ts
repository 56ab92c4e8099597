/**
 * The frame of an image's masks, and the arguments that masks are made of.
 */
import type { Prototypes } from "../heads/prototypes.ts";
import type { Axis } from "../masks/axis.ts";
import type { HeadSpec, ImageTransform } from "../types.ts";
import { type AnySource, rangeError, typeError } from "../validate.ts";

/** What run lengths and arrays can count. */
const MOST_PIXELS = 2 ** 31 - 1;

type Size = readonly [number, number];

/** Refuses masks without prototypes, and frames whose pixels cannot be counted. */
export function checkMasks(
  op: string,
  { name, maskCoefficients }: HeadSpec,
  imageSize: Size,
  prototypes: Prototypes<AnySource> | null,
  transforms: readonly (ImageTransform | null)[],
): void {
  if (prototypes === null) {
    const shapes = `(B, ${maskCoefficients}, height, width) or (B, height, width, ${maskCoefficients})`;
    const wanted = `a tensor ${shapes} for the masks of head ${name}, or masks: false`;
    throw typeError({ op, argument: "outputs.prototypes" }, "undefined", wanted);
  }
  const { argument, height, width } = prototypes;
  if (height * width === 0) throw typeError({ op, argument }, `of ${height} × ${width} samples`, "some");
  for (const transform of transforms) {
    const { down, across } = frameOf(imageSize, transform, prototypes);
    if (down.pixels * across.pixels <= MOST_PIXELS) continue;
    const frame = transform?.clip === undefined ? "options.imageSize" : "options.transform.clip";
    const wanted = "at most 2³¹ − 1 pixels, or masks: false";
    throw rangeError({ op, argument: frame }, `[${down.pixels}, ${across.pixels}]`, wanted);
  }
}

/** The image where its size is known, else the network's input. */
export function frameOf(
  imageSize: Size,
  transform: ImageTransform | null,
  { height, width }: Pick<Prototypes<AnySource>, "height" | "width">,
): { readonly across: Axis; readonly down: Axis } {
  const samples = [height, width];
  const axis = (side: 0 | 1, size: readonly number[], scale: number, pad: number): Axis => ({
    pixels: Math.ceil(size[side]),
    samples: samples[side],
    scale,
    pad,
    ratio: samples[side] / imageSize[side],
  });
  if (transform?.clip === undefined) return { across: axis(1, imageSize, 1, 0), down: axis(0, imageSize, 1, 0) };
  const { scaleX, scaleY, padX, padY, clip } = transform;
  return { across: axis(1, clip, scaleX, padX), down: axis(0, clip, scaleY, padY) };
}
