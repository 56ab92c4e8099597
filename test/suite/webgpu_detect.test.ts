import {
  createEngine,
  type Detections,
  type DetectOptions,
  type Engine,
  type GpuTensor,
  type HeadOptions,
  heads,
  type HostTensor,
  type Outputs,
  type TensorLike,
} from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import { close, rejects, same, throws } from "../compare.ts";
import { extremes, sweep, worstError } from "../distribution_cases.ts";
import { halfBits } from "../half.ts";
import { floats, random } from "../random.ts";
import { PRESETS } from "../presets.ts";
import { inOrder, pack, packings, randomHead, withPrototypes } from "../raw_head.ts";
import { bufferOf, newDevice, noDevice, watch } from "./gpu.ts";
import { skip } from "./skip.ts";
import { walk } from "./walk.ts";

/** Candidates that fit the first list. */
const FIRST_CAPACITY = 4096;
const imageSize = [96, 128] as const;

const tests = suite("detection on WebGPU");
const device = noDevice === null ? await newDevice() : null;
const engine = device && await createEngine({ device: "webgpu", gpuDevice: device });

/** A test with a device and its engine, or a skipped one. */
function test(title: string, body: (device: GPUDevice, engine: Engine) => Promise<void>): void {
  tests(title, async () => device === null ? skip(noDevice as string) : await body(device, engine as Engine));
}

/** The outputs with the tensors that `moves` chooses on the GPU; those without dims stay. */
function onGpu(device: GPUDevice, outputs: Outputs, moves = (_: number) => true): Outputs {
  let index = 0;
  const place = (tensor: TensorLike): TensorLike => {
    if (tensor instanceof Float32Array || !moves(index++)) return tensor;
    const { data, dims } = tensor as HostTensor;
    const dataType = data instanceof Uint16Array ? "float16" : "float32";
    return { gpuBuffer: bufferOf(device, data as Float32Array | Uint16Array), dims, dataType };
  };
  const each = (value: TensorLike | readonly TensorLike[]) =>
    Array.isArray(value) ? value.map(place) : place(value as TensorLike);
  if (!("classes" in outputs || "rows" in outputs)) return each(outputs as TensorLike);
  return Object.fromEntries(Object.entries(outputs).map(([role, value]) => [role, each(value)])) as unknown as Outputs;
}

/** Errors by the record: of a side, as a share of stride · bins and of its value; of a saturation, of the bins. */
const { side, value, saturation } = operations.detect.bounds;
const [SIDE_BOUND, VALUE_BOUND, SHARE_BOUND] = [side.webgpu, value.webgpu, saturation.webgpu];
/** The most that stride · bins is in what is compared here but for the search for the worst. */
const REACH = 32 * 17;

/** The same detections: exactly those, with boxes as near as float32 lets them be. */
function agrees(got: Detections[], wanted: Detections[], what: string, reach = REACH): void {
  assert.is(got.length, wanted.length, `${what}: images`);
  got.forEach((list, image) => {
    same(list.anchors, wanted[image].anchors, `${what}, image ${image}: anchor`);
    same(list.classes, wanted[image].classes, `${what}, image ${image}: class`);
    same(list.scores, wanted[image].scores, `${what}, image ${image}: score`);
    for (const member of ["boxes", "rotated", "std", "excess"] as const) {
      near(list[member], wanted[image][member], reach, member);
    }
    const [share, wantedShare] = [list.saturation, wanted[image].saturation];
    assert.is(share?.length, wantedShare?.length);
    if (share !== undefined && wantedShare !== undefined) close(share, wantedShare, SHARE_BOUND * 64, "saturation");
    same(list.keypoints ?? [], wanted[image].keypoints ?? [], `${what}, image ${image}: keypoint`);
    // Where a logit is within the rounding of float32, a pixel may be another one.
    close(areasOf(list), areasOf(wanted[image]), 2, `${what}, image ${image}: area of mask`);
  });
}

function areasOf({ masks, length }: Detections): number[] {
  return Array.from({ length }, (_, i) => masks?.area(i) ?? 0);
}

function near(got: Float32Array | undefined, wanted: Float32Array | undefined, reach: number, what: string): void {
  assert.is(got?.length, wanted?.length, what);
  wanted?.forEach((value, i) => {
    close([got?.[i] ?? NaN], [value], SIDE_BOUND * reach + VALUE_BOUND * Math.abs(value), `${what} ${i}`);
  });
}

for (const name of PRESETS) {
  test(`${name}: every packing of a batch, on the GPU, half of it there, or uploaded`, async (device, engine) => {
    const head = heads[name]({ numClasses: 5 });
    const raw = randomHead(random(40), head, imageSize, 3);
    const uncertainty = head.boxes === "distribution";
    for (const [packing, outputs] of walk([...packings(head, raw)])) {
      const options = { head, imageSize, uncertainty };
      const wanted = engine.sync.detect(outputs, options);
      assert.ok(wanted.every((list) => list.length > 3));
      agrees(await engine.detect(onGpu(device, outputs), options), wanted, packing);
      agrees(await engine.detect(onGpu(device, outputs, (i) => i % 2 === 1), options), wanted, `${packing}, mixed`);
      agrees(await engine.detect(outputs, options), wanted, `${packing}, uploaded`);
    }
  });
}

test("classes that compete, thresholds of their own, and every suppression", async (device, engine) => {
  const scoreThreshold = Float32Array.of(0.9, 0.1, 0.5, 1, 0, 0.3, 0.25);
  for (const objectness of ["none", "multiply"] as const) {
    for (const multiLabel of [false, true]) {
      for (
        const chosen of [
          { classes: [1, 4] },
          { classes: [] },
          { scoreThreshold },
          { scoreThreshold, classes: [0, 1, 5], preNmsTopK: 6 },
          { suppression: "fast" as const },
          { suppression: "none" as const },
        ]
      ) {
        const { raw, options } = example({ objectness }, { multiLabel, ...chosen });
        // An anchor's best class may be one that does not compete.
        const changed = { ...raw, classes: raw.classes.map((v, i) => i % 5 === 0 ? raw.classes[i - i % 7] : v) };
        const outputs = pack(options.head, changed, inOrder(options.head, changed));
        agrees(await engine.detect(onGpu(device, outputs), options), engine.sync.detect(outputs, options), "chosen");
      }
    }
  }
});

test("bins of any values, and a softmax of a grid, are read back", async (device, engine) => {
  const binValues = [-2, -0.5, 0, 0.75, 1, 3, 7.5, 12];
  for (const changes of [{ bins: 8, binValues }, { scores: "softmax" }] as const) {
    const { outputs, options } = example(changes, { uncertainty: true });
    agrees(await engine.detect(onGpu(device, outputs), options), engine.sync.detect(outputs, options), "read back");
  }
});

/** Outputs of a random head in one tensor, and the options to detect in them. */
function example(changes: HeadOptions = {}, options: Partial<DetectOptions> = {}, size = imageSize) {
  const head = heads.yolov8({ numClasses: 7, ...changes });
  const raw = randomHead(random(41), head, size, 2);
  return { raw, outputs: pack(head, raw, inOrder(head, raw)), options: { head, imageSize: size, ...options } };
}

test(
  "boxes that an angle turns: every packing, overlap and coding, on the GPU or half of it there",
  async (device, engine) => {
    const head: HeadOptions[] = [
      { angle: "sigmoid" },
      { angle: "radians", channelOrder: "separate" },
      { angle: "radians", boxes: "xywh", bins: 0, scores: "probabilities", layout: "rows" },
    ];
    for (const changes of head) {
      for (const rotatedOverlap of ["polygon", "probiou"] as const) {
        const { raw, options } = example(changes, { rotatedOverlap, multiLabel: rotatedOverlap === "polygon" });
        const settings = { ...options, uncertainty: options.head.boxes === "distribution" };
        for (const [packing, outputs] of walk([...packings(options.head, raw)])) {
          const wanted = engine.sync.detect(outputs, settings);
          assert.ok(wanted.every(({ rotated, length }) => length > 3 && rotated?.length === 5 * length));
          agrees(await engine.detect(onGpu(device, outputs), settings), wanted, packing);
          agrees(
            await engine.detect(onGpu(device, outputs, (i) => i % 2 === 1), settings),
            wanted,
            `${packing}, mixed`,
          );
        }
      }
    }
  },
);

const SETTINGS: Partial<DetectOptions>[] = [
  { scoreThreshold: 0.5 },
  { scoreThreshold: 0, maxDetections: 1000 },
  { scoreThreshold: 1e-9, multiLabel: true },
  { scoreThreshold: 1 },
  { preNmsTopK: 5 },
  { preNmsTopK: 0 },
  { multiLabel: true, scoreThreshold: 0.005, preNmsTopK: 20 },
  { multiLabel: true, classAgnostic: true, scoreThreshold: 0.05, maxDetections: 7 },
  { clip: true, iouThreshold: 0.3, transform: { scaleX: 0.5, scaleY: 0.25, padX: 3, padY: 4, clip: [300, 200] } },
  {
    transform: [
      { scaleX: -0.5, scaleY: 0.25, padX: 128, padY: 0 },
      { scaleX: 2, scaleY: -1, padX: 0, padY: 96 },
    ],
  },
];

for (const layout of ["rows", "channels-first"] as const) {
  test(`every option, ${layout}`, async (device, engine) => {
    for (const settings of SETTINGS) {
      const { outputs, options } = example({ layout }, { ...settings, uncertainty: true });
      const wanted = engine.sync.detect(outputs, options);
      agrees(await engine.detect(onGpu(device, outputs), options), wanted, JSON.stringify(settings));
    }
  });
}

for (const objectness of ["multiply", "sqrt-multiply"] as const) {
  test(`objectness: ${objectness}, of logits and probabilities, at every kind of threshold`, async (device, engine) => {
    for (const scores of ["logits", "probabilities"] as const) {
      for (const multiLabel of [false, true]) {
        for (const scoreThreshold of [0, 1e-20, 0.05, 0.3, 1]) {
          const { outputs, options } = example({ objectness, scores }, { multiLabel, scoreThreshold });
          const wanted = engine.sync.detect(outputs, options);
          const what = `${scores}, ${multiLabel ? "every class" : "best class"}, over ${scoreThreshold}`;
          agrees(await engine.detect(onGpu(device, outputs), options), wanted, what);
        }
      }
    }
  });
}

test("probabilities outside [0, 1] are refused as on WASM", async (device, engine) => {
  for (const objectness of ["none", "multiply"] as const) {
    for (const multiLabel of [false, true]) {
      const { raw, options } = example({ scores: "probabilities", objectness }, { multiLabel });
      const changed = (at: number, value: number, role: "classes" | "objectness" = "classes") => {
        const values = (raw[role] as Float32Array).slice();
        values[at] = value;
        const other = { ...raw, [role]: values };
        return { output0: onGpu(device, pack(options.head, other, inOrder(options.head, other))) } as Outputs;
      };
      for (const at of [0, 7 * 252 + 5, raw.classes.length - 1]) {
        for (const value of [1.01, -0.01, 7, -Infinity]) {
          const pending = engine.detect(changed(at, value), options);
          await rejects(pending, RangeError, `a score in outputs.output0 is ${value}`, `scores: "logits"`);
        }
        for (const value of [NaN, -0.0005, 1]) await engine.detect(changed(at, value), options);
      }
      if (objectness === "none") continue;
      await rejects(engine.detect(changed(300, 1.5, "objectness"), options), RangeError, "output0 is 1.5");
    }
  }
});

test("boxes of every kind, from 2 to 64 bins", async (device, engine) => {
  for (const bins of [2, 5, 33, 64]) {
    const { outputs, options } = example({ bins }, { uncertainty: true });
    const wanted = engine.sync.detect(outputs, options);
    agrees(await engine.detect(onGpu(device, outputs), options), wanted, `${bins} bins`, 32 * bins);
  }
  for (const boxes of ["distances", "xywh", "xyxy"] as const) {
    for (const boxUnit of ["pixel", "stride", "image"] as const) {
      const { outputs, options } = example({ boxes, bins: 0, boxUnit }, { clip: true });
      const wanted = engine.sync.detect(outputs, options);
      agrees(await engine.detect(onGpu(device, outputs), options), wanted, `${boxes} in units of ${boxUnit}`);
    }
  }
});

test("boxes of distributions are within the documented bound, as far as a search finds", async (device, engine) => {
  const r = random(44);
  for (const bins of walk([2, 17, 64])) {
    for (const stride of [8, 256]) {
      const worst = await worstError(r, bins, async (rows) => {
        const anchors = rows.length / (4 * bins);
        const head = heads.gfl({ numClasses: 1, bins, strides: [stride], layout: "rows" });
        const outputs = {
          classes: { data: floats(anchors, (i) => i / anchors), dims: [anchors, 1] },
          boxes: { data: rows, dims: [anchors, 4 * bins] },
        };
        const imageSize = [stride * anchors, stride] as const;
        const options = { head, imageSize, iouThreshold: 1, uncertainty: true };
        const [wanted] = engine.sync.detect(outputs, options);
        const [got] = await engine.detect(onGpu(device, outputs), options);
        assert.is(got.length, anchors);
        const errors = new Float64Array(4 * anchors);
        got.anchors.forEach((anchor, i) => {
          for (let side = 0; side < 4; side++) {
            const at = 4 * i + side;
            const shares = (["boxes", "std", "excess"] as const).map((member) => {
              const [a = NaN, b = NaN] = [got[member]?.[at], wanted[member]?.[at]];
              return Math.abs(a - b) / (SIDE_BOUND * stride * bins + VALUE_BOUND * Math.abs(b));
            });
            const [a = NaN, b = NaN] = [got.saturation?.[at], wanted.saturation?.[at]];
            errors[4 * anchor + side] = Math.max(...shares, Math.abs(a - b) / (SHARE_BOUND * bins));
          }
        });
        return errors;
      });
      assert.ok(worst > 0 && worst <= 1, `${bins} bins, stride ${stride}: ${worst} of what is documented`);
    }
  }
});

test("finite logits of any size make finite boxes, infinite ones their limits", async (device, engine) => {
  for (const [bins, rows] of [[16, sweep(16)], [4, extremes()]] as const) {
    const anchors = rows.length / (4 * bins);
    const head = heads.gfl({ numClasses: 1, bins, strides: [8], layout: "rows" });
    const outputs = {
      classes: { data: floats(anchors, (i) => i / anchors), dims: [anchors, 1] },
      boxes: { data: rows, dims: [anchors, 4 * bins] },
    };
    const options = {
      head,
      imageSize: [8 * anchors, 8] as const,
      iouThreshold: 1,
      maxDetections: 1e4,
      uncertainty: true,
    };
    const wanted = engine.sync.detect(outputs, options);
    assert.is(wanted[0].length, anchors);
    assert.ok(wanted[0].boxes.every(Number.isFinite) && wanted[0].excess?.every(Number.isFinite));
    agrees(await engine.detect(onGpu(device, outputs), options), wanted, `${bins} bins`, 8 * bins);
  }
});

test("every kind of tensor", async (device, engine) => {
  const { outputs, options } = example({ numClasses: 6 }, { uncertainty: true });
  const { data, dims } = outputs;
  const half = { data: Uint16Array.from(data, halfBits), dims };
  const bytes = { data: Int8Array.from(data, (x) => Math.max(-127, Math.min(127, x * 12))), dims, scale: 1 / 16 };
  const wide = { data: Float64Array.from(data), dims };
  using resident = engine.tensor(dims);
  resident.data.set(data);
  for (const input of [half, bytes, wide, resident]) {
    const wanted = engine.sync.detect(input, options);
    agrees(await engine.detect(input, options), wanted, input.data.constructor.name);
  }
  agrees(await engine.detect(onGpu(device, half), options), engine.sync.detect(half, options), "halves on the GPU");
});

test("quantised scores are those of WASM to the bit, for every byte", async (_, engine) => {
  const boxes = new Float32Array(4 * 256).fill(20);
  const options = {
    head: heads.yolov8Decoded({ numClasses: 1, strides: [8] }),
    imageSize: [128, 128],
    scoreThreshold: 0,
    iouThreshold: 1,
  } as const;
  for (const [type, zeroPoint] of [[Int8Array, -128], [Uint8Array, 0]] as const) {
    const data = type.from({ length: 256 }, (_, i) => zeroPoint + i);
    for (const scale of walk([1 / 255, 1 / 256, 0.0039, 1e-3, 1 / 300, 1e-30])) {
      const classes = { data, dims: [1, 1, 256], scale, zeroPoint };
      const [got] = await engine.detect({ classes, boxes }, options);
      const [wanted] = engine.sync.detect({ classes, boxes }, options);
      assert.is(wanted.length, 255);
      same(got.anchors, wanted.anchors, `${type.name}, ${scale}: anchor`);
      same(got.scores, wanted.scores, `${type.name}, ${scale}: score`);
    }
  }
  const two = {
    head: heads.yolov8Decoded({ numClasses: 1, strides: [64] }),
    imageSize: [64, 128],
    scoreThreshold: 0.0117647061,
    iouThreshold: 1,
  } as const;
  const classes = { data: Uint8Array.of(193, 3), dims: [1, 1, 2], scale: 1 / 255 };
  const [found] = await engine.detect({ classes, boxes: new Float32Array(8).fill(20) }, two);
  same(found.scores, Float32Array.of(0.75686282, 0.011764707));
});

test("a tensor in linear memory may be disposed of before the GPU has read it", async (_, engine) => {
  const { outputs, options } = example();
  const resident = engine.tensor(outputs.dims);
  resident.data.set(outputs.data);
  const wanted = engine.sync.detect(resident, options);
  const pending = engine.detect(resident, options);
  resident.dispose();
  engine.tensor(outputs.dims).data.fill(9);
  agrees(await pending, wanted, "detections");
});

test("NaN and infinity, among classes, objectness and boxes", async (device, engine) => {
  const special = [NaN, Infinity, -Infinity, 0, -0, 3e38];
  for (const changes of [{}, { objectness: "multiply" }, { boxes: "distances", bins: 0 }] as const) {
    for (const multiLabel of [false, true]) {
      const { outputs, options } = example(changes, { multiLabel });
      const r = random(42);
      const data = Float32Array.from(outputs.data, (x) => r.integer(12) === 0 ? special[r.integer(6)] : x);
      const hard = { data, dims: outputs.dims };
      const wanted = engine.sync.detect(hard, options);
      agrees(await engine.detect(onGpu(device, hard), options), wanted, JSON.stringify(changes));
    }
  }
  const { outputs, options } = example();
  const nothing = { data: new Float32Array(outputs.data.length).fill(NaN), dims: outputs.dims };
  const found = await engine.detect(onGpu(device, nothing), options);
  assert.equal(found.map((list) => list.length), [0, 0]);
});

test("equal classes and scores keep their order", async (device, engine) => {
  const { outputs, options } = example();
  const level = { data: new Float32Array(outputs.data.length).fill(1), dims: outputs.dims };
  for (const multiLabel of [false, true]) {
    const settings = { ...options, multiLabel, iouThreshold: 1 };
    const wanted = engine.sync.detect(level, settings);
    agrees(await engine.detect(onGpu(device, level), settings), wanted, "detections");
  }
});

/** Heads whose rows have mask coefficients, keypoints and an angle, in every layout. */
const ATTACHED: readonly [string, HeadOptions][] = [
  ["decoded", { boxes: "xywh", bins: 0, scores: "probabilities", keypoints: { count: 5, dims: 3, coding: "pixel" } }],
  ["raw", { maskCoefficients: 6, keypoints: { count: 3, dims: 2, coding: "yolov8" } }],
  ["rows", { layout: "rows", maskCoefficients: 3, keypoints: { count: 4, dims: 3, coding: "yolo26" } }],
  ["class-first", { channelOrder: "class-first", keypoints: { count: 17, dims: 3, coding: "yolox" } }],
  ["apart", { channelOrder: "separate", maskCoefficients: 2, keypoints: { count: 1, dims: 2, coding: "yolox" } }],
];

for (const [name, changes] of ATTACHED) {
  test(`attachments, ${name}: every packing, on the GPU, half of it there, or uploaded`, async (device, engine) => {
    const { raw, options } = example(changes);
    const { maskCoefficients: channels = 0 } = options.head;
    const r = random(45);
    const dims = [2, channels, 24, 32];
    const prototypes = { data: floats(2 * channels * 24 * 32, () => r.uniform(-1, 1)), dims };
    for (const [packing, values] of walk([...packings(options.head, raw)])) {
      const outputs = channels === 0 ? values : withPrototypes(values, prototypes);
      const wanted = engine.sync.detect(outputs, options);
      assert.ok(wanted.every((list) => list.length > 3 && list.keypoints?.length !== 0));
      agrees(await engine.detect(onGpu(device, outputs), options), wanted, packing);
      for (const odd of [0, 1]) {
        const moved = onGpu(device, outputs, (i) => i % 2 === odd);
        agrees(await engine.detect(moved, options), wanted, `${packing}, mixed`);
      }
      agrees(await engine.detect(outputs, options), wanted, `${packing}, uploaded`);
    }
  });
}

/** Heads with an angle, in every coding of boxes that turns. */
const TURNED: readonly [string, HeadOptions][] = [
  ["distributions, sigmoid", { angle: "sigmoid" }],
  ["distances in strides, radians", {
    bins: 0,
    boxes: "distances",
    boxUnit: "stride",
    angle: "radians",
    layout: "rows",
  }],
  ["decoded", { bins: 0, boxes: "xywh", scores: "probabilities", angle: "radians" }],
  ["apart, with keypoints", {
    channelOrder: "separate",
    angle: "sigmoid",
    keypoints: { count: 2, dims: 3, coding: "yolov8" },
  }],
];

for (const [name, changes] of TURNED) {
  test(
    `rotated boxes, ${name}: in every packing, on the GPU, half of it there, or uploaded`,
    async (device, engine) => {
      const uncertainty = changes.bins !== 0;
      const { raw, options } = example(changes, { uncertainty });
      for (const [packing, outputs] of walk([...packings(options.head, raw)])) {
        const wanted = engine.sync.detect(outputs, options);
        assert.ok(wanted.every(({ length, rotated }) => length > 3 && rotated?.length === 5 * length));
        agrees(await engine.detect(onGpu(device, outputs), options), wanted, packing);
        agrees(await engine.detect(onGpu(device, outputs, (i) => i % 2 === 1), options), wanted, `${packing}, mixed`);
        agrees(await engine.detect(outputs, options), wanted, `${packing}, uploaded`);
      }
    },
  );
}

test("rotated boxes under other options, of halves and of crowded images", async (device, engine) => {
  const changes = { angle: "sigmoid" } as const;
  for (
    const settings of [
      { rotatedOverlap: "probiou", iouThreshold: 0.45 },
      { suppression: "fast", iouThreshold: 0.2 },
      { multiLabel: true, scoreThreshold: 0.05, preNmsTopK: 30 },
      { clip: true, transform: { scaleX: 0.5, scaleY: -0.5, padX: 3, padY: 90, clip: [150, 200] } },
    ] as const
  ) {
    const { outputs, options } = example(changes, settings);
    const half = { data: Uint16Array.from(outputs.data, halfBits), dims: outputs.dims };
    for (const tensor of [outputs, half]) {
      const wanted = engine.sync.detect(tensor, options);
      agrees(await engine.detect(onGpu(device, tensor), options), wanted, JSON.stringify(settings));
    }
  }
  const { outputs, options } = example({ numClasses: 40, ...changes }, CROWDED, [320, 320] as never);
  agrees(await engine.detect(onGpu(device, outputs), options), engine.sync.detect(outputs, options), "crowded");
});

test(
  "attachments of halves, of crowded images, under every option, and of images without detections",
  async (device, engine) => {
    const keypoints = { count: 3, dims: 3, coding: "yolov8" } as const;
    for (const settings of SETTINGS) {
      const { outputs, options } = example({ keypoints }, settings);
      const half = { data: Uint16Array.from(outputs.data, halfBits), dims: outputs.dims };
      for (const tensor of [outputs, half]) {
        const wanted = engine.sync.detect(tensor, options);
        agrees(await engine.detect(onGpu(device, tensor), options), wanted, JSON.stringify(settings));
      }
    }
    const { outputs, options } = example({ numClasses: 40, keypoints }, CROWDED, [320, 320] as never);
    agrees(await engine.detect(onGpu(device, outputs), options), engine.sync.detect(outputs, options), "crowded");
  },
);

test("only attachments of detections are read back", async (device) => {
  const { device: watched, mapped, live } = watch(device);
  using engine = await createEngine({ device: "webgpu", gpuDevice: watched });
  const { outputs, options } = example(
    { keypoints: { count: 17, dims: 3, coding: "yolov8" } },
    {},
    [640, 640] as never,
  );
  const placed = onGpu(device, outputs);
  const found = await engine.detect(placed, options);
  const detections = found.reduce((sum, { length }) => sum + length, 0);
  const [before, read] = [live(), mapped()];
  assert.ok(detections > 0 && read <= 2 * FIRST_CAPACITY * 32 + 64 + detections * 51 * 4, `${read} bytes`);
  for (let i = 0; i < 5; i++) await engine.detect(placed, options);
  assert.is(live(), before);
});

test("a device that is lost while attachments are read rejects, and the engine works on", async () => {
  const device = await newDevice();
  let submissions = 0;
  const losing = new Proxy(device, {
    get(_, name) {
      const value = Reflect.get(device, name, device);
      if (name === "queue") {
        return new Proxy(device.queue, {
          get(queue, member) {
            const own = Reflect.get(queue, member, queue);
            if (member !== "submit") return typeof own === "function" ? own.bind(queue) : own;
            return (commands: Iterable<GPUCommandBuffer>) => {
              queue.submit(commands);
              // One for each image finds candidates; the next reads the attachments. After the call that submits: a buffer that is
              // mapped once its device is destroyed ends the process of Node 20's WebGPU now and then.
              if (++submissions === 3) queueMicrotask(() => device.destroy());
            };
          },
        });
      }
      return typeof value === "function" ? value.bind(device) : value;
    },
  });
  using engine = await createEngine({ device: "webgpu", gpuDevice: losing });
  const { outputs, options } = example({ keypoints: { count: 3, dims: 2, coding: "yolov8" } });
  await rejects(engine.detect(onGpu(device, outputs), options), Error, "detect: the GPU device was lost");
  assert.is(submissions, 3);
  agrees(await engine.detect(outputs, options), engine.sync.detect(outputs, options), "detections");
});

/** With some 5500 of 84 000 scores over the threshold, and with some 65 000. */
const BUSY = { scoreThreshold: 0.0336, multiLabel: true } as const;
const CROWDED = { scoreThreshold: 0.0005, multiLabel: true } as const;

for (const layout of ["rows", "channels-first"] as const) {
  test(`more candidates than a list has room for are all found: ${layout}`, async (device, engine) => {
    const size = [320, 320] as never;
    for (const [found, scores] of [["listed", BUSY], ["crowded", CROWDED]] as const) {
      for (const changes of [{}, { objectness: "multiply" }] as const) {
        for (
          const more of walk([{ preNmsTopK: 100 }, { preNmsTopK: 30000 }, { preNmsTopK: 0 }, { uncertainty: true }])
        ) {
          const { outputs, options } = example({ numClasses: 40, layout, ...changes }, { ...scores, ...more }, size);
          const settings = { ...options, maxDetections: 3000 };
          const wanted = engine.sync.detect(outputs, settings);
          const what = `${found}, ${JSON.stringify({ ...changes, ...more })}`;
          agrees(await engine.detect(onGpu(device, outputs), settings), wanted, what);
        }
      }
      const { outputs, options } = example({ numClasses: 40, layout }, { ...scores, iouThreshold: 1 }, size);
      const everything = engine.sync.detect(outputs, { ...options, maxDetections: 1e6 });
      assert.ok(everything.every((list) => list.length > FIRST_CAPACITY), `${found}: ${everything[0].length}`);
      assert.is(everything.every((list) => list.length > 20000), found === "crowded");
    }
  });
}

test("crowded images of every packing, half of it on the GPU, and of halves", async (device, engine) => {
  const head = heads.ppyoloe({ numClasses: 40, objectness: "sqrt-multiply" });
  const raw = randomHead(random(43), head, [320, 320], 2);
  const options = { head, imageSize: [320, 320] as const, ...CROWDED, scoreThreshold: 0.01, uncertainty: true };
  for (const [packing, outputs] of walk([...packings(head, raw)])) {
    const wanted = engine.sync.detect(outputs, options);
    agrees(await engine.detect(onGpu(device, outputs), options), wanted, packing);
    agrees(await engine.detect(onGpu(device, outputs, (i) => i % 2 === 1), options), wanted, `${packing}, mixed`);
    agrees(await engine.detect(outputs, options), wanted, `${packing}, uploaded`);
  }
  // An odd number of values, so that the second image begins within a word.
  const odd = heads.yolov8({ numClasses: 5, bins: 2, strides: [64], layout: "rows" });
  const few = randomHead(random(44), odd, [64 * 65, 64 * 65], 3);
  const { data, dims } = pack(odd, few, inOrder(odd, few));
  const half = { data: Uint16Array.from(data as Float32Array, halfBits), dims };
  const settings = { head: odd, imageSize: [64 * 65, 64 * 65] as const, ...CROWDED };
  assert.is(half.data.length / 3 % 2, 1);
  const wanted = engine.sync.detect(half, settings);
  agrees(await engine.detect(onGpu(device, half), settings), wanted, "halves");
});

test("more candidates than WASM's memory has room for beside its own: as many as WASM takes", async (device) => {
  const { device: watched, bytes } = watch(device);
  using engine = await createEngine({ device: "webgpu", gpuDevice: watched, maxMemory: 8 * 2 ** 20 });
  const x = { data: new Float32Array(84 * 8400).fill(0.01), dims: [1, 84, 8400] };
  const head = heads.yolov8Decoded({ numClasses: 80 });
  const options = { head, imageSize: [640, 640], multiLabel: true, scoreThreshold: 0.001 } as const;
  const wanted = engine.sync.detect(x, options);
  assert.is(wanted[0].length, 80);
  agrees(await engine.detect(x, options), wanted, "uploaded");
  agrees(await engine.detect(onGpu(device, x), options), wanted, "there");
  assert.ok(bytes() < 16 * 2 ** 20, `${bytes()} bytes of buffers`);
});

test("an image must fit a binding; its candidates and a batch need not", async (device) => {
  const changes = { numClasses: 40, layout: "rows" } as const;
  const { outputs, options } = example(changes, { multiLabel: true }, [320, 320] as never);
  const bytesOfImage = outputs.data.length * 2;
  const narrow = async (maxStorageBufferBindingSize: number) =>
    await createEngine({ device: "webgpu", gpuDevice: watch(device, { maxStorageBufferBindingSize }).device });
  using enough = await narrow(bytesOfImage + 256);
  const placed = onGpu(device, outputs);
  agrees(await enough.detect(placed, options), enough.sync.detect(outputs, options), "images one by one");
  const everything = { ...options, scoreThreshold: 0 };
  agrees(await enough.detect(placed, everything), enough.sync.detect(outputs, everything), "84 000 candidates");
  using little = await narrow(4096);
  await rejects(little.detect(placed, options), RangeError, "detect: outputs", "an image", "at most 4096");
  agrees(await little.detect(outputs, options), enough.sync.detect(outputs, options), "on the host");
});

test("lists have room for what the last call found, so that it needs no second run", async (device) => {
  const { device: watched, submitted } = watch(device);
  using engine = await createEngine({ device: "webgpu", gpuDevice: watched });
  const { outputs, options } = example({ numClasses: 40, layout: "rows" }, BUSY, [320, 320] as never);
  const placed = onGpu(device, outputs);
  const submissions = async () => {
    const before = submitted();
    agrees(await engine.detect(placed, options), engine.sync.detect(outputs, options), "detections");
    return submitted() - before;
  };
  const images = outputs.dims[0];
  assert.is(await submissions(), 2 * images);
  assert.is(await submissions(), images);
});

test("one busy or crowded image makes no later call slow, and its buffers go", async (device) => {
  const { device: watched, bytes, mapped } = watch(device);
  using engine = await createEngine({ device: "webgpu", gpuDevice: watched });
  const { outputs, options } = example({ numClasses: 40, layout: "rows" }, BUSY, [320, 320] as never);
  const busy = onGpu(device, { data: outputs.data.slice(0, outputs.data.length / 2), dims: [1, 2100, 104] });
  const quiet = onGpu(device, { data: new Float32Array(outputs.data.length * 4).fill(-20), dims: [8, 2100, 104] });
  const bytesRead = async () => {
    const before = mapped();
    await engine.detect(quiet, options);
    return mapped() - before;
  };
  const read = await bytesRead();
  const held = bytes();
  for (const scores of [BUSY, CROWDED]) {
    await engine.detect(busy, { ...options, ...scores });
    assert.is(await bytesRead(), read);
    for (let i = 0; i < 30; i++) await engine.detect(quiet, options);
    assert.ok(bytes() <= held, `${bytes()} bytes of buffers, ${held} before`);
  }
});

test("only lists are read back, and buffers are used again", async (device) => {
  const { device: watched, live, mapped } = watch(device);
  using engine = await createEngine({ device: "webgpu", gpuDevice: watched });
  const { outputs, options } = example({}, {}, [640, 640] as never);
  const placed = onGpu(device, outputs);
  await engine.detect(placed, options);
  const [before, read] = [live(), mapped()];
  assert.ok(read <= 2 * FIRST_CAPACITY * 32 + 64, `${read} bytes`);
  for (let i = 0; i < 5; i++) await engine.detect(placed, options);
  assert.is(live(), before);
});

test("where detection runs, and what is refused", async (device, engine) => {
  const { raw, outputs, options } = example();
  const placed = onGpu(device, outputs) as GpuTensor;
  const wanted = engine.sync.detect(outputs, options);
  assert.is(engine.plan("detect", 1).device, "webgpu");
  throws(() => engine.sync.detect(placed, options), TypeError, "detect: outputs", "GpuTensor");
  const [classes, boxes] = [raw.classes, raw.boxes].map((values) => pack(options.head, raw, [values]));
  const mixed = { classes, boxes: onGpu(device, boxes) as GpuTensor };
  throws(() => engine.sync.detect(mixed, options), TypeError, "detect: outputs.boxes", "GpuTensor");

  using auto = await createEngine({ gpuDevice: device });
  const plan = auto.plan("detect", 1e9);
  assert.is(plan.device, "wasm");
  assert.match(plan.reason, /upload/);
  agrees(await auto.detect(placed, options), wanted, "auto");
  using wasm = await createEngine({ device: "wasm" });
  await rejects(wasm.detect(placed, options), TypeError, "detect: outputs", "GpuTensor", "no GPU device");
});

test("a signal stops between images, before the first as well", async (device, engine) => {
  const { outputs, options } = example();
  const placed = onGpu(device, outputs);
  const stop = new AbortController();
  const pending = engine.detect(placed, { ...options, signal: stop.signal });
  stop.abort(new Error("enough"));
  await rejects(pending, Error, "enough");
  await rejects(engine.detect(placed, { ...options, signal: stop.signal }), Error, "enough");
});

test("a lost device rejects what is pending, and the host's outputs go to WASM", async () => {
  const device = await newDevice();
  using engine = await createEngine({ device: "webgpu", gpuDevice: device });
  const { outputs, options } = example();
  const placed = onGpu(device, outputs);
  await engine.detect(placed, options);
  const pending = engine.detect(placed, options);
  device.destroy();
  await rejects(pending, Error, "detect: the GPU device was lost");
  await rejects(engine.detect(placed, options), TypeError, "outputs", "lost");
  agrees(await engine.detect(outputs, options), engine.sync.detect(outputs, options), "detections");
});

tests.run();
