/** `preprocess` of textures on WebGPU: the kernels' values to the bit, where they stay, and what is refused. */
import { createEngine, type Engine, inputs, type InputSpec } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { rejects, throws } from "../compare.ts";
import { random } from "../random.ts";
import { floatsOf, newDevice, noDevice, watch } from "./gpu.ts";
import { skip } from "./skip.ts";

const tests = suite("preprocess on WebGPU");
const r = random(77);

/** A test with a device and an engine on it, or a skipped one. */
function test(title: string, body: (engine: Engine, device: GPUDevice) => Promise<void>): void {
  tests(title, async () => {
    if (noDevice !== null) return skip(noDevice);
    const device = await newDevice();
    using engine = await createEngine({ device: "auto", gpuDevice: device });
    await body(engine, device);
    device.destroy();
  });
}

interface Picture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

function picture(width: number, height: number): Picture {
  return { data: Uint8Array.from({ length: 4 * width * height }, () => r.uniform(0, 256)), width, height };
}

/** GPUTextureUsage: TEXTURE_BINDING and COPY_DST. */
const USAGE = 0x4 | 0x2;

/** Each RGBA pixel as BGRA. */
const swapped = (data: Uint8Array) => data.map((_, i) => data[i % 4 === 3 ? i : 4 * (i >> 2) + 2 - i % 4]);

function textureOf(
  device: GPUDevice,
  { data, width, height }: Picture,
  { format = "rgba8unorm", usage = USAGE }: { format?: GPUTextureFormat; usage?: number } = {},
): GPUTexture {
  const texture = device.createTexture({ size: [width, height], format, usage });
  const bytes = format.startsWith("bgra") ? swapped(data) : data;
  device.queue.writeTexture({ texture }, bytes as Uint8Array<ArrayBuffer>, { bytesPerRow: 4 * width }, [width, height]);
  return texture;
}

/** The result for textures has the bits of the result for the same pictures on the host. */
async function agree(
  engine: Engine,
  device: GPUDevice,
  pictures: readonly Picture[],
  input: InputSpec,
  format?: string,
) {
  const what = `${pictures.map(({ width, height }) => `${width} × ${height}`)} ${JSON.stringify(input)} ${
    format ?? ""
  }`;
  const wanted = engine.sync.preprocess(pictures, input);
  const textures = pictures.map((each) => textureOf(device, each, { format: format as GPUTextureFormat | undefined }));
  const { tensor, transform } = await engine.preprocess(textures, input);
  assert.equal(transform, wanted.transform, what);
  assert.equal(tensor.dims, wanted.tensor.dims, what);
  assert.is(tensor.dataType, input.dtype ?? "float32", what);
  const buffer = tensor.gpuBuffer as GPUBuffer;
  assert.is(buffer.size % 16, 0, what);
  const { buffer: found } = await floatsOf(device, buffer);
  const { data } = wanted.tensor;
  const Values = data.constructor as typeof Uint8Array;
  const got = new Values(found, 0, data.length);
  const wrong = got.findIndex((value, i) => !Object.is(value, (data as Uint8Array)[i]));
  assert.is(wrong, -1, `${what}: value ${wrong} is ${got[wrong]} instead of ${data[wrong]}`);
  for (const texture of textures) texture.destroy();
  buffer.destroy();
}

const OWN = { name: "own", mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 2] } as const;

test("every way of resizing, smaller, larger and as it is", async (engine, device) => {
  for (const resize of ["bilinear", "area", "bicubic"] as const) {
    for (
      const [width, height, W, H] of [[33, 21, 8, 9], [40, 30, 20, 15], [7, 5, 16, 12], [1, 1, 4, 4], [5, 5, 5, 5], [
        9,
        64,
        12,
        7,
      ]]
    ) {
      await agree(engine, device, [picture(width, height)], { ...OWN, size: [H, W], fit: "stretch", resize });
    }
  }
});

test("every fit, order, layout, dtype and format", async (engine, device) => {
  for (const fit of ["letterbox", "top-left"] as const) {
    for (const layout of ["nchw", "nhwc"] as const) {
      for (const [dtype, order] of [["float32", "bgr"], ["float16", "rgb"], ["uint8", "bgr"]] as const) {
        const input = { ...OWN, size: [12, 16], fit, layout, dtype, order } as const;
        await agree(engine, device, [picture(13, 7)], input, order === "rgb" ? "bgra8unorm" : "rgba8unorm");
      }
    }
  }
});

test("a batch whose images do not begin at whole words", async (engine, device) => {
  const pictures = [picture(9, 4), picture(4, 9), picture(3, 3)];
  for (const dtype of ["float32", "float16", "uint8"] as const) {
    for (const layout of ["nchw", "nhwc"] as const) {
      await agree(engine, device, pictures, { ...OWN, size: [9, 11], fit: "letterbox", layout, dtype });
    }
  }
});

test("nothing crosses to the host, and the tensor goes on to another operation", async (engine, device) => {
  const { device: watched, mapped, live } = watch(device);
  const own = await createEngine({ gpuDevice: watched });
  const image = picture(40, 30);
  const input = inputs.yolov8({ size: [32, 32], mean: [1, 1, 1] });
  const { tensor } = await own.preprocess(textureOf(device, image), input);
  assert.is(mapped(), 0);
  const target = new Float32Array(3072).fill(0.5);
  const dims = [96, 32];
  const { loss } = await own.binaryCrossEntropyWithLogits({ gpuBuffer: tensor.gpuBuffer, dims }, target);
  const { data } = own.sync.preprocess(image, input).tensor;
  const wanted = own.sync.binaryCrossEntropyWithLogits({ data, dims }, target);
  assert.ok(Math.abs(loss - wanted.loss) < 1e-5 * wanted.loss, `${loss} instead of ${wanted.loss}`);
  own.dispose();
  // Only the tensor is left, which is the caller's.
  assert.is(live(), 1);
  tensor.gpuBuffer.destroy();
  assert.is(live(), 0);
  assert.equal(engine.plan("preprocess", 1e9).device, "wasm");
});

test("what is no image of the device's is refused, and the engine works on", async (engine, device) => {
  const image = picture(6, 5);
  const input = inputs.yolov8({ size: [8, 8] });
  const texture = textureOf(device, image);
  const { sync } = engine;
  throws(
    () => sync.preprocess(texture, input),
    TypeError,
    "preprocess: pixels is a GPUTexture; wanted pixels on the host",
  );
  const without = await createEngine({ device: "wasm" });
  await rejects(
    without.preprocess(texture, input),
    TypeError,
    `preprocess: pixels is a GPUTexture; wanted "host" data`,
  );
  const refused = (given: unknown, ...words: string[]) =>
    rejects(engine.preprocess(given as GPUTexture, input), TypeError, "preprocess: pixels", ...words);
  await refused(textureOf(device, image, { usage: 0x2 }), "TEXTURE_BINDING");
  await refused([texture, image], "pixels[1]", "wanted a GPUTexture, as pixels[0] is");
  await refused([image, texture], "pixels[1].data");
  await refused(
    device.createTexture({ size: [4, 4], format: "rgba8unorm-srgb", usage: USAGE }),
    "pixels.format",
    "rgba8unorm",
  );
  await refused(device.createTexture({ size: [4, 4], format: "r32float", usage: USAGE }), "pixels.format", "r32float");
  await rejects(
    engine.preprocess(texture as never, input, { out: new Float32Array(192) }),
    TypeError,
    "preprocess: options.out",
    "stays on its device",
  );
  const other = await newDevice();
  await rejects(engine.preprocess(textureOf(other, image), input), Error, "preprocess", "of the engine's own device");
  const gone = textureOf(device, image);
  gone.destroy();
  await rejects(engine.preprocess(gone, input), Error, "preprocess", "a GPUTexture must be a live texture");
  await agree(engine, device, [image], input);
  other.destroy();
});

tests.run();
