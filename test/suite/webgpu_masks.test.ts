/** Masks of prototypes that lie on a GPU: bits that are made there, against the float64 reference and against WASM. */
import {
  createEngine,
  type Detections,
  type DetectOptions,
  type Engine,
  type GpuTensor,
  heads,
  type HostTensor,
  type ImageTransform,
  type Masks,
  type Outputs,
} from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { rejects, same, throws } from "../compare.ts";
import { halfBits } from "../half.ts";
import { checkMasks, type Given, givenOf, headOf, outputsOf, prototypesOf, transformsOf } from "../mask_scenes.ts";
import { floats, random } from "../random.ts";
import { imageOf, packings, randomHead } from "../raw_head.ts";
import { bufferOf, newDevice, noDevice, watch } from "./gpu.ts";
import { skip } from "./skip.ts";
import { samples, walk } from "./walk.ts";

const tests = suite("masks on WebGPU");
const device = noDevice === null ? await newDevice() : null;
const engine = device && await createEngine({ device: "webgpu", gpuDevice: device });

/** A test with a device and its engine, or a skipped one. */
function test(title: string, body: (device: GPUDevice, engine: Engine) => Promise<void>): void {
  tests(title, async () => device === null ? skip(noDevice as string) : await body(device, engine as Engine));
}

function placed(device: GPUDevice, { data, dims }: HostTensor): GpuTensor {
  const half = data instanceof Uint16Array;
  const gpuBuffer = bufferOf(device, data as Float32Array | Uint16Array);
  return { gpuBuffer, dims, dataType: half ? "float16" : "float32" };
}

const optionsOf = ({ channels, imageSize }: Given, transform?: ImageTransform): DetectOptions => {
  return { head: headOf(channels), imageSize, ...transform && { transform } };
};

test("masks are those of the reference, over sizes and transforms", async (device, engine) => {
  const r = random(100);
  for (let scene = 0; scene < samples(12); scene++) {
    const given = givenOf(r);
    const outputs = outputsOf(given);
    for (const [k, transform] of transformsOf(r, given.imageSize).entries()) {
      const there = { rows: outputs.rows, prototypes: placed(device, outputs.prototypes) };
      const [found] = await engine.detect(there, optionsOf(given, transform));
      checkMasks(found.masks as Masks, given, transform, `scene ${scene}, transform ${k}, mask`);
    }
  }
});

test("dense heads and queries, in every packing, with all or some of it on the GPU", async (device, engine) => {
  const imageSize = [96, 128] as const;
  const size = [24, 32] as const;
  for (const make of [heads.yolov8, heads.rtdetr]) {
    const head = make({ numClasses: 3, maskCoefficients: 4, keypoints: { count: 2, dims: 2, coding: "pixel" } });
    const r = random(101);
    const raw = randomHead(r, head, imageSize);
    const values = imageOf(raw, 0);
    const prototypes = prototypesOf(r, 4, size);
    const tensor = { data: prototypes, dims: [1, 4, ...size] };
    for (const [packing, outputs] of walk([...packings(head, raw)])) {
      if (!("classes" in outputs || "rows" in outputs)) continue;
      const named = outputs as Record<string, HostTensor | readonly HostTensor[]>;
      for (const [what, isMoved] of [["all", () => true], ["prototypes", (role: string) => role === ""]] as const) {
        const move = (role: string, each: HostTensor) => isMoved(role) && "data" in each ? placed(device, each) : each;
        const there = Object.fromEntries(
          Object.entries(named).map(([role, value]) => {
            return [
              role,
              Array.isArray(value) ? value.map((each) => move(role, each)) : move(role, value as HostTensor),
            ];
          }),
        );
        const given = { ...there, prototypes: move("", tensor) } as Outputs;
        const [found] = await engine.detect(given, { head, imageSize, maxDetections: 6 });
        assert.ok(found.length > 3, packing);
        const scene: Given = {
          imageSize,
          channels: 4,
          samples: size,
          prototypes,
          boxes: [...found].map(({ box }) => box),
          coefficients: [...found.anchors].map((anchor) => [...values.attached?.maskCoefficients(anchor) ?? []]),
        };
        checkMasks(found.masks as Masks, scene, undefined, `${head.name}, ${packing}, ${what}: mask`);
      }
    }
  }
});

/** Values with so few digits that no sum is rounded: the masks of both devices are equal to the bit. */
function exactScene(seed: number, count: number, channels: number, [rows, columns]: readonly [number, number]) {
  const r = random(seed);
  const imageSize = [4 * rows, 4 * columns] as const;
  const whole = (length: number) => floats(length, () => r.integer(17) - 8);
  const given: Given = {
    imageSize,
    channels,
    samples: [rows, columns],
    prototypes: whole(channels * rows * columns),
    coefficients: Array.from({ length: count }, () => [...whole(channels)]),
    boxes: Array.from({ length: count }, () => {
      const [x, y] = [r.uniform(-4, imageSize[1]), r.uniform(-4, imageSize[0])];
      return [x, y, x + r.uniform(0, imageSize[1] / 4), y + r.uniform(0, imageSize[0] / 4)];
    }),
  };
  return given;
}

function anyHalfBits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  return Number.isFinite(value) ? halfBits(value) : value > 0 ? 0x7c00 : 0xfc00;
}

function equal(got: Detections, wanted: Detections, what: string): void {
  assert.is(got.length, wanted.length);
  const [masks, others] = [got.masks as Masks, wanted.masks as Masks];
  for (let i = 0; i < got.length; i++) {
    assert.equal(masks.rle(i), others.rle(i), `${what}: mask ${i}`);
    assert.equal(masks.crop(i), others.crop(i), `${what}: crop ${i}`);
    assert.equal(masks.polygons(i), others.polygons(i), `${what}: polygons of ${i}`);
  }
  same(masks.labelMap(), others.labelMap(), what);
}

test("both layouts, halves, and values that are no numbers: as on WASM", async (device, engine) => {
  const given = exactScene(102, 30, 5, [24, 31]);
  const [h, w] = given.samples;
  const last = given.prototypes.map((_, i) => given.prototypes[(i % 5) * h * w + Math.floor(i / 5)]);
  const spoiled = given.prototypes.map((v, i) => i % 37 === 0 ? [NaN, Infinity, -Infinity][i % 3] : v);
  const coefficients = given.coefficients.map((row, i) => i % 3 === 0 ? [NaN, ...row.slice(1)] : row);
  const tensors: [string, Float32Array, readonly number[], Given][] = [
    ["channels first", given.prototypes, [1, 5, h, w], given],
    ["channels last", last, [1, h, w, 5], given],
    ["not finite", spoiled, [1, 5, h, w], given],
    ["NaN coefficients", given.prototypes, [1, 5, h, w], { ...given, coefficients }],
  ];
  for (const [what, values, dims, scene] of tensors) {
    const outputs = outputsOf(scene);
    const [wanted] = engine.sync.detect({ ...outputs, prototypes: { data: values, dims } }, optionsOf(scene));
    for (const data of [values, Uint16Array.from(values, anyHalfBits)]) {
      const there = { ...outputs, prototypes: placed(device, { data, dims }) };
      const [found] = await engine.detect(there, optionsOf(scene));
      equal(found, wanted, `${what}, ${data.constructor.name}`);
    }
  }
});

test("bits come back, or prototypes where these are less; with masks: false nothing", async (device) => {
  const { device: watched, mapped, live } = watch(device);
  using engine = await createEngine({ device: "webgpu", gpuDevice: watched });
  const given = exactScene(103, 12, 16, [40, 40]);
  const outputs = outputsOf(given);
  const there = { ...outputs, prototypes: placed(device, outputs.prototypes) };
  const read = async (options: DetectOptions) => {
    const before = mapped();
    const [found] = await engine.detect(there, options);
    const bytes = mapped() - before;
    if (options.masks !== false) equal(found, engine.sync.detect(outputs, options)[0], "masks");
    return { found, bytes };
  };
  const options = optionsOf(given);
  const { found, bytes } = await read(options);
  const { masks } = found;
  const windows = Array.from({ length: found.length }, (_, i) => (masks as Masks).crop(i));
  const bits = windows.reduce((sum, { width, height }) => sum + Math.ceil(width / 32) * height * 4, 0);
  assert.ok(bits > 0);
  assert.is(bytes, bits);
  const large = { scaleX: 1 / 32, scaleY: 1 / 32, padX: 0, padY: 0, clip: [5120, 5120] };
  assert.is((await read({ ...options, transform: large })).bytes, given.prototypes.byteLength);
  const none = await read({ ...options, masks: false });
  assert.is(none.bytes, 0);
  assert.is(none.found.masks, undefined);
  const before = live();
  for (let i = 0; i < 5; i++) await read(options);
  assert.is(live(), before);
});

test("more windows than logits are held for are made one run after the other", async (device, engine) => {
  const many = exactScene(104, 70, 3, [256, 256]);
  // Windows of all samples: 4.6 million logits, of which 4.2 million are held.
  const given = { ...many, boxes: many.boxes.map((_, i) => [i, 0, 1024, 1024]), imageSize: [1024, 1024] as const };
  const transform = { scaleX: 8, scaleY: 8, padX: 0, padY: 0, clip: [128, 128] };
  const outputs = outputsOf(given);
  const options = { ...optionsOf(given, transform), maxDetections: 70 };
  const [wanted] = engine.sync.detect(outputs, options);
  const [found] = await engine.detect({ ...outputs, prototypes: placed(device, outputs.prototypes) }, options);
  assert.is(found.length, 70);
  equal(found, wanted, "masks");
});

test(
  "a batch: each image has its prototypes and its transform; images without detections have no masks",
  async (device, engine) => {
    const given = exactScene(105, 6, 3, [15, 13]);
    const { rows } = outputsOf(given, 3);
    const data = rows.data.slice();
    // Nothing is detected in the second image.
    for (let i = 0; i < 6; i++) data[6 * 9 + 9 * i + 4] = 0;
    const prototypes = { data: floats(3 * 3 * 15 * 13, (i) => (7 * i) % 13 - 6), dims: [3, 3, 15, 13] };
    const transform = [0, 1, 2].map((k) => ({ scaleX: 1, scaleY: 1, padX: k, padY: 0, clip: [40 - k, 30 + 8 * k] }));
    for (const signal of [undefined, new AbortController().signal]) {
      const options: DetectOptions = { ...optionsOf(given), transform, ...signal && { signal } };
      const outputs = { rows: { data, dims: rows.dims }, prototypes };
      const wanted = engine.sync.detect(outputs, options);
      const found = await engine.detect({ ...outputs, prototypes: placed(device, prototypes) }, options);
      assert.equal(found.map(({ length }) => length), [6, 0, 6]);
      found.forEach((each, image) => equal(each, wanted[image], `image ${image}`));
    }
  },
);

test("a tensor of another device, and sync, are refused", async (device, engine) => {
  const given = exactScene(106, 3, 2, [8, 8]);
  const outputs = outputsOf(given);
  const there = { ...outputs, prototypes: placed(device, outputs.prototypes) };
  throws(() => engine.sync.detect(there, optionsOf(given)), TypeError, "detect: outputs.prototypes", "GpuTensor");
  using wasm = await createEngine({ device: "wasm" });
  await rejects(wasm.detect(there, optionsOf(given)), TypeError, "detect: outputs.prototypes", "no GPU device");
});

test("a device that is lost before the masks are made rejects, and the engine works on", async () => {
  const own = await newDevice();
  using engine = await createEngine({ device: "webgpu", gpuDevice: own });
  const given = exactScene(107, 3, 2, [8, 8]);
  const outputs = outputsOf(given);
  const there = { ...outputs, prototypes: placed(own, outputs.prototypes) };
  const pending = engine.detect(there, optionsOf(given));
  own.destroy();
  await rejects(pending, Error, "detect: the GPU device was lost");
  await rejects(engine.detect(there, optionsOf(given)), TypeError, "outputs.prototypes", "lost");
  equal((await engine.detect(outputs, optionsOf(given)))[0], engine.sync.detect(outputs, optionsOf(given))[0], "host");
});

tests.run();
