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
import { placeIn, transformOf } from "./geometry.ts";
import { checkInput } from "./input.ts";
import { checkOut } from "./out.ts";
import { checkImages } from "./pixels.ts";
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
  kernels: ["bilinear_blend", "bilinear_row", "pixel_values"],
  shapes: doc`B images → (B, 3, H, W) or (B, H, W, 3)`,
  tensors:
    doc`pixels (h, w) grey, (h, w, 3) RGB or (h, w, 4) RGBA; result (B, 3, H, W), or (B, H, W, 3) with layout "nhwc", in the input's dtype`,
  summary: doc`images to the input of a network, and the transforms that take boxes back`,
  params: PARAMS,
  throws: [
    doc`TypeError if data are not width · height pixels of 1, 3 or 4 bytes`,
    doc`TypeError if \`out\` is of another dtype or length, or lies over an image's bytes`,
    doc`TypeError if there is no image, or a member of the input is of another kind`,
    doc`RangeError if width or height is not a whole number from 1 to 65536, or a member of the input is outside its range`,
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
    if (spec.resize !== "bilinear") throw rangeError({ op, argument: "input.resize" }, spec.resize, `"bilinear"`);
    const [height, width] = spec.size;
    const dims = spec.layout === "nchw" ? [images.length, 3, height, width] : [images.length, height, width, 3];
    const out = checkOut(op, readOptions(options).out, spec.dtype, images, 3 * height * width);
    const places = images.map((image) => placeIn(spec, image.width, image.height));
    const data = backend.memory.frame(op, (allocate) => {
      images.forEach((image, i) => writeImage(backend, allocate, spec, image, places[i], out, i));
      return backend.handedBack(out);
    });
    const transforms = images.map((image, i) => transformOf(places[i], image.width, image.height));
    return { tensor: { data, dims }, transform: many ? transforms : transforms[0] };
  },
});
