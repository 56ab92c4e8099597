/** The WebGPU backend apart from its numbers: input, results, chunks, buffers, dispatch and loss of the device. */
import { createEngine, type Engine, type GpuTensor, type TensorLike } from "densehead";
import * as slim from "densehead/slim";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close, rejects, same, throws } from "../compare.ts";
import { floats, random } from "../random.ts";
import { asHardware, bufferOf, floatsOf, hasSubgroups, newDevice, noDevice, watch } from "./gpu.ts";
import { wasm } from "./runtime.ts";
import { skip } from "./skip.ts";
import { times } from "./walk.ts";

const tests = suite("WebGPU");

/** A test with a device of its own, or a skipped one. */
function test(title: string, body: (device: GPUDevice) => Promise<void>): void {
  tests(title, async () => {
    if (noDevice !== null) return skip(noDevice);
    const device = await newDevice();
    await body(device);
    device.destroy();
  });
}

const each = { reduction: "none", grad: true } as const;
const dims = [30, 7];
const r = random(200);
/** Exact in halves and in bytes of a sixteenth. */
const logits = floats(210, () => Math.round(r.normal() * 30) / 16);
const targets = floats(210, () => r.integer(3) / 2);

/** Half bits of numbers that have few digits. */
function halfBits(values: Float32Array): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(values, (value) => {
    const [bits] = new Uint32Array(Float32Array.of(value).buffer);
    return value === 0
      ? bits >>> 16
      : (bits >>> 16 & 0x8000) | (((bits >>> 23 & 0xff) - 112) << 10) | (bits >>> 13 & 0x3ff);
  });
}

test("every kind of input, on the host and on the GPU, gives the same", async (device) => {
  using engine = await createEngine({ device: "webgpu", gpuDevice: device });
  const wanted = await engine.qualityFocalLoss(logits, targets, each);
  using resident = engine.tensor(dims);
  resident.data.set(logits);
  const onGpu = (data: Float32Array | Uint16Array, dataType: GpuTensor["dataType"]): GpuTensor => {
    return { gpuBuffer: bufferOf(device, data), dims, dataType };
  };
  const inputs: [TensorLike, TensorLike][] = [
    [resident, { data: Float64Array.from(targets), dims }],
    [{ data: Int8Array.from(logits, (v) => v * 16), dims, scale: 1 / 16 }, { data: targets, dims }],
    [{ data: halfBits(logits), dims }, { data: halfBits(targets), dims }],
    [onGpu(logits, "float32"), { data: targets, dims }],
    [onGpu(halfBits(logits), "float16"), onGpu(targets, "float32")],
  ];
  for (const [i, [pred, target]] of inputs.entries()) {
    const { loss, grad } = await engine.qualityFocalLoss(pred, target, each);
    same(loss, wanted.loss, `input ${i}: loss`);
    same(grad, wanted.grad, `input ${i}: gradient`);
  }
  const odd = { data: Uint16Array.of(0x3c00, 0x7c00, 0xfe00), dims: [3] };
  const { loss } = await engine.qualityFocalLoss(odd, new Float32Array(3), { reduction: "none" });
  close(loss, [0.70186836, Infinity, NaN], 1e-6);
});

test("results stay on the device on request, and go where `out` says", async (device) => {
  using engine = await createEngine({ device: "webgpu", gpuDevice: device });
  const pred = { data: logits, dims };
  const target = { data: targets, dims };
  const wanted = engine.sync.qualityFocalLoss(pred, target, each);
  const none = await engine.qualityFocalLoss(pred, target, { ...each, placement: "gpu" });
  assert.equal([none.loss.dims, none.grad.dims], [dims, dims]);
  close(await floatsOf(device, none.loss.gpuBuffer as GPUBuffer), wanted.loss, 1e-5);
  close(await floatsOf(device, none.grad.gpuBuffer as GPUBuffer), wanted.grad, 1e-5);
  // As input they need no copy.
  const again = await engine.binaryCrossEntropyWithLogits(none.grad, target, each);
  close(again.loss, engine.sync.binaryCrossEntropyWithLogits({ data: wanted.grad, dims }, target, each).loss, 1e-5);
  const mean = await engine.qualityFocalLoss(pred, target, { placement: "gpu" });
  assert.equal(mean.loss.dims, []);
  const meanWanted = engine.sync.qualityFocalLoss(pred, target).loss;
  close(await floatsOf(device, mean.loss.gpuBuffer as GPUBuffer), [meanWanted], 1e-5);
  const out = { loss: new Float32Array(210), grad: new Float32Array(210) };
  const filled = await engine.qualityFocalLoss(pred, target, { ...each, out });
  assert.is(filled.loss, out.loss);
  assert.is(filled.grad, out.grad);
  close(out.grad, wanted.grad, 1e-5);
  for (const { gpuBuffer } of [none.loss, none.grad, mean.loss]) (gpuBuffer as GPUBuffer).destroy();
});

test("maps larger than a binding or a dispatch are cut", async (device) => {
  const limits = { maxStorageBufferBindingSize: 8192, maxComputeWorkgroupsPerDimension: 3 };
  using engine = await createEngine({ device: "webgpu", gpuDevice: watch(device, limits).device });
  const x = floats(9001, () => r.normal() * 3);
  const y = floats(9001, () => r.integer(2));
  const wanted = engine.sync.qualityFocalLoss(x, y, each);
  const got = await engine.qualityFocalLoss(x, y, each);
  close(got.loss, wanted.loss, 1e-5);
  close(got.grad, wanted.grad, 1e-5);
  const total = engine.sync.qualityFocalLoss(x, y).loss;
  close([(await engine.qualityFocalLoss(x, y)).loss], [total], 8e-6 * total);
  const onGpu = { gpuBuffer: bufferOf(device, x), dims: [9001] };
  close([(await engine.qualityFocalLoss(onGpu, { data: y, dims: [9001] })).loss], [total], 8e-6 * total);

  const yOnGpu = { gpuBuffer: bufferOf(device, y), dims: [9001] };
  close([(await engine.qualityFocalLoss(onGpu, yOnGpu)).loss], [total], 8e-6 * total);
  const placed = await engine.qualityFocalLoss(onGpu, yOnGpu, { ...each, placement: "gpu" });
  close(await floatsOf(device, placed.loss.gpuBuffer as GPUBuffer), wanted.loss, 1e-5);
  close(await floatsOf(device, placed.grad.gpuBuffer as GPUBuffer), wanted.grad, 1e-5);
  const bits = Uint16Array.from(x, (_, i) => 0x3c00 + i % 2048);
  const fromHost = await engine.qualityFocalLoss({ data: bits, dims: [9001] }, { data: y, dims: [9001] }, each);
  const halves: GpuTensor = { gpuBuffer: bufferOf(device, bits), dims: [9001], dataType: "float16" };
  const fromGpu = await engine.qualityFocalLoss(halves, { data: y, dims: [9001] }, each);
  same(fromGpu.loss, fromHost.loss);
  close(
    fromGpu.grad,
    engine.sync.qualityFocalLoss({ data: bits, dims: [9001] }, { data: y, dims: [9001] }, each).grad,
    1e-5,
  );

  const labels = Int32Array.from({ length: 1500 }, (_, i) => i % 9 - 1);
  const weight = floats(1500, (i) => i % 5);
  const rows = { data: x.slice(0, 9000), dims: [1500, 6] };
  const byRow = await engine.varifocalLoss(rows, { labels }, { ...each, weight });
  const byRowWanted = engine.sync.varifocalLoss(rows, { labels }, { ...each, weight });
  close(byRow.loss, byRowWanted.loss, 1e-4);
  close(byRow.grad, byRowWanted.grad, 1e-5);

  const sides = { data: x.slice(0, 8000), dims: [500, 16] };
  const bins = floats(500, (i) => i % 15 + 0.25);
  const dfl = await engine.distributionFocalLoss(sides, bins, { reduction: "sum", grad: true });
  const dflWanted = engine.sync.distributionFocalLoss(sides, bins, { reduction: "sum", grad: true });
  close([dfl.loss], [dflWanted.loss], 8e-6 * dflWanted.loss);
  close(dfl.grad, dflWanted.grad, 4e-6);
  bins[450] = 15.5;
  await rejects(engine.distributionFocalLoss(sides, bins), RangeError, "target[450]", "15.5", "0 to 15");

  const wide = { data: new Float32Array(2 * 3000), dims: [2, 3000] };
  const call = engine.qualityFocalLoss(wide, { labels: Int32Array.of(0, 1) });
  await rejects(call, RangeError, "qualityFocalLoss", "pred", "3000", "at most 16");
});

test("sums that would not fit a binding are cut as the maps are", async (device) => {
  const limits = { maxStorageBufferBindingSize: 16384, maxComputeWorkgroupsPerDimension: 5 };
  for (const base of [device, asHardware(await newDevice(hasSubgroups ? ["subgroups"] : []))]) {
    using engine = await createEngine({ device: "webgpu", gpuDevice: watch(base, limits).device });
    const near = (got: number, wanted: number, what: string) => close([got], [wanted], 8e-6 * wanted, what);
    // One sum a row: 52 KB; of dense losses one for 16 elements.
    const sides = { data: floats(2 * 13001, () => r.normal() * 3), dims: [13001, 2] };
    const bins = { data: floats(13001, () => r.uniform()), dims: [13001] };
    const boxes = { data: floats(4 * 13001, (i) => (i % 4 < 2 ? 0 : 20) + r.uniform(0, 9)), dims: [13001, 4] };
    const truth = { data: boxes.data.map((x) => x + 2), dims: [13001, 4] };
    const dense = { data: floats(100003, () => r.normal()), dims: [100003] };
    const halves = { data: floats(100003, () => r.integer(3) / 2), dims: [100003] };
    const there = ({ data, dims }: { data: Float32Array; dims: number[] }) => ({
      gpuBuffer: bufferOf(base, data),
      dims,
    });
    for (const reduction of ["sum", "mean"] as const) {
      const options = { reduction, lossWeight: 0.5 };
      for (const place of [there, (tensor: typeof dense) => tensor]) {
        const dfl = await engine.distributionFocalLoss(place(sides), place(bins), options);
        near(dfl.loss, engine.sync.distributionFocalLoss(sides, bins, options).loss, "distribution focal loss");
        const iou = await engine.iouLoss(place(boxes), place(truth), { ...options, grad: true });
        const iouWanted = engine.sync.iouLoss(boxes, truth, { ...options, grad: true });
        near(iou.loss, iouWanted.loss, "IoU loss");
        close(iou.grad, iouWanted.grad, 1e-5);
        const quality = await engine.qualityFocalLoss(place(dense), place(halves), options);
        near(quality.loss, engine.sync.qualityFocalLoss(dense, halves, options).loss, "quality focal loss");
      }
      const kept = await engine.qualityFocalLoss(there(dense), there(halves), { ...options, placement: "gpu" });
      const [loss] = await floatsOf(base, kept.loss.gpuBuffer as GPUBuffer);
      near(loss, engine.sync.qualityFocalLoss(dense, halves, options).loss, "there");
    }
  }
});

test("what only looks like a buffer is refused with the operation's name", async (device) => {
  using engine = await createEngine({ device: "webgpu", gpuDevice: device });
  const fake = { gpuBuffer: { size: 16, usage: 0x80 }, dims: [4] } as unknown as GpuTensor;
  const call = engine.qualityFocalLoss(fake, new Float32Array(4));
  await rejects(call, TypeError, "qualityFocalLoss: pred.gpuBuffer", "a GPUBuffer");
  const careful = { ...fake, gpuBuffer: { size: 16, usage: 0x80, mapAsync() {} } } as unknown as GpuTensor;
  await rejects(
    engine.qualityFocalLoss(careful, new Float32Array(4)),
    Error,
    "qualityFocalLoss",
    "engine's own device",
  );
  const { loss } = await engine.qualityFocalLoss(logits, targets);
  close([loss], [engine.sync.qualityFocalLoss(logits, targets).loss], 1e-5);
});

test("a sum of 300 000 elements is within 8e-6", async (device) => {
  using engine = await createEngine({ device: "webgpu", gpuDevice: device });
  const x = floats(300000, () => r.normal() * 3 - 3);
  const y = floats(300000, () => r.integer(50) === 0 ? 1 : 0);
  const wanted = engine.sync.qualityFocalLoss(x, y, { reduction: "sum" }).loss;
  const got = (await engine.qualityFocalLoss(x, y, { reduction: "sum" })).loss;
  assert.ok(Math.abs(got / wanted - 1) < 8e-6, `${got} and ${wanted}`);
});

test("a thousand calls keep no buffers, read back only results, and dispose frees all", async (device) => {
  const { device: watched, live, mapped } = watch(device);
  const engine = await createEngine({ device: "webgpu", gpuDevice: watched });
  const sizes = [1, 40, 210, 1000, 4000];
  const call = async (i: number) => {
    const x = new Float32Array(sizes[i % sizes.length]);
    if (i % 7 === 0) await engine.qualityFocalLoss(x, x, { grad: true });
    else await engine.binaryCrossEntropyWithLogits(x, x);
  };
  for (let i = 0; i < 70; i++) await call(i);
  const before = live();
  const more = times(930);
  for (let i = 0; i < more; i++) await call(i);
  assert.is(live(), before);
  const read = mapped();
  const pred = { gpuBuffer: bufferOf(device, logits), dims };
  await engine.qualityFocalLoss(pred, { data: targets, dims });
  assert.is(mapped() - read, 4);
  engine.dispose();
  assert.is(live(), 0);
  await floatsOf(device, pred.gpuBuffer);
});

test("calls at the same time do not disturb each other", async (device) => {
  using engine = await createEngine({ device: "webgpu", gpuDevice: device });
  const weights = Array.from({ length: 20 }, (_, i) => i + 1);
  const results = await Promise.all(
    weights.map((lossWeight) =>
      engine.iouLoss(logits.slice(0, 8), targets.slice(0, 8), {
        lossWeight,
        grad: true,
      })
    ),
  );
  results.forEach(({ loss }, i) => close([loss], [results[0].loss * weights[i]], 1e-4));
});

test("a lost device rejects what is pending, and WASM takes over", async (device) => {
  using engine = await createEngine({ device: "webgpu", gpuDevice: device });
  await engine.qualityFocalLoss(logits, targets);
  const pending = engine.qualityFocalLoss(logits, targets);
  device.destroy();
  await rejects(pending, Error, "qualityFocalLoss", "the GPU device was lost");
  await device.lost;
  const { device: planned, reason } = engine.plan("qualityFocalLoss", 1e9);
  assert.is(planned, "wasm");
  assert.ok(reason.includes("lost"), reason);
  assert.is((await engine.qualityFocalLoss(logits, targets)).loss, engine.sync.qualityFocalLoss(logits, targets).loss);
  const gone = engine.qualityFocalLoss(logits, targets, { placement: "gpu" });
  await rejects(gone, TypeError, "qualityFocalLoss", "options.placement", "lost");
});

test("dispose rejects what is pending and leaves a shared device alive", async (device) => {
  const engine = await createEngine({ device: "webgpu", gpuDevice: device });
  await engine.qualityFocalLoss(logits, targets);
  const pending = engine.qualityFocalLoss(logits, targets);
  engine.dispose();
  await rejects(pending, Error, "qualityFocalLoss", "disposed");
  await rejects(engine.qualityFocalLoss(logits, targets), Error, "qualityFocalLoss", "disposed");
  await floatsOf(device, bufferOf(device, logits));
});

test("a tensor in linear memory may be disposed of before the GPU has read it", async (device) => {
  using engine = await createEngine({ device: "webgpu", gpuDevice: device });
  const resident = engine.tensor(dims);
  resident.data.set(logits);
  const pending = engine.qualityFocalLoss(resident, { data: targets, dims }, each);
  resident.dispose();
  engine.tensor([210]).data.fill(9);
  const { loss } = await pending;
  same(loss, (await engine.qualityFocalLoss(logits, targets, each)).loss);
});

test("results go into a tensor in linear memory, which may grow meanwhile", async (device) => {
  using engine = await createEngine({ device: "webgpu", gpuDevice: device });
  const grad = engine.tensor(dims);
  const pending = engine.qualityFocalLoss(logits, targets, { grad: true, out: { grad: grad.data } });
  using room = engine.tensor([engine.memory.reserved / 4]);
  const got = await pending;
  close(grad.data, engine.sync.qualityFocalLoss(logits, targets, { grad: true }).grad, 1e-6);
  same(got.grad, grad.data);
  assert.is(room.data[0], 0);
});

test("where operations run, and why", async (device) => {
  using engine = await createEngine({ device: "webgpu", gpuDevice: device });
  assert.ok((engine.capabilities.webgpu as string).length > 0);
  assert.is(engine.plan("giouLoss", 1).device, "webgpu");
  assert.equal(engine.plan("softNms", 1e9), { device: "wasm", reason: "softNms has no shader" });
  using auto = await createEngine({ gpuDevice: device, offloadThreshold: 200 });
  assert.is(auto.plan("giouLoss", 199).device, "wasm");
  assert.is(auto.plan("giouLoss", 200).device, "webgpu");
  close(
    [(await auto.qualityFocalLoss(logits, targets)).loss],
    [auto.sync.qualityFocalLoss(logits, targets).loss],
    1e-5,
  );
  using wasm = await createEngine({ device: "wasm", gpuDevice: device });
  assert.is(wasm.capabilities.webgpu, null);
  assert.is(wasm.plan("giouLoss", 1e9).device, "wasm");
  const onGpu: GpuTensor = { gpuBuffer: bufferOf(device, logits), dims };
  const refused = wasm.qualityFocalLoss(onGpu, { data: targets, dims });
  await rejects(refused, TypeError, "qualityFocalLoss", "pred", "GpuTensor", "no GPU device", '"wasm"');
});

test('"auto" measures once, in bounded time, and says what it found', async (device) => {
  using engine = await createEngine({ gpuDevice: device });
  assert.ok(engine.plan("iouLoss", 1e6).reason.includes("not measured"));
  const x = new Float32Array(2 ** 17);
  const { loss } = await engine.binaryCrossEntropyWithLogits(x, x);
  close([loss], [Math.LN2], 1e-5);
  const { reason } = engine.plan("iouLoss", 1e6);
  assert.match(reason, /measured/);
  assert.not.match(reason, /not measured/);
  // Tensors on the GPU need no crossover.
  const onGpu = { gpuBuffer: bufferOf(device, logits), dims };
  const few = await engine.qualityFocalLoss(onGpu, { data: targets, dims }, { placement: "gpu" });
  assert.is(few.loss.dims.length, 0);
});

test("errors are those of WASM, and what the GPU reports has the operation's name", async (device) => {
  using engine: Engine = await createEngine({ device: "webgpu", gpuDevice: device });
  const wrongs = [
    [logits, targets.slice(1), {}],
    [logits, targets, { beta: -1 }],
    [logits, targets, { weight: new Float32Array(4) }],
    [logits, targets, { out: { loss: new Float32Array(1) } }],
    [logits, targets, { placement: "there" }],
  ] as const;
  for (const [pred, target, options] of wrongs) {
    const call = (losses: unknown) => (losses as Engine).qualityFocalLoss(pred, target, options as object);
    const error = await call(engine).then(() => undefined, (thrown) => thrown);
    throws(() => call(engine.sync), error.constructor, error.message);
  }
  const buffer = bufferOf(device, logits);
  const target = { data: targets, dims };
  const placed = (tensor: object) => engine.qualityFocalLoss(tensor as GpuTensor, target);
  await rejects(placed({ gpuBuffer: buffer, dims: [30, 8] }), TypeError, "pred.gpuBuffer", "840 bytes", "960 bytes");
  await rejects(placed({ gpuBuffer: buffer, dims, dataType: "int8" }), TypeError, "pred.dataType", "int8", "float16");
  await rejects(placed({ gpuBuffer: {}, dims }), TypeError, "pred.gpuBuffer", "GPUBuffer");
  const unreadable = device.createBuffer({ size: 840, usage: 0x8 });
  await rejects(placed({ gpuBuffer: unreadable, dims }), TypeError, "pred.gpuBuffer", "STORAGE");
  const out = { loss: new Float32Array(210) };
  const staying = engine.qualityFocalLoss(logits, targets, { reduction: "none", placement: "gpu", out });
  await rejects(staying, TypeError, "options.out.loss");
  throws(() => engine.sync.qualityFocalLoss({ gpuBuffer: buffer, dims }, target), TypeError, "pred", "GpuTensor");
  throws(() => engine.sync.qualityFocalLoss(logits, targets, { placement: "gpu" }), TypeError, "options.placement");

  const other = await newDevice();
  const foreign = placed({ gpuBuffer: bufferOf(other, logits), dims });
  await rejects(foreign, Error, "qualityFocalLoss", "engine's own device");
  close(
    [(await engine.qualityFocalLoss(logits, targets)).loss],
    [engine.sync.qualityFocalLoss(logits, targets).loss],
    1e-5,
  );
  other.destroy();
});

test("the slim entry has it too", async (device) => {
  using engine = await slim.createEngine({ wasm: wasm.baseline, device: "webgpu", gpuDevice: device });
  close(
    [(await engine.qualityFocalLoss(logits, targets)).loss],
    [engine.sync.qualityFocalLoss(logits, targets).loss],
    1e-5,
  );
});

test("the platform's own adapter", async () => {
  if (globalThis.navigator?.gpu === undefined) return skip("no WebGPU without npm's");
  using engine = await createEngine({ device: "webgpu" });
  assert.ok(engine.capabilities.webgpu !== null);
  close(
    [(await engine.qualityFocalLoss(logits, targets)).loss],
    [engine.sync.qualityFocalLoss(logits, targets).loss],
    1e-5,
  );
  using auto = await createEngine();
  assert.is(auto.capabilities.webgpu, null);
  const large = new Float32Array(2 ** 17);
  close([(await auto.binaryCrossEntropyWithLogits(large, large)).loss], [Math.LN2], 1e-5);
});

tests.run();
