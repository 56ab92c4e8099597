/** Pixels to a network's input, pixel by pixel in float64: see the formulas in src/types.ts. */
import { CHANNEL_ORDERS, halfOf, type Input, type Picture, placeOf, resized } from "./picture.ts";

interface Result {
  data: number[];
  dims: number[];
  transforms: object[];
}

export function preprocess(pictures: readonly Picture[], input: Input): Result {
  const [H, W] = input.size;
  const { padValue = 114, order = "rgb", layout = "nchw", scale = 1 / 255, mean = [0, 0, 0], std = [1, 1, 1] } = input;
  const data = new Array<number>(pictures.length * 3 * H * W);
  const transforms = pictures.map((picture, b) => {
    const place = placeOf(input, picture);
    const bytes = resized(picture, place.width, place.height, input.resize ?? "bilinear");
    for (let y = 0; y < H; y++) {
      for (let x = 0; x < W; x++) {
        CHANNEL_ORDERS[order].forEach((from, c) => {
          const [u, v] = [x - place.left, y - place.top];
          const inside = u >= 0 && v >= 0 && u < place.width && v < place.height;
          const byte = inside ? bytes[3 * (v * place.width + u) + from] : padValue;
          const at = layout === "nchw" ? ((b * 3 + c) * H + y) * W + x : ((b * H + y) * W + x) * 3 + c;
          data[at] = valueOf(byte, (byte * scale - mean[c]) / std[c], input.dtype);
        });
      }
    }
    return place.transform;
  });
  return { data, transforms, dims: layout === "nchw" ? [pictures.length, 3, H, W] : [pictures.length, H, W, 3] };
}

function valueOf(byte: number, value: number, dtype: Input["dtype"] = "float32"): number {
  return dtype === "uint8" ? byte : dtype === "float16" ? halfOf(value) : Math.fround(value);
}

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 73 + (i >> 3) * 29) & 255);

export const argumentCases = [
  () => [
    { data: bytes(7 * 5 * 4), width: 7, height: 5 },
    { name: "own", size: [8, 12], fit: "letterbox", std: [0.5, 0.25, 2] },
    { out: new Float32Array(3 * 8 * 12) },
  ],
  () => [
    [{ data: bytes(30), width: 6, height: 5 }, { data: bytes(36), width: 3, height: 4 }],
    { name: "own", size: [4, 4], fit: "stretch", order: "bgr", layout: "nhwc", dtype: "float16", scaleUp: true },
    { out: new Uint16Array(2 * 48) },
  ],
];
