/** Pixels to the input of a network: against the reference, against OpenCV, streamed, and refused. */
import { createEngine, inputs, type InputSpec, type Pixels } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { same, throws } from "../compare.ts";
import opencv from "../fixtures/preprocess.json" with { type: "json" };
import { random } from "../random.ts";
import { type Input, placeOf } from "../reference/picture.ts";
import { preprocess } from "../reference/preprocess.ts";

const test = suite("preprocess");
const engine = await createEngine();
const { sync } = engine;
const r = random(31);

function noise(width: number, height: number, channels: number): Pixels {
  return { data: Uint8Array.from({ length: width * height * channels }, () => r.uniform(0, 256)), width, height };
}

/** As tools/pixel_fixtures.py makes it. */
function picture(width: number, height: number, channels: number): Pixels {
  const byte = (_: unknown, i: number) => (i * 73 + (i >> 3) * 29 + (i * i >> 5)) & 255;
  return { data: Uint8Array.from({ length: width * height * channels }, byte), width, height };
}

function matches(pictures: Pixels[], input: Input, what: string): void {
  const wanted = preprocess(pictures, input);
  const { tensor, transform } = sync.preprocess(pictures, { name: "own", ...input } as InputSpec);
  assert.equal(tensor.dims, wanted.dims, what);
  assert.equal(transform, wanted.transforms, what);
  same(tensor.data as Float32Array, wanted.data, what);
}

/** From, to: kept, larger, smaller, by odd ratios, of one row or column. */
const SIZES = [
  [5, 5, 5, 5],
  [1, 1, 4, 6],
  [7, 5, 16, 12],
  [33, 21, 8, 8],
  [64, 1, 9, 9],
  [1, 50, 12, 12],
  [40, 30, 20, 15],
  [26, 18, 13, 9],
  [2, 2, 1, 1],
  [15, 9, 5, 3],
  [12, 9, 4, 9],
];

const FITS = ["letterbox", "top-left", "stretch"];
const RESULTS = [["nchw", "float32"], ["nhwc", "float32"], ["nhwc", "float16"], ["nchw", "float16"], ["nchw", "uint8"]];
const SCALINGS = [{}, { mean: [0.4, 0.5, 0.6], std: [0.2, -0.3, 2] }];

test("grey, RGB and RGBA of many sizes, in every fit, order, layout and dtype: the values of the formula", () => {
  for (const [width, height, W, H] of SIZES) {
    for (const [i, fit] of FITS.entries()) {
      for (const [layout, dtype] of RESULTS) {
        for (const scaling of SCALINGS) {
          const order = scaling === SCALINGS[0] ? "rgb" : "bgr";
          const input = { size: [H, W], fit, order, layout, dtype, padValue: 40 * i, ...scaling } as Input;
          const channels = [1, 3, 4][(i + width) % 3];
          matches(
            [noise(width, height, channels)],
            input,
            `${width} × ${height} × ${channels} ${JSON.stringify(input)}`,
          );
        }
      }
    }
  }
});

test("bicubic, and area where it is a variant of bilinear: the bytes of the formula", () => {
  const [larger, oneAxis] = [[[7, 5, 16, 12], [3, 3, 9, 10], [1, 1, 4, 4]], [[40, 9, 13, 20], [9, 40, 20, 13]]];
  const smaller = [[33, 21, 8, 8], [40, 30, 20, 15], [2, 3, 1, 1], [64, 40, 11, 7]];
  for (const channels of [1, 3, 4]) {
    for (const [width, height, W, H] of [...larger, ...oneAxis, ...smaller]) {
      const image = noise(width, height, channels);
      const input = { size: [H, W], fit: "stretch", dtype: "uint8", layout: "nhwc" };
      matches([image], { ...input, resize: "bicubic" } as Input, `bicubic of ${width} × ${height} × ${channels}`);
      if (W > width || H > height) {
        matches([image], { ...input, resize: "area" } as Input, `area of ${width} × ${height}`);
      }
    }
  }
});

test("every byte has the value of the formula, rounded once: presets, and means that are bytes", () => {
  const bytes = { data: Uint8Array.from({ length: 256 }, (_, i) => i), width: 256, height: 1 };
  const presets = Object.values(inputs).map((make) => make({ size: [1, 256], fit: "stretch" }));
  const own = { ...presets[0], scale: 1, mean: [128, 104, 0], std: [57.12, -1, 3e-6] } as const;
  for (const preset of [...presets, own]) {
    for (const dtype of ["float32", "float16"] as const) {
      for (const layout of ["nchw", "nhwc"] as const) {
        const input = { ...preset, dtype, layout };
        matches([bytes], input, `${input.name}, ${dtype}, ${layout}`);
      }
    }
  }
});

/** How far bytes are from wanted ones: the largest difference, and the share that are equal. */
function compared(got: ArrayLike<number>, wanted: ArrayLike<number>): { most: number; equal: number } {
  assert.is(got.length, wanted.length);
  const differences = Array.from(wanted, (byte, i) => Math.abs(byte - got[i]));
  return { most: Math.max(...differences), equal: differences.filter((d) => d === 0).length / wanted.length };
}

test("area is the mean over each pixel's cell: to the byte for whole cells, halves to even; else within one", () => {
  const whole = [[40, 30, 10, 10], [64, 48, 16, 12], [36, 36, 6, 6], [64, 64, 8, 8], [10, 6, 10, 3]];
  const broken = [[33, 21, 8, 8], [64, 40, 11, 7], [200, 3, 3, 2], [301, 99, 2, 3]];
  for (const [width, height, W, H] of [...whole, ...broken]) {
    const least = width % W === 0 && height % H === 0 ? 1 : 0.97;
    for (const channels of [1, 3, 4]) {
      const input = { size: [H, W], fit: "stretch", dtype: "uint8", layout: "nhwc", resize: "area" } as Input;
      const image = noise(width, height, channels);
      const { tensor } = sync.preprocess(image, { name: "own", ...input } as InputSpec);
      const { most, equal } = compared(tensor.data, preprocess([image], input).data);
      assert.ok(most <= 1 && equal >= least, `${width} × ${height} × ${channels}: ${most}, ${equal}`);
    }
  }
});

test("means by area that are halves go to the even byte, in cells of any size", () => {
  for (const [columns, rows] of [[1, 4], [4, 4], [10, 10], [7, 14], [11, 20], [17, 18], [30, 64]]) {
    const [width, height] = [16 * columns, 15 * rows];
    // Rows of a byte and of the next one in turns; a byte of its own for each cell.
    const byte = (i: number) =>
      16 * Math.floor(i / width / rows) + Math.floor(i % width / columns) + Math.floor(i / width) % 2;
    const image = { data: Uint8Array.from({ length: width * height }, (_, i) => byte(i)), width, height };
    const input = { name: "own", size: [15, 16], fit: "stretch", dtype: "uint8", resize: "area" } as const;
    const { tensor } = sync.preprocess(image, input);
    const wanted = Uint8Array.from({ length: 720 }, (_, i) => i % 240 + i % 2);
    same(tensor.data, wanted, `${columns} × ${rows}`);
  }
});

test(`the bytes of OpenCV ${opencv.opencv}: bilinear all of them, others within one`, () => {
  const counts = { bilinear: 0, area: 0, bicubic: 0 };
  let bytes = 0;
  for (const each of opencv.cases) {
    const [width, height, channels] = each.size;
    const [W, H] = each.to;
    bytes += W * H * 3;
    for (const resize of ["bilinear", "area", "bicubic"] as const) {
      const input = { name: "own", size: [H, W], fit: "stretch", dtype: "uint8", layout: "nhwc", resize } as const;
      const { tensor } = sync.preprocess(picture(width, height, channels), input);
      const found = Uint8Array.from(atob(each[resize]), (letter) => letter.charCodeAt(0));
      const wanted = Array.from(
        tensor.data,
        (_, i) => found[channels * Math.floor(i / 3) + (channels === 1 ? 0 : i % 3)],
      );
      const { most, equal } = compared(tensor.data, wanted);
      assert.ok(most <= 1, `${resize} of ${each.size} to ${each.to}: ${most}`);
      counts[resize] += equal * wanted.length;
    }
  }
  assert.is(counts.bilinear, bytes);
  assert.ok(counts.area >= 0.98 * bytes, `area: ${counts.area} of ${bytes}`);
  assert.ok(counts.bicubic >= 0.999 * bytes, `bicubic: ${counts.bicubic} of ${bytes}`);
});

test("fits: no enlarging, sizes rounded half to even or down, at least one pixel", () => {
  const size = [10, 360] as const;
  for (const fit of ["letterbox", "top-left"] as const) {
    for (const rounding of ["round", "floor"] as const) {
      for (const scaleUp of [true, false]) {
        for (const [width, height] of [[717, 20], [719, 20], [5, 717], [400, 1], [1, 400], [30, 20], [100, 9]]) {
          const input = { name: "own", size, fit, rounding, scaleUp };
          const { transform } = sync.preprocess(noise(width, height, 1), input);
          assert.equal(transform, placeOf(input, { data: [], width, height }).transform, `${width} × ${height}`);
        }
      }
    }
  }
  const resized = (width: number, rounding: "round" | "floor") => {
    const { transform } = sync.preprocess(noise(width, 20, 1), { name: "own", size, fit: "top-left", rounding });
    return Math.round(transform.scaleX * width);
  };
  assert.equal([717, 719].map((width) => resized(width, "round")), [358, 360]);
  assert.equal([717, 719].map((width) => resized(width, "floor")), [358, 359]);
});

test("images of several sizes are one batch, with a transform each; one alone has its own", () => {
  const input = { size: [8, 6], fit: "letterbox" } as Input;
  matches([noise(9, 4, 3), noise(4, 9, 4), noise(3, 3, 1)], input, "batch");
  const image = noise(9, 4, 3);
  const { tensor, transform } = sync.preprocess(image, { name: "own", ...input } as InputSpec);
  const wanted = preprocess([image], input);
  assert.equal(transform, wanted.transforms[0]);
  same(tensor.data as Float32Array, wanted.data);
});

test("results go to `out`, which is the tensor's array", async () => {
  const image = noise(9, 4, 3);
  for (const [dtype, Type] of [["float32", Float32Array], ["float16", Uint16Array], ["uint8", Uint8Array]] as const) {
    const input = { name: "own", size: [4, 4], fit: "letterbox", dtype } as const;
    const out = new Type(48).fill(7);
    const { tensor } = sync.preprocess(image, input, { out });
    assert.is(tensor.data, out);
    same(out, sync.preprocess(image, input).tensor.data as Uint8Array);
    same((await engine.preprocess([image], input)).tensor.data as Uint8Array, out);
  }
});

test("a clamped array, and one in linear memory, are read where they are", () => {
  const input = inputs.yolox({ size: [6, 6] });
  const image = noise(8, 4, 4);
  const wanted = sync.preprocess(image, input).tensor.data as Float32Array;
  same(
    sync.preprocess({ ...image, data: Uint8ClampedArray.from(image.data) }, input).tensor.data as Float32Array,
    wanted,
  );
  const tensor = engine.tensor([32]);
  const data = new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, 128);
  data.set(image.data);
  same(sync.preprocess({ ...image, data }, input).tensor.data as Float32Array, wanted);
  tensor.dispose();
});

test("a large picture takes no more linear memory than some of its rows, and none is left", async () => {
  const own = await createEngine({ device: "wasm" });
  const before = own.memory.used;
  const large = { data: new Uint8Array(4000 * 3000 * 4).fill(100), width: 4000, height: 3000 };
  for (const resize of ["bilinear", "bicubic", "area"] as const) {
    const { tensor } = own.sync.preprocess(large, inputs.yolov8({ size: [64, 64], resize, scale: 1 }));
    assert.is(tensor.data[32 * 64], 100);
  }
  assert.is(own.memory.used, before);
  assert.ok(own.memory.peak - before < 512 * 1024, `${own.memory.peak - before} bytes`);
  own.dispose();
});

/** Bytes of an image that a call copies, by the language's own way to copy. */
function bytesCopied({ data }: Pixels, call: () => void): number {
  const typedArray = Object.getPrototypeOf(Uint8Array.prototype);
  const { set } = typedArray;
  let bytes = 0;
  typedArray.set = function (source: Uint8Array, at?: number) {
    if (source.buffer === data.buffer) bytes += source.length;
    return set.call(this, source, at);
  };
  try {
    call();
  } finally {
    typedArray.set = set;
  }
  return bytes;
}

test("only rows that a result needs are copied to linear memory, each once", () => {
  // Rows of an image of 120, the height that it is resized to, and how many of them have weight.
  const needed = [["bilinear", 40, 40], ["bilinear", 30, 60], ["bilinear", 300, 120], ["bilinear", 120, 120]] as const;
  const others = [["bicubic", 40, 40], ["bicubic", 20, 80], ["bicubic", 300, 120], ["area", 7, 120]] as const;
  const image = picture(5, 120, 4);
  for (const [resize, height, rows] of [...needed, ...others]) {
    const input = { name: "own", size: [height, 4], fit: "stretch", resize } as const;
    assert.is(bytesCopied(image, () => sync.preprocess(image, input)), rows * 5 * 4, `${resize} to ${height}`);
  }
});

test("a side is shrunk 4095 times by area, and the mean is right", () => {
  const input = { name: "own", size: [1, 16], fit: "stretch", resize: "area", dtype: "uint8" } as const;
  const image = {
    data: Uint8Array.from({ length: 4095 * 16 }, (_, i) => i % 4095 < 2730 ? 30 : 90),
    width: 4095 * 16,
    height: 1,
  };
  same(sync.preprocess(image, input).tensor.data, new Uint8Array(48).fill(50));
});

test("wide cells are summed in parts, in the least memory too", async () => {
  const small = await createEngine({ maxMemory: 256 * 1024 });
  const input = { name: "own", size: [2, 3], fit: "stretch", dtype: "uint8", layout: "nhwc", resize: "area" } as const;
  const image = noise(350, 460, 1);
  const wanted = preprocess([image], input as Input);
  for (const { sync } of [small, engine]) {
    const { most } = compared(sync.preprocess(image, input).tensor.data, wanted.data);
    assert.ok(most <= 1);
  }
  small.dispose();
});

test("a preset needs a size, takes changes and names what it does not know", () => {
  assert.equal(inputs.yolox({ size: [416, 416], padValue: 0 }).padValue, 0);
  assert.equal(inputs.yolox({ size: [416, 416] }).name, "yolox");
  throws(() => inputs.yolov8({} as never), TypeError, "inputs.yolov8: options.size", "[height, width]");
  throws(() => inputs.yolov8(undefined as never), TypeError, "inputs.yolov8: options is undefined");
  throws(() => inputs.gfl({ size: [640, 640], padvalue: 1 } as never), TypeError, "padvalue", "did you mean padValue?");
  throws(() => inputs.gfl({ size: [640, 0.5] }), RangeError, "inputs.gfl: options.size[1] is 0.5", "1 to 32768");
});

const bytes = (length: number) => new Uint8Array(length);
const good: Pixels = { data: bytes(48), width: 4, height: 4 };
const spec: InputSpec = inputs.yolov8({ size: [8, 8] });

/** What is wrong, its error and what this says. */
const REFUSED: readonly (readonly [unknown, unknown, unknown, ErrorConstructor, ...string[]])[] = [
  [undefined, spec, {}, TypeError, "pixels is undefined", "data, width and height"],
  [[], spec, {}, TypeError, "pixels is an array of 0", "at least one image"],
  [[good, null], spec, {}, TypeError, "pixels[1] is null"],
  [{ ...good, width: 5 }, spec, {}, TypeError, "pixels.data is Uint8Array(48)", "20, 60, 80 bytes", "5 × 4 pixels"],
  [[good, { ...good, height: 0 }], spec, {}, RangeError, "pixels[1].height is 0", "an integer from 1 to 65536"],
  [{ ...good, width: 1.5 }, spec, {}, RangeError, "pixels.width is 1.5"],
  [{ ...good, width: "4" }, spec, {}, TypeError, 'pixels.width is "4"', "an integer"],
  [{ ...good, width: NaN }, spec, {}, RangeError, "pixels.width is NaN"],
  [{ ...good, data: [1, 2] }, spec, {}, TypeError, "pixels.data is an array of 2", "Uint8Array or Uint8ClampedArray"],
  [{ ...good, data: new Float32Array(48) }, spec, {}, TypeError, "pixels.data is Float32Array(48)"],
  [good, undefined, {}, TypeError, "input is undefined", "inputs.yolov8"],
  [good, { ...spec, fit: "cover" }, {}, TypeError, 'input.fit is "cover"', '"letterbox" or "top-left" or "stretch"'],
  [good, { ...spec, fit: undefined }, {}, TypeError, "input.fit is undefined"],
  [good, { ...spec, name: undefined }, {}, TypeError, "input.name is undefined"],
  [good, { ...spec, size: [8] }, {}, TypeError, "input.size is an array of 1", "[height, width]"],
  [good, { ...spec, size: [8, 1e6] }, {}, RangeError, "input.size[1] is 1000000"],
  [good, { ...spec, scale: NaN }, {}, RangeError, "input.scale is NaN", "a finite number"],
  [good, { ...spec, mean: [0, 0] }, {}, TypeError, "input.mean is an array of 2", "three numbers"],
  [good, { ...spec, mean: [0, 0, Infinity] }, {}, RangeError, "input.mean[2] is Infinity"],
  [good, { ...spec, std: [1, 0, 1] }, {}, RangeError, "input.std is [1, 0, 1]", "numbers other than 0"],
  [good, { ...spec, padValue: 256 }, {}, RangeError, "input.padValue is 256", "an integer from 0 to 255"],
  [good, { ...spec, padValue: 0.5 }, {}, RangeError, "input.padValue is 0.5"],
  [good, { ...spec, scaleUp: 1 }, {}, TypeError, "input.scaleUp is number 1"],
  [good, { ...spec, dtype: "int8" }, {}, TypeError, 'input.dtype is "int8"'],
  [good, { ...spec, resise: "area" }, {}, TypeError, "input.resise is unknown", "did you mean resize?"],
  [good, spec, { out: new Float32Array(3) }, TypeError, "options.out is Float32Array(3)", "Float32Array(192)"],
  [good, spec, { out: new Uint16Array(192) }, TypeError, "options.out is Uint16Array(192)", "float32"],
  [good, { ...spec, dtype: "float16" }, { out: new Float32Array(192) }, TypeError, "Uint16Array(192)", "float16"],
  [good, spec, { outs: 1 }, TypeError, "options.outs is unknown", "did you mean out?"],
  [
    { data: bytes(65536), width: 65536, height: 1 },
    { ...spec, size: [1, 15], fit: "stretch", resize: "area" },
    {},
    RangeError,
    "pixels.width is 65536",
    "at most 61425",
    '"area"',
  ],
];

test("bad input is refused by name, and the engine works on", () => {
  const wanted = sync.preprocess(good, spec).tensor.data as Float32Array;
  const { used } = engine.memory;
  for (const [pixels, input, options, kind, ...parts] of REFUSED) {
    throws(
      () => sync.preprocess(pixels as Pixels, input as InputSpec, options as object),
      kind,
      "preprocess: ",
      ...parts,
    );
  }
  const gone = bytes(48);
  structuredClone(gone, { transfer: [gone.buffer] });
  throws(() => sync.preprocess({ ...good, data: gone }, spec), TypeError, "pixels.data is Uint8Array(0)");
  same(sync.preprocess(good, spec).tensor.data as Float32Array, wanted);
  assert.is(engine.memory.used, used);
});

test("a result over an image's bytes is refused", () => {
  const data = bytes(400);
  const input = { ...spec, dtype: "uint8", size: [4, 4] } as const;
  const image = { ...good, data: data.subarray(40, 88) };
  for (const start of [0, 40, 87]) {
    const call = () => sync.preprocess([image], input, { out: data.subarray(start, start + 48) });
    throws(call, TypeError, "options.out is an array that overlaps pixels[0].data");
  }
  sync.preprocess(image, input, { out: data.subarray(88, 136) });
});

test("so is one in linear memory that has grown since the image was read", async () => {
  const own = await createEngine();
  const tensor = own.tensor([100]);
  const view = (from: number) => new Uint8Array(tensor.data.buffer, tensor.data.byteOffset + from, 48);
  const options = {
    get out() {
      own.tensor([own.memory.reserved >> 2]);
      return view(24);
    },
  };
  const input = { ...spec, dtype: "uint8", size: [4, 4] } as const;
  throws(() => own.sync.preprocess({ ...good, data: view(0) }, input, options), TypeError, "overlaps pixels.data");
  own.dispose();
});

test.run();
