/**
 * Pixels to a network's input: resize, padding, order of channels, normalisation and layout in one pass over the rows.
 *
 * Only the rows that the result needs are copied to linear memory, each once.
 */
import { doc } from "../doc.ts";
import { nameOf, routine } from "../operation.ts";
import { otherParam, type Param, paramReader } from "../params.ts";
import type { GpuTexture, InputSpec, Pixels, PreprocessOptions } from "../types.ts";
import { describe, type Place, rangeError, typeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { methodOf, MOST_COVERED } from "./coefficients.ts";
import { type Placed, placeIn, transformOf } from "./geometry.ts";
import { type CheckedInput, checkInput } from "./input.ts";
import { checkOut } from "./out.ts";
import { checkImages } from "./pixels.ts";
import { type CheckedPreprocess, PreprocessCall } from "./preprocess_call.ts";
import { checkTextures, type Textures } from "./textures.ts";
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

export const preprocess = routine({
  stem,
  kernels: [
    "area_row",
    "area_rows",
    "bicubic_across",
    "bicubic_down",
    "bilinear_across",
    "bilinear_down",
    "half_row",
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
    doc`TypeError if a texture is of another format or usage, or textures and other images are in one list`,
    doc`TypeError if there is no image, or a member of the input is of another kind`,
    doc`RangeError if width or height is not a whole number from 1 to 65536, a member of the input is outside its range, or "area" shrinks a side over 4095 times`,
  ],
  bounds: {},
  errorBound: doc`a resized byte is OpenCV's, or one beside it; a value is that of the byte, rounded once`,
  source: doc`OpenCV's resize, on bytes; the preprocessing of each family's own code`,
  staysOnHost: {
    because: "images on the host are resized there; a GPUTexture is resized on its device",
    unlessThreshold: false,
    always: true,
  },
  check,
  run: (backend: WasmBackend, pixels: Given, input: InputSpec, options?: PreprocessOptions): unknown =>
    check(pixels, input, options).onWasm(backend),
});

type Given = Pixels | readonly Pixels[] | GpuTexture | readonly GpuTexture[];

function check(pixels: Given, input: InputSpec, options?: PreprocessOptions): PreprocessCall {
  const textures = checkTextures(op, pixels);
  return textures === null ? checkHost(pixels, input, options) : checkDevice(textures, input, options);
}

function checkHost(pixels: Given, input: InputSpec, options?: PreprocessOptions): PreprocessCall {
  const { images, many } = checkImages(op, pixels);
  const spec = checkInput(op, "input", input);
  const [height, width] = spec.size;
  const out = checkOut(op, readOptions(options).out, spec.dtype, images, 3 * height * width);
  const batch = batchOf(spec, images, many);
  return new PreprocessCall({ op, input: spec, ...batch, textures: [] }, (backend) => {
    images.forEach((image, i) => writeImage(op, backend, spec, image, batch.places[i], out, i));
    return { tensor: { data: backend.handedBack(out), dims: batch.dims }, transform: batch.transform };
  });
}

function checkDevice({ images, many }: Textures, input: InputSpec, options?: PreprocessOptions): PreprocessCall {
  const spec = checkInput(op, "input", input);
  const { out } = readOptions(options);
  if (out !== undefined) {
    const wanted = "none: the result of a GPUTexture stays on its device";
    throw typeError({ op, argument: "options.out" }, describe(out), wanted);
  }
  const textures = images.map(({ texture }) => texture);
  return new PreprocessCall({ op, input: spec, ...batchOf(spec, images, many), textures }, () => {
    const wanted = "pixels on the host: operations on WASM do not read textures";
    throw typeError(images[0].place, "a GPUTexture", wanted);
  });
}

/** An image of any kind. */
interface Image {
  readonly place: Place;
  readonly width: number;
  readonly height: number;
}

/** Shape, places and transforms of a batch. */
function batchOf(
  input: CheckedInput,
  images: readonly Image[],
  many: boolean,
): Pick<CheckedPreprocess, "dims" | "places" | "transform"> {
  const [height, width] = input.size;
  const dims = input.layout === "nchw" ? [images.length, 3, height, width] : [images.length, height, width, 3];
  const places = images.map((image) => placeIn(input, image.width, image.height));
  images.forEach((image, i) => refuseHuge(input, image, places[i]));
  const transforms = images.map((image, i) => transformOf(places[i], image.width, image.height));
  return { dims, places, transform: many ? transforms : transforms[0] };
}

/** An image that is too many times as large as its place. */
function refuseHuge({ resize }: CheckedInput, { place, ...image }: Image, placed: Placed): void {
  if (methodOf(resize, image, placed) !== "area") return;
  for (const side of ["width", "height"] as const) {
    const most = MOST_COVERED * placed[side];
    if (image[side] <= most) continue;
    const wanted = `at most ${most}, ${MOST_COVERED} times what it is resized to, for resize "area"`;
    throw rangeError({ op, argument: `${place.argument}.${side}` }, image[side], wanted);
  }
}
