/**
 * Pixels to a network's input: resize, padding, order of channels, normalisation and layout in one pass over the rows.
 *
 * Only the rows that the result needs are copied to linear memory, each once.
 */
import { doc } from "../doc.ts";
import { nameOf, routine } from "../operation.ts";
import { otherParam, type Param, paramReader } from "../params.ts";
import type { HostTensor, ImageTransform, InputSpec, Pixels, PreprocessOptions } from "../types.ts";
import { rangeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { type Method, methodOf, MOST_COVERED } from "./coefficients.ts";
import { type Placed, placeIn, transformOf } from "./geometry.ts";
import { checkInput } from "./input.ts";
import { checkOut } from "./out.ts";
import { type CheckedPixels, checkImages } from "./pixels.ts";
import type { Values } from "./values.ts";
import { writeImage } from "./write.ts";

const stem = "preprocess";
const op = nameOf(stem);

const PARAMS = {
  out: otherParam<Values>(
    doc`array that the result is written to in place of a new one: of the input's dtype, and of the result's length`,
  ),
} as const satisfies Record<keyof PreprocessOptions, Param>;

const readOptions = paramReader(op, PARAMS);

export interface Preprocessed<T> {
  readonly tensor: HostTensor;
  readonly transform: T;
}

export const preprocess = routine({
  stem,
  kernels: [
    "area_row",
    "area_rows",
    "bicubic_across",
    "bicubic_down",
    "bilinear_across",
    "bilinear_down",
    "pixel_floats",
    "pixel_table",
  ],
  shapes: doc`B images → (B, 3, H, W) or (B, H, W, 3)`,
  tensors:
    doc`pixels (h, w) grey, (h, w, 3) RGB or (h, w, 4) RGBA; result (B, 3, H, W), or (B, H, W, 3) with layout "nhwc", in the input's dtype`,
  summary: doc`images to the input of a network, and the transforms that take boxes back`,
  params: PARAMS,
  throws: [
    doc`TypeError if data are not width · height pixels of 1, 3 or 4 bytes`,
    doc`TypeError if \`out\` is of another dtype or length, or lies over an image's bytes`,
    doc`TypeError if there is no image, or a member of the input is of another kind`,
    doc`RangeError if width or height is not a whole number from 1 to 65536, a member of the input is outside its range, or "area" shrinks a side over 4095 times`,
  ],
  bounds: {},
  errorBound: doc`a resized byte is OpenCV's, or one beside it; a value is that of the byte, rounded once`,
  source: doc`OpenCV's resize, on bytes; the preprocessing of each family's own code`,
  run(
    backend: WasmBackend,
    pixels: Pixels | readonly Pixels[],
    input: InputSpec,
    options?: PreprocessOptions,
  ): Preprocessed<ImageTransform | ImageTransform[]> {
    const { images, many } = checkImages(op, pixels);
    const spec = checkInput(op, "input", input);
    const [height, width] = spec.size;
    const dims = spec.layout === "nchw" ? [images.length, 3, height, width] : [images.length, height, width, 3];
    const out = checkOut(op, readOptions(options).out, spec.dtype, images, 3 * height * width);
    const places = images.map((image) => placeIn(spec, image.width, image.height));
    images.forEach((image, i) => refuseHuge(image, methodOf(spec.resize, image, places[i]), places[i]));
    images.forEach((image, i) => writeImage(op, backend, spec, image, places[i], out, i));
    const data = backend.handedBack(out);
    const transforms = images.map((image, i) => transformOf(places[i], image.width, image.height));
    return { tensor: { data, dims }, transform: many ? transforms : transforms[0] };
  },
});

/** An image that is too many times as large as its place. */
function refuseHuge({ place, ...image }: CheckedPixels, method: Method, placed: Placed): void {
  if (method !== "area") return;
  for (const side of ["width", "height"] as const) {
    const most = MOST_COVERED * placed[side];
    if (image[side] <= most) continue;
    const wanted = `at most ${most}, ${MOST_COVERED} times what it is resized to, for resize "area"`;
    throw rangeError({ op, argument: `${place.argument}.${side}` }, image[side], wanted);
  }
}
