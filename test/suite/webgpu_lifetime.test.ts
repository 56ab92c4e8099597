/** What is left on the device when an engine ends, or the device does, with calls under way. */
import { createEngine, type Engine, heads } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { rejects } from "../compare.ts";
import { floats, random } from "../random.ts";
import { bufferOf, newDevice, noDevice, watch } from "./gpu.ts";
import { skip } from "./skip.ts";
import { walk } from "./walk.ts";

const tests = suite("lifetime on WebGPU");

/** A test, or a skipped one. */
function test(title: string, body: () => Promise<void>): void {
  tests(title, async () => noDevice === null ? await body() : skip(noDevice));
}

const r = random(900);
const logits = { data: floats(24, () => r.normal()), dims: [6, 4] };
const maps = { data: floats(9 * 64, () => r.normal()), dims: [1, 9, 64] };
const head = heads.yolov8Decoded({ numClasses: 5, strides: [8], scores: "logits" });
const imageSize = [64, 64] as const;
const gfl = {
  cls: new Float32Array(64 * 3),
  dist: new Float32Array(64 * 4 * 5),
  head: heads.gfl({ numClasses: 3, bins: 5, strides: [8] }),
  imageSize,
  gt: [{ boxes: Float32Array.of(4, 4, 40, 50), labels: Int32Array.of(1) }],
};
const kept = { grad: true, placement: "gpu" } as const;

/** A call of every kind, and what destroys its result. */
const CALLS: Record<string, (engine: Engine, device: GPUDevice) => Promise<unknown>> = {
  "a loss": (engine) => engine.qualityFocalLoss(logits, logits, { reduction: "none", grad: true }),
  "a loss that stays": (engine) => engine.qualityFocalLoss(logits, logits, kept),
  "single losses that stay": (engine) =>
    engine.distributionFocalLoss(logits, new Float32Array(6), { ...kept, reduction: "none" }),
  "masks that stay": (engine) => {
    const prototypes = { data: logits.data, dims: [2, 3, 4] };
    return engine.maskLoss(Float32Array.of(1, 2), prototypes, new Uint8Array(12), Float32Array.of(0, 0, 4, 3), kept);
  },
  "an operation of rows": (engine) => engine.dflDecode(logits.data, { bins: 3 }),
  "detection of what is there": (engine, device) =>
    engine.detect({ gpuBuffer: bufferOf(device, maps.data), dims: maps.dims }, { head, imageSize }),
  "detection of what is uploaded": (engine) => engine.detect(maps, { head, imageSize, scoreThreshold: 0 }),
  "gflCriterion": (engine) => engine.gflCriterion(gfl, kept),
};

/** Destroys what a result keeps on the device. */
function destroyAll(result: unknown): void {
  if (typeof result !== "object" || result === null || ArrayBuffer.isView(result)) return;
  if ("gpuBuffer" in result) (result.gpuBuffer as GPUBuffer).destroy();
  else Object.values(result).forEach(destroyAll);
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

/** Moments from the start of a call: turns of the event loop, then microtasks. */
const MOMENTS = [[0, 0], [0, 2], [0, 12], [1, 0], [2, 3], [6, 0]];

async function until([turns, microtasks]: readonly number[]): Promise<void> {
  for (let i = 0; i < turns; i++) await turn();
  for (let i = 0; i < microtasks; i++) await null;
}

/** All calls at once; a result, or the error in its place. */
function callAll(engine: Engine, device: GPUDevice) {
  return Object.entries(CALLS).map(([name, call]) => {
    return call(engine, device).then((result) => ({ name, result }), (error: Error) => ({ name, error }));
  });
}

for (const warm of [false, true]) {
  test(`dispose() at any moment leaves no buffer of what is under way, ${warm ? "warm" : "cold"}`, async () => {
    const device = await newDevice();
    for (const moment of walk(MOMENTS)) {
      const { device: watched, live } = watch(device);
      const engine = await createEngine({ device: "webgpu", gpuDevice: watched });
      if (warm) destroyAll(await Promise.all(callAll(engine, device)));
      const pending = callAll(engine, device);
      await until(moment);
      engine.dispose();
      for (const outcome of await Promise.all(pending)) {
        if ("error" in outcome) assert.match(outcome.error.message, /the engine is disposed/, outcome.name);
        else destroyAll(outcome.result);
      }
      assert.is(live(), 0, `${moment}`);
      // Nor does what still runs make any.
      await until([3, 0]);
      assert.is(live(), 0, `${moment}, later`);
    }
    device.destroy();
  });
}

test("the end of the device leaves no buffer of what is under way", async () => {
  for (const moment of [[0, 0], [0, 5], [2, 0]]) {
    const device = await newDevice();
    const { device: watched, live } = watch(device);
    using engine = await createEngine({ device: "webgpu", gpuDevice: watched });
    destroyAll(await Promise.all(callAll(engine, device)));
    const pending = callAll(engine, device);
    await until(moment);
    device.destroy();
    for (const outcome of await Promise.all(pending)) {
      if ("error" in outcome) assert.match(outcome.error.message, /the GPU device was lost/, outcome.name);
      else if (moment[0] === 0) assert.unreachable(`${outcome.name} has a result of a device that is gone`);
      else destroyAll(outcome.result);
    }
    await until([3, 0]);
    assert.is(live(), 0, `${moment}`);
  }
});

test("a result that was delivered outlives its engine", async () => {
  const device = await newDevice();
  const { device: watched, live } = watch(device);
  const engine = await createEngine({ device: "webgpu", gpuDevice: watched });
  const result = await engine.qualityFocalLoss(logits, logits, kept);
  engine.dispose();
  assert.is(live(), 2);
  destroyAll(result);
  assert.is(live(), 0);
  device.destroy();
});

test("a device that is lost already is refused, or goes unused", async () => {
  const device = await newDevice();
  device.destroy();
  for (let turns = 0; turns < 3; turns++) {
    const refused = createEngine({ device: "webgpu", gpuDevice: device });
    await rejects(refused, Error, 'createEngine: options.device is "webgpu"', "options.gpuDevice is lost");
    using auto = await createEngine({ gpuDevice: device, offloadThreshold: 1 });
    assert.is(auto.capabilities.webgpu, null);
    const { device: planned, reason } = auto.plan("qualityFocalLoss", 1e6);
    assert.is(planned, "wasm");
    assert.match(reason, /options.gpuDevice is lost/);
    const { loss } = await auto.qualityFocalLoss(logits, logits);
    assert.is(loss, auto.sync.qualityFocalLoss(logits, logits).loss);
    await rejects(auto.qualityFocalLoss(logits, logits, kept), TypeError, "options.placement", "is lost");
    await turn();
  }
});

test("a device that is lost later is no longer among the capabilities", async () => {
  const device = await newDevice();
  using engine = await createEngine({ device: "webgpu", gpuDevice: device });
  assert.ok(engine.capabilities.webgpu !== null);
  device.destroy();
  await device.lost;
  await turn();
  assert.is(engine.capabilities.webgpu, null);
});

test('dispose() while "auto" opens its device rejects what waits for it', async () => {
  const device = await newDevice();
  const { device: watched, live } = watch(device);
  const large = new Float32Array(2 ** 17);
  for (const microtasks of [0, 1, 5, 20]) {
    const engine = await createEngine({ gpuDevice: watched });
    const pending = engine.qualityFocalLoss(large, large);
    await until([0, microtasks]);
    engine.dispose();
    await rejects(pending, Error, "qualityFocalLoss: the engine is disposed");
    await until([2, 0]);
    assert.is(live(), 0);
  }
  device.destroy();
});

tests.run();
