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
} from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import { rejects, throws } from "../compare.ts";
import { criterionScene, distancesFor, distributionsFor } from "../criterion_scene.ts";
import { halfBits } from "../half.ts";
import { random } from "../random.ts";
import { bufferOf, floatsOf, newDevice, noDevice, watch } from "./gpu.ts";
import { skip } from "./skip.ts";

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
  await engine.gflCriterion(there);
  await engine.vfnetCriterion(thereToo);
  const [live, mapped] = [watched.live(), watched.mapped()];
  const submitted = watched.submitted();
  await engine.gflCriterion(there);
  assert.is(watched.submitted() - submitted, 1);
  assert.ok(watched.mapped() - mapped <= 16, `${watched.mapped() - mapped} bytes came back`);
  await engine.vfnetCriterion(thereToo);
  assert.is(watched.submitted() - submitted, 2);
  for (let i = 0; i < 20; i++) await engine.gflCriterion(there, { grad: i % 2 === 0 });
  const after = watched.live();
  for (let i = 0; i < 20; i++) await engine.gflCriterion(there, { grad: i % 2 === 0 });
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

test("what stays where it is says so, and errors name argument, got and wanted", async (device, engine) => {
  assert.is(engine.plan("gflCriterion", 1e6).device, "webgpu");
  assert.is(engine.plan("vfnetCriterion", 1e6).device, "webgpu");
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
  using wasm = await createEngine({ device: "wasm" });
  await rejects(wasm.gflCriterion(there), TypeError, "gflCriterion: input.cls is a GpuTensor");
  await rejects(wasm.gflCriterion(input, { placement: "gpu" }), TypeError, "gflCriterion: options.placement");
});

tests.run();
