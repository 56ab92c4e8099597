/**
 * Entries, engines and their options, tensors in linear memory.
 */
import * as embedded from "densehead";
import * as slim from "densehead/slim";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { calls } from "../argument_cases.ts";
import { random } from "../random.ts";
import { runtime, wasm } from "./runtime.ts";

const test = suite("loading");

const PAGE = 65536;
const { createEngine } = embedded;
const boxes = Float32Array.of(0, 0, 10, 10, 0, 0, 10, 5);
const scores = Float32Array.of(0.5, 0.9);
const ious = Float32Array.of(1, 0.5, 0.5, 1);

/** A module of one function, whose body is f32x4.relaxed_madd of three zeros. */
const relaxedProbe = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x14, 0x01, 0x12, 0x00],
  ...[0x41, 0x00, 0xfd, 0x11, 0x41, 0x00, 0xfd, 0x11, 0x41, 0x00, 0xfd, 0x11],
  ...[0xfd, 0x85, 0x02, 0x1a, 0x0b],
);
const hostBuild = WebAssembly.validate(relaxedProbe) ? "relaxed-simd" : "simd";

/** Is it an error of that class whose message has all the parts? */
function errorOf(kind: ErrorConstructor, ...parts: string[]): (error: unknown) => boolean {
  return (error) => {
    assert.instance(error, kind);
    const { message } = error as Error;
    for (const part of parts) assert.ok(message.includes(part), `"${part}" is not in: ${message}`);
    return true;
  };
}

/** Does the promise reject so? */
async function rejects(promise: Promise<unknown>, kind: ErrorConstructor, ...parts: string[]): Promise<void> {
  const [outcome] = await Promise.allSettled([promise]);
  assert.is(outcome.status, "rejected", "expected a rejection");
  errorOf(kind, ...parts)((outcome as PromiseRejectedResult).reason);
}

/** For values that TypeScript would refuse. */
// deno-lint-ignore no-explicit-any -- the point of it
const wrong = (value: unknown): any => value;

// ── Entries ─────────────────────────────────────────────────────────────────────

test("both entries export the same values, and nothing else", () => {
  const values = ["Detections", "anchorRows", "createEngine", "heads", "inputs", "toSvg"];
  assert.equal(Object.keys(embedded).sort(), values);
  assert.equal(Object.keys(slim).sort(), values);
});

test("the embedded kernels are the fastest that the host validates", async () => {
  using engine = await createEngine();
  assert.equal(engine.capabilities, { wasm: hostBuild, webgpu: null, threads: 1, threadsReason: null });
  assert.equal(engine.sync.boxIou(boxes, boxes), ious);
});

test('relaxedSimd "off" takes the baseline build', async () => {
  using engine = await createEngine({ relaxedSimd: "off" });
  assert.is(engine.capabilities.wasm, "simd");
  assert.equal(engine.sync.boxIou(boxes, boxes), ious);
});

test("operations are there twice: now, and as promises", async () => {
  using engine = await createEngine({ device: "wasm" });
  const promise = engine.nms(boxes, scores, { iouThreshold: 0.4 });
  assert.instance(promise, Promise);
  assert.equal(await promise, Int32Array.of(1));
  assert.equal(engine.sync.nms(boxes, scores, { iouThreshold: 0.4 }), Int32Array.of(1));
});

test("an asynchronous operation rejects where the synchronous one throws", async () => {
  using engine = await createEngine();
  assert.throws(() => engine.sync.boxIou(wrong("boxes"), boxes), errorOf(TypeError, "boxIou", "a"));
  await rejects(engine.boxIou(wrong("boxes"), boxes), TypeError, "boxIou", "a");
});

// ── Slim ────────────────────────────────────────────────────────────────────────

test("slim takes a module, or a promise of one", async () => {
  const module = wasm.baseline instanceof WebAssembly.Module ? wasm.baseline : await WebAssembly.compile(wasm.baseline);
  for (const source of [module, Promise.resolve(module)]) {
    using engine = await slim.createEngine({ wasm: source });
    assert.is(engine.capabilities.wasm, "simd");
    assert.equal(engine.sync.boxIou(boxes, boxes), ious);
  }
});

test("slim takes the relaxed build where the host runs it", async () => {
  if (hostBuild === "simd") {
    await rejects(slim.createEngine({ wasm: wasm.relaxed }), WebAssembly.CompileError as ErrorConstructor);
    return;
  }
  using engine = await slim.createEngine({ wasm: wasm.relaxed });
  assert.is(engine.capabilities.wasm, "relaxed-simd");
  assert.equal(engine.sync.boxIou(boxes, boxes), ious);
  await rejects(slim.createEngine({ wasm: wasm.relaxed, relaxedSimd: "off" }), TypeError, "createEngine", "wasm");
});

if (wasm.baseline instanceof WebAssembly.Module) {
  test("slim in workerd: the platform refuses bytes", async () => {
    assert.is(runtime, "workerd");
    await rejects(slim.createEngine({ wasm: relaxedProbe }), WebAssembly.CompileError as ErrorConstructor);
  });
} else {
  const bytes = wasm.baseline;
  const sources = {
    "a Uint8Array": () => bytes,
    "an ArrayBuffer": () => bytes.slice().buffer,
    "a DataView": () => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    "a Response": () => new Response(bytes, { headers: { "content-type": "application/wasm" } }),
    "a Response without its type": () => new Response(bytes),
    "a promise of a Response": () => Promise.resolve(new Response(bytes)),
  };
  for (const [name, source] of Object.entries(sources)) {
    test(`slim takes the bytes from ${name}`, async () => {
      using engine = await slim.createEngine({ wasm: source() });
      assert.is(engine.capabilities.wasm, "simd");
      assert.equal(engine.sync.boxIou(boxes, boxes), ious);
    });
  }

  test("slim refuses a Response that is not ok", async () => {
    await rejects(slim.createEngine({ wasm: new Response("", { status: 404 }) }), Error, "createEngine", "404");
  });

  test("slim tells what came in the place of the kernels", async () => {
    const page = new Response("<!doctype html>", { headers: { "content-type": "text/html" } });
    const say = ["createEngine: options.wasm is", "text/html", "<!doctype html>", "wanted densehead.wasm"];
    await rejects(slim.createEngine({ wasm: page }), TypeError, ...say);
    const read = new Response("");
    await read.text();
    await rejects(slim.createEngine({ wasm: read }), TypeError, "createEngine: options.wasm", "was read already");
    await rejects(slim.createEngine({ wasm: new Uint8Array(0) }), TypeError, "options.wasm", "begins with nothing");
    const other = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    const unknown = ["options.wasm is a module with no exports", "wanted densehead.wasm"];
    await rejects(slim.createEngine({ wasm: WebAssembly.compile(other) }), TypeError, ...unknown);
    await rejects(slim.createEngine({ wasm: other }), TypeError, ...unknown);
    await rejects(
      slim.createEngine({ wasm: bytes.slice(0, 1000) }),
      WebAssembly.CompileError as ErrorConstructor,
      "createEngine: this host does not compile the kernels",
      "densehead/slim",
      "wasm-unsafe-eval",
    );
  });

  test("slim refuses the kernels of another version, and takes those without a name", async () => {
    const name = new TextEncoder().encode("densehead");
    const end = bytes.length;
    const at = Array.from({ length: 64 }, (_, i) => end - 64 + i).find((i) => name.every((v, j) => bytes[i + j] === v));
    assert.ok(at !== undefined, "no section at the end of densehead.wasm");
    const changed = bytes.slice();
    changed[end - 1] ^= 1;
    await rejects(slim.createEngine({ wasm: changed }), TypeError, "options.wasm is a module of densehead's kernels");
    // The section begins with 0, its size and the length of its title.
    using engine = await slim.createEngine({ wasm: bytes.slice(0, at - 3) });
    assert.equal(engine.sync.boxIou(boxes, boxes), ious);
  });
}

test("slim refuses what holds no kernels", async () => {
  for (const value of [undefined, null, 5, "densehead.wasm", {}, [], () => {}]) {
    await rejects(slim.createEngine({ wasm: wrong(value) }), TypeError, "createEngine", "wasm");
  }
  await rejects(slim.createEngine(wrong(undefined)), TypeError, "createEngine", "options");
});

// ── Options ─────────────────────────────────────────────────────────────────────

test('device "webgpu" is refused where the platform has none, and "auto" is then WASM', async () => {
  if (globalThis.navigator?.gpu !== undefined) return;
  await rejects(createEngine({ device: "webgpu" }), Error, "createEngine", "webgpu", "WebGPU");
  using engine = await createEngine();
  assert.is(engine.plan("iouLoss", 1e9).device, "wasm");
  const large = new Float32Array(2 ** 18);
  assert.is((await engine.qualityFocalLoss(large, large)).loss, engine.sync.qualityFocalLoss(large, large).loss);
  assert.is(engine.capabilities.webgpu, null);
  await rejects(engine.qualityFocalLoss(large, large, { placement: "gpu" }), TypeError, "placement", "no GPU device");
});

test("values that an option does not have are TypeErrors that name it", async () => {
  await rejects(createEngine({ device: wrong("gpu") }), TypeError, "createEngine", "device", '"gpu"');
  await rejects(createEngine({ gpuDevice: wrong({}) }), TypeError, "createEngine", "gpuDevice", "GPUDevice");
  await rejects(createEngine({ offloadThreshold: wrong("1e6") }), TypeError, "createEngine", "offloadThreshold");
  await rejects(createEngine({ offloadThreshold: -1 }), RangeError, "createEngine", "offloadThreshold", "-1");
  await rejects(createEngine({ relaxedSimd: wrong("on") }), TypeError, "createEngine", "relaxedSimd", '"on"');
  await rejects(createEngine({ relaxedSimd: wrong(true) }), TypeError, "createEngine", "relaxedSimd");
  await rejects(createEngine({ maxMemory: wrong("64 MiB") }), TypeError, "createEngine", "maxMemory");
  for (const options of [null, 5, "wasm"]) {
    await rejects(createEngine(wrong(options)), TypeError, "createEngine", "options");
  }
});

test("maxMemory below the kernels' own is a RangeError", async () => {
  for (const maxMemory of [0, -1, 1, PAGE, 0.5, NaN]) {
    await rejects(createEngine({ maxMemory }), RangeError, "createEngine", "maxMemory");
  }
});

// ── Life ────────────────────────────────────────────────────────────────────────

test("engines share nothing", async () => {
  using a = await createEngine();
  using b = await createEngine({ maxMemory: 16 * PAGE, relaxedSimd: "off" });
  const used = b.memory.used;
  const [ofA, ofB] = [a.tensor([4]), b.tensor([4])];
  ofA.data.fill(1);
  assert.equal(ofB.data, new Float32Array(4));
  a.tensor([1000, 1000]);
  assert.ok(b.memory.used < used + 4096);
  a.dispose();
  assert.equal(b.sync.boxIou(boxes, boxes), ious);
  ofB.data.fill(2);
  assert.equal(ofB.data, Float32Array.of(2, 2, 2, 2));
});

test("calls after dispose throw errors that name the operation", async () => {
  const engine = await createEngine();
  const { sync } = engine;
  engine.dispose();
  type Operations = Record<string, (...args: unknown[]) => unknown>;
  for (const { op, args } of calls) {
    assert.throws(() => (sync as unknown as Operations)[op](...args()), errorOf(Error, op, "disposed"));
    await rejects((engine as unknown as Operations)[op](...args()) as Promise<unknown>, Error, op, "disposed");
  }
  assert.throws(() => engine.tensor([1]), errorOf(Error, "tensor", "disposed"));
  assert.throws(() => engine.memory.used, errorOf(Error, "memory", "disposed"));
  engine.dispose();
});

test("dispose ends the engine's tensors", async () => {
  const engine = await createEngine();
  const tensor = engine.tensor([4]);
  engine.dispose();
  assert.throws(() => tensor.data, errorOf(Error, "disposed"));
});

test("Symbol.dispose is dispose", async () => {
  const engine = await createEngine();
  const tensor = engine.tensor([4]);
  tensor[Symbol.dispose]();
  assert.throws(() => tensor.data, errorOf(Error, "tensor"));
  engine[Symbol.dispose]();
  assert.throws(() => engine.sync.boxIou(boxes, boxes), errorOf(Error, "boxIou", "disposed"));
});

test("plan says where an operation runs, and why", async () => {
  using engine = await createEngine();
  for (const op of Object.keys(engine.sync)) {
    const { device, reason } = engine.plan(op, 1e6);
    assert.is(device, "wasm");
    assert.ok(reason.length > 0);
  }
  assert.throws(() => engine.plan("convolve", 1), errorOf(TypeError, "plan", "op", '"convolve"'));
  assert.throws(() => engine.plan("nms", wrong("many")), errorOf(TypeError, "plan", "elements"));
  assert.throws(() => engine.plan("nms", -1), errorOf(RangeError, "plan", "elements"));
});

// ── Memory ──────────────────────────────────────────────────────────────────────

test("a tensor is zeroed, also where another was before", async () => {
  using engine = await createEngine();
  const first = engine.tensor([3, 5]);
  assert.equal(first.dims, [3, 5]);
  assert.equal(first.data, new Float32Array(15));
  first.data.fill(7);
  first.dispose();
  using second = engine.tensor([3, 5]);
  assert.equal(second.data, new Float32Array(15));
  using scalar = engine.tensor([]);
  assert.is(scalar.data.length, 1);
  using empty = engine.tensor([0, 4]);
  assert.is(empty.data.length, 0);
});

test("a tensor outlives the growth of memory", async () => {
  using engine = await createEngine();
  using tensor = engine.tensor([2, 4]);
  tensor.data.set(boxes);
  const { reserved } = engine.memory;
  const before = tensor.data;
  using large = engine.tensor([reserved / 4]);
  assert.ok(engine.memory.reserved > reserved);
  assert.is(before.length, 0, "a view from before has been detached");
  assert.is(large.data.length, reserved / 4);
  assert.equal(tensor.data, boxes);
  assert.equal(engine.sync.boxIou(tensor, tensor), ious);
});

test("a disposed tensor's data throws; a second dispose does nothing", async () => {
  using engine = await createEngine();
  const tensor = engine.tensor([2, 4]);
  tensor.dispose();
  const { used } = engine.memory;
  tensor.dispose();
  assert.is(engine.memory.used, used);
  assert.throws(() => tensor.data, errorOf(Error, "tensor", "dispose"));
  assert.throws(() => engine.sync.boxIou(tensor, boxes), errorOf(Error, "dispose"));
});

test("wrong dims are refused", async () => {
  using engine = await createEngine();
  for (const dims of [undefined, null, 4, "4", { length: 1 }]) {
    assert.throws(() => engine.tensor(wrong(dims)), errorOf(TypeError, "tensor", "dims"));
  }
  assert.throws(() => engine.tensor(wrong(["4"])), errorOf(TypeError, "tensor", "dims[0]"));
  for (const d of [-1, 1.5, NaN, Infinity]) {
    assert.throws(() => engine.tensor([2, d]), errorOf(RangeError, "tensor", "dims[1]"));
  }
});

test("dims whose product is no number of elements are refused, and the engine goes on", async () => {
  using engine = await createEngine();
  const { used } = engine.memory;
  const most = Number.MAX_SAFE_INTEGER;
  for (const dims of [[...Array(20).fill(most), 0], [most, most], Array(30).fill(most), [most, 2]]) {
    assert.throws(() => engine.tensor(dims), errorOf(RangeError, "tensor", "dims", "elements"));
  }
  assert.throws(() => engine.tensor([most]), errorOf(RangeError, "tensor", "bytes"));
  assert.is(engine.memory.used, used);
  using none = engine.tensor([0, most]);
  assert.is(none.data.length, 0);
  assert.equal(engine.sync.boxIou(boxes, boxes), ious);
});

test("tensors keep their values while others come and go, and the holes are used again", async () => {
  using engine = await createEngine();
  const r = random(70);
  const { used } = engine.memory;
  const alive: { tensor: embedded.WasmTensor; value: number }[] = [];
  for (let round = 0; round < 3000; round++) {
    if (alive.length > 0 && r.uniform() < 0.5) {
      const [{ tensor, value }] = alive.splice(r.integer(alive.length), 1);
      assert.ok(tensor.data.every((v) => v === value), `round ${round}`);
      tensor.dispose();
    } else {
      const tensor = engine.tensor([r.integer(r.uniform() < 0.1 ? 20000 : 100)]);
      assert.ok(tensor.data.every((v) => v === 0));
      tensor.data.fill(round);
      alive.push({ tensor, value: round });
    }
  }
  for (const { tensor, value } of alive) {
    assert.ok(tensor.data.every((v) => v === value));
    tensor.dispose();
  }
  assert.is(engine.memory.used, used);
  const { reserved } = engine.memory;
  using all = engine.tensor([(reserved - used) / 4 - 32]);
  assert.is(engine.memory.reserved, reserved, "freed blocks have merged into one");
  assert.is(all.data.length, (reserved - used) / 4 - 32);
});

test("half of many tensors disposed, then more made: what is free is found", async () => {
  using engine = await createEngine();
  const tensors = Array.from({ length: 20000 }, (_, i) => engine.tensor([16 + i % 3]));
  const { reserved, used } = engine.memory;
  for (let i = 0; i < tensors.length; i += 2) tensors[i].dispose();
  assert.ok(engine.memory.used < used * 0.6);
  for (let i = 0; i < tensors.length; i += 2) tensors[i] = engine.tensor([16 + i % 3]);
  assert.is(engine.memory.used, used);
  assert.is(engine.memory.reserved, reserved);
  assert.equal(engine.sync.boxIou(boxes, boxes), ious);
});

test("maxMemory over 2 GiB is refused with the reason", async () => {
  for (const maxMemory of [2 ** 31 + 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    await rejects(createEngine({ maxMemory }), RangeError, "createEngine", "maxMemory", "2147483648", "32 bits");
  }
  using engine = await createEngine({ maxMemory: 2 ** 31 });
  assert.is(engine.memory.limit, 2 ** 31);
});

test("memory past the limit is refused, and the engine goes on", async () => {
  const maxMemory = 32 * PAGE;
  using engine = await createEngine({ maxMemory });
  assert.throws(() => engine.tensor([maxMemory / 4]), errorOf(RangeError, "tensor", String(maxMemory)));
  assert.throws(() => engine.tensor([2 ** 50]), errorOf(RangeError, "tensor"));
  assert.equal(engine.sync.boxIou(boxes, boxes), ious);
});

test("memory reports what is in use", async () => {
  const maxMemory = 64 * PAGE;
  using engine = await createEngine({ maxMemory });
  const { used, peak, reserved, limit } = engine.memory;
  assert.is(limit, maxMemory);
  assert.ok(0 < used && used <= peak && peak <= reserved && reserved <= limit);
  assert.is(reserved % PAGE, 0);
  const tensor = engine.tensor([32 * PAGE / 4]);
  assert.ok(engine.memory.used >= used + 32 * PAGE);
  assert.ok(engine.memory.used <= engine.memory.reserved && engine.memory.reserved <= maxMemory);
  tensor.dispose();
  assert.is(engine.memory.used, used);
  assert.ok(engine.memory.peak >= used + 32 * PAGE);
});

test("operations leave no memory in use", async () => {
  using engine = await createEngine();
  const { used } = engine.memory;
  engine.sync.boxIou(boxes, boxes);
  engine.sync.nms(boxes, scores, { iouThreshold: 0.5 });
  assert.throws(() => engine.sync.nms(boxes, boxes, { iouThreshold: 0.5 }), errorOf(TypeError, "nms", "scores"));
  assert.is(engine.memory.used, used);
});

test.run();
