/** Pixels to the input of a network. */
import { createEngine, inputs } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { same, throws } from "../compare.ts";
import { random } from "../random.ts";
import type { Input, Picture } from "../reference/picture.ts";
import { preprocess } from "../reference/preprocess.ts";

const test = suite("preprocess");
const engine = await createEngine();
const { sync } = engine;
const r = random(31);

function picture(width: number, height: number, channels: number): Picture & { data: Uint8Array } {
  return { data: Uint8Array.from({ length: width * height * channels }, () => r.uniform(0, 256)), width, height };
}

/** From, to: kept, larger, smaller, odd, of one row or column. */
const SIZES = [[5, 5, 5, 5], [1, 1, 4, 6], [7, 5, 16, 12], [33, 21, 8, 8], [64, 1, 9, 9], [1, 50, 12, 12], [
  40,
  30,
  20,
  15,
]];

function matches(pictures: ReturnType<typeof picture>[], input: Input, what: string): void {
  const wanted = preprocess(pictures, input);
  const { tensor, transform } = sync.preprocess(pictures, input as never);
  assert.equal(tensor.dims, wanted.dims, what);
  assert.equal(transform, wanted.transforms, what);
  same(tensor.data as Float32Array, wanted.data, what);
}

test("grey, RGB and RGBA of many sizes, in every fit, order, layout and dtype", () => {
  for (const [width, height, W, H] of SIZES) {
    for (const channels of [1, 3, 4]) {
      for (const fit of ["letterbox", "top-left", "stretch"]) {
        for (const order of ["rgb", "bgr"] as const) {
          for (const [layout, dtype] of [["nchw", "float32"], ["nhwc", "float16"], ["nchw", "uint8"]]) {
            const input = {
              name: "own",
              size: [H, W],
              fit,
              order,
              layout,
              dtype,
              mean: [0.4, 0.5, 0.6],
              std: [0.2, 0.3, 2],
            };
            matches(
              [picture(width, height, channels)],
              input,
              `${width} × ${height} × ${channels} ${JSON.stringify(input)}`,
            );
          }
        }
      }
    }
  }
});

test("images of several sizes are one batch, with a transform each", () => {
  matches(
    [picture(9, 4, 3), picture(4, 9, 4), picture(3, 3, 1)],
    { name: "own", size: [8, 6], fit: "letterbox" } as Input,
    "batch",
  );
});

test("a preset needs a size, takes changes and names what it does not know", () => {
  assert.equal(inputs.yolox({ size: [416, 416], padValue: 0 }).padValue, 0);
  throws(() => inputs.yolov8({} as never), TypeError, "inputs.yolov8: options.size", "[height, width]");
  throws(
    () => inputs.yolov8({ size: [640, 640], padvalue: 1 } as never),
    TypeError,
    "padvalue",
    "did you mean padValue?",
  );
});

test.run();
