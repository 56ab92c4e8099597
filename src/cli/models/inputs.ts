/**
 * What a model's inputs want: one takes the picture, others are told its size.
 */
import { UsageError } from "../errors.ts";
import type { ValueMetadata } from "./onnx_runtime.ts";

/** The input that takes the picture. */
export interface PictureInput {
  readonly name: string;
  readonly dtype: "float32" | "float16" | "uint8";
  readonly layout: "nchw" | "nhwc";
  /** Undefined where the model takes any. */
  readonly height: number | undefined;
  readonly width: number | undefined;
}

const DTYPES = ["float32", "float16", "uint8"] as const;
const CHANNELS = 3;

/** Of all inputs the one of four axes. */
export function pictureInput(inputs: readonly ValueMetadata[]): PictureInput {
  const found = inputs.filter(({ shape }) => shape?.length === 4);
  const wanted = "wanted one input of shape (1, 3, height, width) or (1, height, width, 3)";
  if (found.length !== 1) throw new UsageError(`its inputs are ${inputs.map(inputText).join(", ")}; ${wanted}`);
  const [{ name, type, shape }] = found;
  const [batch, ...sides] = (shape ?? []).map((length) =>
    typeof length === "number" && length > 0 ? length : undefined
  );
  if (batch !== undefined && batch !== 1) {
    throw new UsageError(
      `${inputText(found[0])} takes ${batch} pictures at a time; wanted a batch of 1, or of any length`,
    );
  }
  const dtype = DTYPES.find((known) => known === type);
  if (dtype === undefined) throw new UsageError(`${inputText(found[0])}; wanted ${DTYPES.join(", ")}`);
  const layout = layoutOf(sides);
  if (layout === undefined) throw new UsageError(`${inputText(found[0])} has no axis of 3 channels; ${wanted}`);
  const [height, width] = layout === "nchw" ? sides.slice(1) : sides;
  return { name, dtype, layout, height, width };
}

/** By the axis of three channels; where the model names none, channels come first. */
function layoutOf([first, , last]: readonly (number | undefined)[]): PictureInput["layout"] | undefined {
  if (first === CHANNELS) return "nchw";
  if (last === CHANNELS) return "nhwc";
  return first === undefined ? "nchw" : undefined;
}

/** "images: float32 (1, 3, 640, 640)". */
export function inputText({ name, type, shape }: ValueMetadata): string {
  const dims = shape?.map((length) => length === "" ? "?" : length).join(", ");
  return `${name}: ${type ?? "no tensor"}${dims === undefined ? "" : ` (${dims})`}`;
}

/** Told to graphs that end in boxes of the image: width, height. */
const IMAGE_SIZE = "orig_target_sizes";

/** Does the graph end in labels, boxes and scores, as D-FINE's and RT-DETR's own exports? */
export function endsInDetections(inputs: readonly ValueMetadata[]): boolean {
  return inputs.some(({ name }) => name === IMAGE_SIZE);
}

type Size = readonly [number, number];

/**
 * Inputs that tell a graph with a decode of its own what its boxes are in: here pixels of the network's input, from which `detect`
 * goes on to those of the image. D-FINE and RT-DETR have the width first, PaddlePaddle the height.
 */
const SIZES: Readonly<Record<string, (size: Size) => readonly [number, number]>> = {
  [IMAGE_SIZE]: ([height, width]) => [width, height],
  im_shape: (size) => size,
  scale_factor: () => [1, 1],
};

/** What an input beside the picture gets, of shape (1, 2). */
export interface Feed {
  readonly name: string;
  readonly type: keyof typeof ARRAYS;
  readonly values: readonly number[];
}

/** Arrays of the types that such an input may have. */
export const ARRAYS = {
  int64: (values: readonly number[]) => BigInt64Array.from(values, BigInt),
  int32: (values: readonly number[]) => Int32Array.from(values),
  float32: (values: readonly number[]) => Float32Array.from(values),
} as const;

/** Of each input beside the picture. */
export function feedsOf(inputs: readonly ValueMetadata[], picture: PictureInput, size: Size): Feed[] {
  return inputs.filter(({ name }) => name !== picture.name).map((input) => {
    const { name, type = "" } = input;
    if (Object.hasOwn(SIZES, name) && Object.hasOwn(ARRAYS, type)) {
      return { name, type: type as Feed["type"], values: SIZES[name](size) };
    }
    throw new UsageError(
      `${inputText(input)} is an input beside the picture; the command knows ${Object.keys(SIZES).join(", ")} of ` +
        Object.keys(ARRAYS).join(", "),
    );
  });
}
