import {
  createEngine,
  type CriterionResult,
  type Engine,
  type GflCriterionInput,
  type GflCriterionOptions,
  type GpuTensor,
  heads,
  type SyncOps,
  type TensorLike,
  type VfnetCriterionInput,
  type VfnetCriterionOptions,
  type YoloCriterionOptions,
} from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import { rejects, throws } from "../compare.ts";
import { criterionScene, distancesFor, distributionsFor, groundTruth } from "../criterion_scene.ts";
import { halfBits } from "../half.ts";
import { random } from "../random.ts";
import { bufferOf, floatsOf, newDevice, noDevice, watch } from "./gpu.ts";
import { skip } from "./skip.ts";
import { type YoloExample, yoloExample } from "../yolo_scene.ts";

const tests = suite("criteria on WebGPU");
const device = noDevice === null ? await newDevice() : null;
const engine = device && await createEngine({ device: "webgpu", gpuDevice: device });
const imageSize = [72, 104] as const;
const gflHead = heads.gfl({ numClasses: 5, bins: 9, anchorOffset: 0.5, strides: [8, 16, 32] });
const vfnetHead = heads.vfnet({ numClasses: 5, strides: [8, 16, 32] });

/** A test with a device and its engine, or a skipped one. */
function test(title: string, body: (device: GPUDevice, engine: Engine) => Promise<void>): void {
  tests(title, async () => device === null ? skip(noDevice as string) : await body(device, engine as Engine));
}

interface GflExample extends GflCriterionInput {
  cls: Float32Array<ArrayBuffer>;
  dist: Float32Array<ArrayBuffer>;
}

interface VfnetExample extends VfnetCriterionInput {
  cls: Float32Array<ArrayBuffer>;
  distances: Float32Array<ArrayBuffer>;
  refined: Float32Array<ArrayBuffer>;
}

function gflExample(seed: number, objects: readonly number[] = [3, 5], head = gflHead): GflExample {
  const r = random(seed);
  const { gt, gtIndex, cls, ...scene } = criterionScene(r, head, imageSize, objects);
  const dist = distributionsFor(r, { gt, gtIndex, cls, ...scene }, 0.1);
  return { head, imageSize, gt, gtIndex, cls, dist };
}

function vfnetExample(seed: number, objects: readonly number[] = [3, 5]): VfnetExample {
  const r = random(seed);
  const scene = criterionScene(r, vfnetHead, imageSize, objects);
  const { head, gt, gtIndex, cls } = scene;
  const distances = distancesFor(r, scene, 0.2);
  return { head, imageSize, gt, gtIndex, cls, distances, refined: distancesFor(r, scene, 0.1) };
}

/** 8e-6 of a part, and of the largest gradient of a map, to which its other values owe their digits. */
function agrees(got: CriterionResult, wanted: CriterionResult, what: string): void {
  assert.is(got.numPos, wanted.numPos, `${what}: positives`);
  assert.equal(Object.keys(got.parts), Object.keys(wanted.parts), what);
  const partsOf = ({ total, parts }: CriterionResult) => ({ total, ...parts }) as Record<string, number>;
  for (const [name, value] of Object.entries(partsOf(wanted))) {
    near(partsOf(got)[name], value, 8e-6 * Math.max(1, Math.abs(value)), `${what}: ${name}`);
  }
  assert.equal(Object.keys(got.grad ?? {}), Object.keys(wanted.grad ?? {}), what);
  for (const [name, values] of Object.entries(wanted.grad ?? {})) {
    const grad = got.grad?.[name] as Float32Array;
    assert.is(grad.length, values.length, `${what}: d/d ${name}`);
    const largest = values.reduce((most, value) => Math.abs(value) > most ? Math.abs(value) : most, 0);
    values.forEach((value, i) => near(grad[i], value, 4e-6 * largest, `${what}: d/d ${name} ${i}`));
  }
}

function near(got: number, wanted: number, tolerance: number, what: string): void {
  const same = Number.isNaN(wanted) ? Number.isNaN(got) : Math.abs(got - wanted) <= tolerance;
  if (!same) assert.unreachable(`${what} is ${got}; wanted ${wanted}`);
}

/** The maps of an input on the device; halves where they are bits. */
function onGpu<I extends object>(device: GPUDevice, input: I, ...names: (keyof I)[]): I {
  const images = (input as unknown as GflCriterionInput).gt.length;
  const tensors = names.map((name) => {
    const data = input[name] as Float32Array | Uint16Array;
    const dataType = data instanceof Uint16Array ? "float16" : "float32";
    return [name, { gpuBuffer: bufferOf(device, data), dims: dimsOf(data, images), dataType }];
  });
  return { ...input, ...Object.fromEntries(tensors) };
}

const ANCHORS = [8, 16, 32].reduce((sum, s) => sum + Math.ceil(imageSize[0] / s) * Math.ceil(imageSize[1] / s), 0);

/** Of a map of these strides. */
function dimsOf({ length }: { readonly length: number }, images: number): number[] {
  return [images, ANCHORS, length / images / ANCHORS];
}

test("GFL: both normalizers, maps here, there and apart, heads of all kinds", async (device, engine) => {
  const { strides } = gflHead;
  const kinds = [
    gflHead,
    heads.nanodet({ numClasses: 80, strides }),
    heads.yolov8({ numClasses: 1, strides }),
    heads.gfl({ bins: 2, strides }),
  ];
  for (const [i, head] of kinds.entries()) {
    for (const objects of [[1], [4, 0, 2]]) {
      const input = gflExample(700 + i, objects, head);
      for (const normalizer of ["paper", "mmdet"] as const) {
        const options = { normalizer, grad: true };
        const wanted = engine.sync.gflCriterion(input, options);
        const what = `${head.name}, ${objects}, ${normalizer}`;
        agrees(await engine.gflCriterion(input, options), wanted, what);
        agrees(await engine.gflCriterion(onGpu(device, input, "cls", "dist"), options), wanted, `${what}, there`);
        agrees(await engine.gflCriterion(onGpu(device, input, "dist"), options), wanted, `${what}, dist there`);
        agrees(await engine.gflCriterion(onGpu(device, input, "cls"), options), wanted, `${what}, cls there`);
      }
    }
  }
});

test("GFL: distributions of any size", async (_, engine) => {
  const input = gflExample(705, [3, 2]);
  for (const by of [-100, 85, 87, 88.5, 100]) {
    const moved = { ...input, dist: input.dist.map((x) => x + by) };
    agrees(await engine.gflCriterion(moved, { grad: true }), engine.sync.gflCriterion(moved, { grad: true }), `${by}`);
  }
  const huge = { ...input, dist: input.dist.map((x) => 1e30 * Math.sign(x)) };
  const { total, grad = {} } = await engine.gflCriterion(huge, { grad: true });
  assert.ok(Number.isFinite(total) && [...grad.dist].every(Number.isFinite));
});

test("VarifocalNet: both normalizers, maps here, there and apart", async (device, engine) => {
  for (const objects of [[1], [4, 0, 2]]) {
    const input = vfnetExample(710, objects);
    for (const normalizer of ["paper", "mmdet"] as const) {
      const options = { normalizer, grad: true };
      const wanted = engine.sync.vfnetCriterion(input, options);
      const there = onGpu(device, input, "cls", "distances", "refined");
      agrees(await engine.vfnetCriterion(input, options), wanted, normalizer);
      agrees(await engine.vfnetCriterion(there, options), wanted, `${normalizer}, there`);
      agrees(await engine.vfnetCriterion(onGpu(device, input, "refined"), options), wanted, `${normalizer}, one there`);
    }
  }
});

const yoloHead = heads.yolov8({ numClasses: 5, bins: 9, strides: [8, 16, 32] });
const yoloPlain = heads.yolo26Raw({ numClasses: 5, strides: [8, 16, 32] });

/** On WebGPU as on WASM: maps here and there, and gradients that stay. */
async function yoloAgrees(
  device: GPUDevice,
  engine: Engine,
  input: YoloExample,
  options: YoloCriterionOptions,
  what: string,
): Promise<CriterionResult> {
  const wanted = engine.sync.yoloCriterion(input, options);
  agrees(await engine.yoloCriterion(input, options), wanted, what);
  agrees(await engine.yoloCriterion(onGpu(device, input, "cls", "dist"), options), wanted, `${what}, there`);
  return wanted;
}

test("YOLO: heads of all kinds, one to many and one to one, maps here, there and apart", async (device, engine) => {
  const small = { numClasses: 3, strides: [8, 16, 32] };
  const kinds = [
    yoloHead,
    heads.yolov8({ numClasses: 80 }),
    heads.yolov8({ numClasses: 1, bins: 2 }),
    ...(["pixel", "stride", "image"] as const).map((boxUnit) => heads.yolo26Raw({ ...small, boxUnit })),
  ];
  for (const [i, head] of kinds.entries()) {
    for (const objects of [[1], [4, 0, 2], [30]]) {
      const input = yoloExample(1700 + i, head, imageSize, objects);
      const what = `${head.name} ${head.boxUnit}, ${objects}`;
      const { numPos } = await yoloAgrees(device, engine, input, { grad: true }, what);
      assert.ok(numPos > 0);
      await yoloAgrees(device, engine, input, { topk: 7, topk2: 1, grad: true }, `${what}, one to one`);
    }
    const input = yoloExample(1710 + i, head, imageSize, [3, 5]);
    const wanted = engine.sync.yoloCriterion(input, { grad: true });
    for (const name of ["cls", "dist"] as const) {
      agrees(await engine.yoloCriterion(onGpu(device, input, name), { grad: true }), wanted, `${name} there`);
    }
  }
});

test("YOLO: options", async (device, engine) => {
  const options: YoloCriterionOptions[] = [
    {},
    { timesBatch: true, gains: { box: 1, cls: 2, dfl: 0.25 } },
    { gains: { cls: 0, dfl: 0 } },
    { topk: 3, topk2: 2 },
    { topk: Infinity, alpha: 1, beta: 2 },
    { topk: 1000, topk2: 5 },
    { alpha: 0, beta: 1.5 },
    { alpha: 2, beta: 0 },
    { alpha: 0, beta: 0 },
  ];
  for (const head of [yoloHead, yoloPlain]) {
    const input = yoloExample(1720, head, imageSize, [4, 6]);
    for (const each of options) {
      await yoloAgrees(device, engine, input, each, JSON.stringify(each));
      await yoloAgrees(device, engine, input, { ...each, grad: true }, `${JSON.stringify(each)}, with gradients`);
    }
  }
});

test("YOLO: of equal anchors the first, of equal objects too; many objects", async (device, engine) => {
  const head = heads.yolo26Raw({ numClasses: 2, strides: [8], boxUnit: "pixel" });
  // Nine anchors around the middle of an object: all say its box, with one score.
  const boxes = Float32Array.of(0, 0, 24, 24, 0, 0, 24, 24, 8, 8, 24, 24);
  const dist = Float32Array.from({ length: 36 }, (_, i) => {
    const [column, row] = [(i >> 2) % 3, Math.floor((i >> 2) / 3)];
    return [8 * column + 4, 8 * row + 4, 20 - 8 * column, 20 - 8 * row][i % 4];
  });
  const cls = new Float32Array(18).fill(-1);
  for (const labels of [[0], [0, 0], [0, 1], [1, 0, 1]]) {
    const gt = [{ boxes: boxes.slice(0, 4 * labels.length), labels: Int32Array.from(labels) }];
    const scene = { head, imageSize: [24, 24] as const, gt, cls, dist };
    for (const options of [{ topk: 4 }, { topk: 2, topk2: 1 }, { topk: 1 }, {}]) {
      const wanted = engine.sync.yoloCriterion(scene, { ...options, grad: true });
      const what = `${labels}, ${JSON.stringify(options)}`;
      agrees(await engine.yoloCriterion(scene, { ...options, grad: true }), wanted, what);
    }
  }
  const crowded = {
    ...yoloExample(1730, yoloHead, imageSize, [3]),
    gt: [groundTruth(random(1731), yoloHead, imageSize, 700)],
  };
  await yoloAgrees(device, engine, crowded, { grad: true }, "700 objects");
});

test("YOLO: nothing to find, crowd regions, and no image", async (device, engine) => {
  for (const head of [yoloHead, yoloPlain]) {
    const input = yoloExample(1740, head, imageSize, [0, 0]);
    const wanted = await yoloAgrees(device, engine, input, { grad: true }, "no object");
    assert.is(wanted.numPos, 0);
    const nothing = { head, imageSize, gt: [], cls: new Float32Array(0), dist: new Float32Array(0) };
    const options = { grad: true, timesBatch: true };
    agrees(await engine.yoloCriterion(nothing, options), engine.sync.yoloCriterion(nothing, options), "no image");
    const one = yoloExample(1741, head, imageSize, [3]);
    for (const ignore of [Float32Array.of(0, 0, 50, 72, 60, 20, 80, 40), Float32Array.of(0, 0, 104, 72)]) {
      const gt = [{ ...one.gt[0], ignore }];
      await yoloAgrees(device, engine, { ...one, gt }, { grad: true }, "a crowd");
      const crowd = { ...one, gt: [{ boxes: new Float32Array(0), labels: new Int32Array(0), ignore }] };
      await yoloAgrees(device, engine, crowd, { grad: true }, "only a crowd");
    }
  }
  // A point that no anchor is inside of.
  const empty = yoloExample(1742, yoloHead, imageSize, [1]);
  const gt = [{ boxes: Float32Array.of(7, 7, 7, 30), labels: Int32Array.of(1) }];
  await yoloAgrees(device, engine, { ...empty, gt }, { grad: true }, "an object without area");
});

test("YOLO: distributions and logits of any size, NaN, infinite distances", async (device, engine) => {
  const input = yoloExample(1750, yoloHead, imageSize, [3, 2]);
  for (const by of [-100, 85, 88.5]) {
    await yoloAgrees(device, engine, { ...input, dist: input.dist.map((x) => x + by) }, { grad: true }, `${by}`);
  }
  const cls = input.cls.map((x, i) => i % 3 === 0 ? 40 * Math.sign(x) : x);
  await yoloAgrees(device, engine, { ...input, cls, dist: input.dist.map((x) => 25 * x) }, { grad: true }, "saturated");
  await yoloAgrees(device, engine, { ...input, cls: cls.map((x) => Math.min(x, -60)) }, { grad: true }, "unlikely");
  const spoilt = { ...input, dist: input.dist.map((x, i) => i % 100 === 3 ? NaN : x) };
  await yoloAgrees(device, engine, spoilt, { grad: true }, "NaN in dist");
  const hidden = { ...input, cls: input.cls.map((x, i) => i % 50 === 3 ? NaN : x) };
  const { total } = await yoloAgrees(device, engine, hidden, { grad: true }, "NaN in cls");
  assert.ok(Number.isNaN(total));
  const plain = yoloExample(1751, yoloPlain, imageSize, [4]);
  for (const value of [Infinity, -Infinity, 3e38, NaN, -5]) {
    const dist = plain.dist.map((x, i) => i % 24 === 1 ? value : x);
    await yoloAgrees(device, engine, { ...plain, dist }, { grad: true }, `${value}`);
  }
});

test(
  "YOLO: half floats, quantised maps, gradients that stay, an anchor's point of many digits",
  async (device, engine) => {
    const input = yoloExample(1760, yoloHead, imageSize, [3, 4]);
    const bits = { ...input, cls: Uint16Array.from(input.cls, halfBits), dist: Uint16Array.from(input.dist, halfBits) };
    const dims = (map: Float32Array) => dimsOf(map, 2);
    const halves = {
      ...input,
      cls: { data: bits.cls, dims: dims(input.cls) },
      dist: { data: bits.dist, dims: dims(input.dist) },
    };
    const wanted = engine.sync.yoloCriterion(halves, { grad: true });
    agrees(await engine.yoloCriterion(halves, { grad: true }), wanted, "halves");
    const there = onGpu(device, bits as unknown as YoloExample, "cls", "dist");
    agrees(await engine.yoloCriterion(there, { grad: true }), wanted, "halves there");
    const int8 = (map: Float32Array) =>
      ({ data: Int8Array.from(map, (x) => 8 * x), dims: dims(map), scale: 0.125, zeroPoint: 0 }) as TensorLike;
    const rough = { ...input, cls: int8(input.cls), dist: int8(input.dist) };
    agrees(await engine.yoloCriterion(rough, {}), engine.sync.yoloCriterion(rough, {}), "quantised");
    for (const head of [yoloHead, yoloPlain]) {
      for (const objects of [[3, 4], [0, 0]]) {
        const scene = yoloExample(1761, head, imageSize, objects);
        const kept = await engine.yoloCriterion(onGpu(device, scene, "cls"), { grad: true, placement: "gpu" });
        const grads = Object.entries(kept.grad ?? {}).map(async ([name, { gpuBuffer, dims }]) => {
          assert.is(dims.length, 3);
          const values = await floatsOf(device, gpuBuffer as GPUBuffer);
          return [name, values.subarray(0, dims.reduce((a, b) => a * b))];
        });
        const back = { ...kept, grad: Object.fromEntries(await Promise.all(grads)) };
        agrees(back as CriterionResult, engine.sync.yoloCriterion(scene, { grad: true }), "kept there");
      }
    }
    const odd = { ...heads.yolov8({ numClasses: 3, bins: 8, strides: [16, 64] }), anchorOffset: 0.3 };
    const far = yoloExample(1762, odd, [2048, 2048], [9]);
    agrees(await engine.yoloCriterion(far, { grad: true }), engine.sync.yoloCriterion(far, { grad: true }), "far");
  },
);

test("options of both", async (_, engine) => {
  const gfl = gflExample(720);
  const gflOptions: GflCriterionOptions[] = [
    {},
    { lambdaBox: 0.5, lambdaDfl: 3, beta: 1, grad: true },
    { normalizer: "mmdet", lambdaBox: 0, lambdaDfl: 0, beta: 0.5, grad: true },
  ];
  for (const options of gflOptions) {
    const wanted = engine.sync.gflCriterion(gfl, options);
    agrees(
      await engine.gflCriterion(gfl, options),
      wanted,
      JSON.stringify(options),
    );
  }
  const vfnet = vfnetExample(721);
  const vfnetOptions: VfnetCriterionOptions[] = [{}, {
    lambdaBox: 0,
    lambdaRefine: 3,
    alpha: 0.5,
    gamma: 1,
    grad: true,
  }];
  for (const options of vfnetOptions) {
    const wanted = engine.sync.vfnetCriterion(vfnet, options);
    const got = await engine.vfnetCriterion(vfnet, options);
    agrees(got, wanted, JSON.stringify(options));
  }
});

test("a batch without positives, and one without images", async (device, engine) => {
  const input = gflExample(730, [0, 0]);
  const options = { normalizer: "mmdet", grad: true } as const;
  const wanted = engine.sync.gflCriterion(input, options);
  assert.is(wanted.numPos, 0);
  agrees(await engine.gflCriterion(onGpu(device, input, "cls", "dist"), options), wanted, "none");
  const there = await engine.gflCriterion(input, { ...options, placement: "gpu" });
  const dist = await floatsOf(device, (there.grad?.dist as GpuTensor).gpuBuffer as GPUBuffer);
  assert.is(dist.length, input.dist.length);
  assert.ok(dist.every((value) => value === 0));
  const vfnet = vfnetExample(731, [0]);
  agrees(await engine.vfnetCriterion(vfnet, options), engine.sync.vfnetCriterion(vfnet, options), "VarifocalNet");
  const nothing = { ...input, gt: [], gtIndex: [], cls: new Float32Array(0), dist: new Float32Array(0) };
  agrees(await engine.gflCriterion(nothing, options), engine.sync.gflCriterion(nothing, options), "no image");
});

test("half floats, quantised maps, and tensors in the kernels' memory", async (device, engine) => {
  const input = gflExample(740);
  const bits = { ...input, cls: Uint16Array.from(input.cls, halfBits), dist: Uint16Array.from(input.dist, halfBits) };
  const dims = (map: Float32Array) => dimsOf(map, 2);
  const asTensors = {
    ...input,
    cls: { data: bits.cls, dims: dims(input.cls) },
    dist: { data: bits.dist, dims: dims(input.dist) },
  };
  const wanted = engine.sync.gflCriterion(asTensors, { grad: true });
  agrees(await engine.gflCriterion(asTensors, { grad: true }), wanted, "halves");
  const there = onGpu(device, bits as unknown as GflExample, "cls", "dist");
  agrees(await engine.gflCriterion(there, { grad: true }), wanted, "halves there");
  const quantised = {
    data: Int8Array.from(input.dist, (x) => 8 * x),
    dims: dims(input.dist),
    scale: 0.125,
    zeroPoint: 0,
  };
  const rough = { ...input, dist: quantised as TensorLike };
  agrees(await engine.gflCriterion(rough, {}), engine.sync.gflCriterion(rough, {}), "quantised");
  using cls = engine.tensor(dims(input.cls));
  using dist = engine.tensor(dims(input.dist));
  cls.data.set(input.cls);
  dist.data.set(input.dist);
  const running = engine.gflCriterion({ ...input, cls, dist }, { grad: true });
  cls.data.fill(NaN);
  engine.tensor([1 << 20]).dispose();
  agrees(await running, engine.sync.gflCriterion(input, { grad: true }), "in memory");
});

test("gradients stay on the device on request", async (device, engine) => {
  const gfl = gflExample(750);
  const vfnet = vfnetExample(751);
  const there = async (result: CriterionResult<"gpu">): Promise<CriterionResult> => {
    const grads = Object.entries(result.grad ?? {}).map(async ([name, tensor]) => {
      const buffer = tensor.gpuBuffer as GPUBuffer;
      const values = await floatsOf(device, buffer);
      buffer.destroy();
      return [name, values.subarray(0, tensor.dims.reduce((a, b) => a * b))];
    });
    return { ...result, grad: Object.fromEntries(await Promise.all(grads)) };
  };
  const options = { grad: true, placement: "gpu", normalizer: "mmdet" } as const;
  const wanted = { grad: true, normalizer: "mmdet" } as const;
  agrees(await there(await engine.gflCriterion(gfl, options)), engine.sync.gflCriterion(gfl, wanted), "GFL");
  agrees(
    await there(await engine.vfnetCriterion(onGpu(device, vfnet, "cls", "distances", "refined"), options)),
    engine.sync.vfnetCriterion(vfnet, wanted),
    "VarifocalNet",
  );
});

test("GFL: an ignored anchor has no loss, whatever its logits", async (_, engine) => {
  const input = gflExample(730);
  const gtIndex = input.gtIndex as Int32Array[];
  const ignored = gtIndex.flatMap((indices) => [...indices]).flatMap((index, row) => index === -2 ? [row] : []);
  const wanted = engine.sync.gflCriterion(input, { grad: true });
  for (const logit of [Infinity, -Infinity, 3e38]) {
    const cls = input.cls.slice();
    for (const row of ignored) cls.fill(logit, row * 5, row * 5 + 5);
    agrees(await engine.gflCriterion({ ...input, cls }, { grad: true }), wanted, `${logit}`);
  }
});

test("NaN stays in its anchor and in the sums", async (_, engine) => {
  const input = gflExample(760);
  const positive = (input.gtIndex as Int32Array[])[0].findIndex((index) => index >= 0);
  const spoilt = { ...input, dist: input.dist.slice(), cls: input.cls.slice() };
  spoilt.dist[positive * 36 + 3] = NaN;
  agrees(await engine.gflCriterion(spoilt, { grad: true }), engine.sync.gflCriterion(spoilt, { grad: true }), "dist");
  spoilt.cls[positive * 5 + 2] = NaN;
  const options = { normalizer: "mmdet", grad: true } as const;
  agrees(await engine.gflCriterion(spoilt, options), engine.sync.gflCriterion(spoilt, options), "both");
  const saturated = { ...input, cls: input.cls.map((x) => 40 * x), dist: input.dist.map((x) => 25 * x) };
  agrees(await engine.gflCriterion(saturated, options), engine.sync.gflCriterion(saturated, options), "saturated");
});

test("one submission; of the maps only results come back, and no buffer is left", async (device) => {
  const gfl = gflExample(770);
  const vfnet = vfnetExample(771);
  const watched = watch(await newDevice());
  using engine = await createEngine({ device: "webgpu", gpuDevice: watched.device });
  const there = onGpu(watched.device, gfl, "cls", "dist");
  const thereToo = onGpu(watched.device, vfnet, "cls", "distances", "refined");
  const yolo = onGpu(watched.device, yoloExample(772, yoloHead, imageSize, [3, 5]), "cls", "dist");
  await engine.gflCriterion(there);
  await engine.vfnetCriterion(thereToo);
  await engine.yoloCriterion(yolo);
  const [live, mapped] = [watched.live(), watched.mapped()];
  const submitted = watched.submitted();
  await engine.gflCriterion(there);
  assert.is(watched.submitted() - submitted, 1);
  assert.ok(watched.mapped() - mapped <= 16, `${watched.mapped() - mapped} bytes came back`);
  await engine.vfnetCriterion(thereToo);
  assert.is(watched.submitted() - submitted, 2);
  const before = watched.mapped();
  await engine.yoloCriterion(yolo);
  assert.is(watched.submitted() - submitted, 3);
  assert.ok(watched.mapped() - before <= 20, `${watched.mapped() - before} bytes came back`);
  for (let i = 0; i < 20; i++) await engine.gflCriterion(there, { grad: i % 2 === 0 });
  for (let i = 0; i < 20; i++) await engine.yoloCriterion(yolo, { grad: i % 2 === 0 });
  const after = watched.live();
  for (let i = 0; i < 20; i++) await engine.gflCriterion(there, { grad: i % 2 === 0 });
  for (let i = 0; i < 20; i++) await engine.yoloCriterion(yolo, { grad: i % 2 === 0 });
  assert.ok(watched.live() <= after, `${watched.live()} buffers, ${after} before`);
  assert.ok(live > 0);
  assert.ok(device);
});

test("maps that are larger than a binding are cut", async () => {
  const small = watch(await newDevice(), { maxStorageBufferBindingSize: 128 * 36 * 4 });
  using engine = await createEngine({ device: "webgpu", gpuDevice: small.device });
  const input = gflExample(780, [4, 3, 5]);
  const options = { normalizer: "mmdet", grad: true } as const;
  const wanted = engine.sync.gflCriterion(input, options);
  agrees(await engine.gflCriterion(input, options), wanted, "uploaded");
  const there = onGpu(small.device, input, "cls", "dist");
  agrees(await engine.gflCriterion(there, options), wanted, "there");
  const kept = await engine.gflCriterion(there, { ...options, placement: "gpu" });
  const dist = await floatsOf(small.device, kept.grad?.dist.gpuBuffer as GPUBuffer);
  agrees({ ...kept, grad: { cls: wanted.grad?.cls as Float32Array, dist } }, wanted, "kept there");
});

test("YOLO: maps that are larger than a binding are cut; too many objects stay on the host", async () => {
  const small = watch(await newDevice(), { maxStorageBufferBindingSize: 512 * 36 });
  using engine = await createEngine({ device: "webgpu", gpuDevice: small.device });
  const input = yoloExample(781, yoloHead, imageSize, [2, 1, 2]);
  const options = { topk: 5, grad: true } as const;
  const wanted = engine.sync.yoloCriterion(input, options);
  agrees(await engine.yoloCriterion(input, options), wanted, "uploaded");
  const there = onGpu(small.device, input, "cls", "dist");
  agrees(await engine.yoloCriterion(there, options), wanted, "there");
  const kept = await engine.yoloCriterion(there, { ...options, placement: "gpu" });
  const dist = await floatsOf(small.device, kept.grad?.dist.gpuBuffer as GPUBuffer);
  agrees({ ...kept, grad: { cls: wanted.grad?.cls as Float32Array, dist } }, wanted, "kept there");
  const gt = [...input.gt.slice(1), groundTruth(random(782), yoloHead, imageSize, 200)];
  const many = await engine.yoloCriterion({ ...input, gt }, options);
  assert.equal(many, engine.sync.yoloCriterion({ ...input, gt }, options));
  await rejects(engine.yoloCriterion({ ...there, gt }, options), RangeError, "yoloCriterion: input.gt", "at most 1536");
});

test("what stays where it is says so, and errors name argument, got and wanted", async (device, engine) => {
  for (const { name } of Object.values(operations).filter(({ name }) => name.endsWith("Criterion"))) {
    assert.is(engine.plan(name as keyof SyncOps, 1e6).device, "webgpu", name);
  }
  for (const { name } of Object.values(operations).filter(({ check }) => check === undefined)) {
    assert.equal(engine.plan(name as keyof SyncOps, 1e6), { device: "wasm", reason: `${name} has no shader` });
  }
  const input = gflExample(790);
  const there = onGpu(device, input, "cls", "dist");
  throws(() => engine.sync.gflCriterion(there), TypeError, "gflCriterion: input.cls is a GpuTensor");
  throws(
    () => engine.sync.gflCriterion(input, { placement: "gpu" }),
    TypeError,
    `gflCriterion: options.placement is "gpu"; wanted "host"`,
  );
  await rejects(engine.gflCriterion({ ...there, dist: there.cls }), TypeError, "gflCriterion: input.dist");
  const yolo = yoloExample(791, yoloHead, imageSize, [3, 5]);
  const yoloThere = onGpu(device, yolo, "cls", "dist");
  const rejected = (change: object, ...words: string[]) =>
    rejects(engine.yoloCriterion({ ...yoloThere, ...change }), TypeError, ...words);
  await rejected({ dist: yoloThere.cls }, "yoloCriterion: input.dist");
  await rejected({ head: yoloPlain }, "yoloCriterion: input.dist");
  await rejected({ gt: yolo.gt[0] }, "yoloCriterion: input.gt");
  const foreign = onGpu(await newDevice(), yolo, "dist");
  await rejects(engine.yoloCriterion({ ...yolo, dist: foreign.dist }), Error, "yoloCriterion: ");
  agrees(await engine.yoloCriterion(yoloThere), engine.sync.yoloCriterion(yolo), "after errors");
  using wasm = await createEngine({ device: "wasm" });
  await rejects(wasm.gflCriterion(there), TypeError, "gflCriterion: input.cls is a GpuTensor");
  await rejects(wasm.gflCriterion(input, { placement: "gpu" }), TypeError, "gflCriterion: options.placement");
});

tests.run();
