/** Engines of two threads: the bits of one, errors as they are, and an end. */
import { createEngine, type Detections, heads, type HostTensor } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { rejects, same } from "../compare.ts";
import { ofKind } from "../conformance.ts";
import { type AnyLoss, LOSS_CALLS, type LossCall, lossIn } from "../loss_calls.ts";
import { random } from "../random.ts";
import { inOrder, pack, packLevels, randomHead } from "../raw_head.ts";
import { runtime } from "./runtime.ts";
import { skip } from "./skip.ts";
import { walk } from "./walk.ts";

const tests = suite("threads");

/** It is not disposed: no process may wait for its idle workers. */
const engine = await createEngine({ device: "wasm", threads: 2 });
const { sync } = engine;
const { threads, threadsReason } = engine.capabilities;
const noThreads = threads === 1 ? `threads: ${threadsReason}` : null;

/** A test, or a skipped one. */
function test(title: string, body: () => Promise<void> | void): void {
  tests(title, async () => noThreads === null ? await body() : skip(noThreads));
}

/** Elements of which the engine divides a loss: it measures that with the first large call. */
async function largeSize(): Promise<number> {
  const logits = new Float32Array(2 ** 18);
  await engine.qualityFocalLoss(logits, logits);
  const found = [2 ** 18, 2 ** 20, 2 ** 22].find((n) => engine.plan("iouLoss", n).reason.startsWith("wasm, 2 threads"));
  return found as number;
}

const large = noThreads === null ? await largeSize() : 0;
/** Of four columns: whole sections, and one that ends within a block. */
const rows = large / 4 + 1001;

type Data = HostTensor["data"] | Int32Array;

/** The same values in shared memory. */
function inSharedMemory<A extends Data>(data: A): A {
  const Plain = data.constructor as new (buffer: SharedArrayBuffer) => A;
  const copy = new Plain(new SharedArrayBuffer(data.byteLength));
  copy.set(data as never);
  return copy;
}

function shared(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return inSharedMemory(value as Data);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shared(each)]));
}

/** Rows of an input that comes over and over. */
const PATTERN = 1009;

/** So many rows or images, as far as they go, of an input that has fewer: of its arrays, and of the first of its dims. */
function repeated<T>(value: T, of: number, count: number): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return [count, ...value.slice(1)] as T;
  if (!ArrayBuffer.isView(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, repeated(each, of, count)])) as T;
  }
  const from = value as unknown as Float32Array;
  const all = new (from.constructor as Float32ArrayConstructor)(from.length / of * count);
  for (let i = 0; i < all.length; i += from.length) all.set(from.subarray(0, all.length - i), i);
  return all as T;
}

const valuesOf = (loss: number | Float32Array) => typeof loss === "number" ? [loss] : loss;

// ── What there is ───────────────────────────────────────────────────────────────

tests("threads are there, or one line says why not", async () => {
  if (runtime === "workerd") assert.match(threadsReason as string, /Cloudflare Workers have no threads/);
  else assert.equal([threads, threadsReason], [2, null]);
  using single = await createEngine({ threads: 1 });
  assert.equal([single.capabilities.threads, single.capabilities.threadsReason], [1, null]);
  using auto = await createEngine({ threads: "auto" });
  assert.ok(auto.capabilities.threads > 1 || auto.capabilities.threadsReason !== null);
});

tests("a number of threads that is none is refused", async () => {
  for (const [wrong, kind] of [[0, RangeError], [1.5, RangeError], [65, RangeError], ["two", TypeError]] as const) {
    await rejects(
      createEngine({ threads: wrong as number }),
      kind as ErrorConstructor,
      "createEngine: options.threads",
    );
  }
});

test("the plan says how many threads a call has, and why", () => {
  assert.match(
    engine.plan("giouLoss", large).reason,
    /^wasm, 2 threads: \d+ elements, and 2 threads are for \d+ and more/,
  );
  assert.match(engine.plan("giouLoss", 1000).reason, /^wasm, 1 thread: 1000 elements/);
  assert.match(engine.plan("nms", large).reason, /^wasm, 1 thread: nms is not divided/);
});

// ── The same bits ───────────────────────────────────────────────────────────────

const OPTIONS = {
  "a sum with gradients": { reduction: "sum", grad: true },
  "single losses with a weight for each row": {
    reduction: "none",
    grad: true,
    weight: Float32Array.from({ length: rows }, (_, i) => i % 3),
  },
} as const;

/** One of each kind, and one by labels: beyond that, threads know nothing of a loss. */
const CALLS = [
  ...(["element loss", "row loss", "box loss"] as const).map((kind) =>
    callOf(({ name }) => name === ofKind(kind)[0].name)
  ),
  callOf(({ title }) => title.endsWith(" by labels")),
];

function callOf(wanted: (call: LossCall) => boolean): LossCall {
  return LOSS_CALLS.find(wanted) as LossCall;
}

const predOf = ({ pred }: LossCall) => repeated(pred(PATTERN), PATTERN, rows);
const targetOf = ({ target }: LossCall) => repeated(target(PATTERN), PATTERN, rows);
const faceOf = (face: unknown, call: LossCall) => lossIn<AnyLoss>(face, call);

for (const call of walk(CALLS)) {
  test(`${call.title}: the bits of one thread`, async () => {
    const [alone, divided] = [sync, engine].map((face) => faceOf(face, call));
    const input = [predOf(call), targetOf(call)] as const;
    for (const [what, options] of Object.entries(OPTIONS)) {
      const wanted = alone(...input, options);
      for (
        const [place, [from, to, settings]] of [
          ["plain arrays", [...input, options]],
          ["shared memory", [shared(input[0]), shared(input[1]), shared(options)]],
        ] as const
      ) {
        const got = await divided(from as HostTensor, to, settings as object);
        same(valuesOf(got.loss), valuesOf(wanted.loss), `${what}, ${place}: loss`);
        same(got.grad as Float32Array, wanted.grad as Float32Array, `${what}, ${place}: gradient`);
      }
    }
  });
}

test("results go where `out` says, over an input too, and inputs may lie in linear memory", async () => {
  const [call] = CALLS;
  const [alone, divided] = [sync, engine].map((face) => faceOf(face, call));
  const [logits, target] = [predOf(call), targetOf(call)];
  const wanted = alone(logits, target, { grad: true });
  using tensor = engine.tensor(logits.dims);
  for (const place of [logits.data.slice(), inSharedMemory(logits.data), tensor.data]) {
    place.set(logits.data);
    const got = await divided({ data: place, dims: logits.dims }, target, { grad: true, out: { grad: place } });
    assert.is(got.loss, wanted.loss);
    same(place, wanted.grad as Float32Array);
    if (place !== tensor.data) assert.is(got.grad, place);
  }
});

test("inputs outside of shared memory have been read when the call returns its promise", async () => {
  const [call] = CALLS;
  const [logits, target] = [predOf(call), targetOf(call)];
  const wanted = faceOf(sync, call)(logits, target);
  const promise = faceOf(engine, call)(logits, target);
  logits.data.fill(NaN);
  assert.is((await promise).loss, wanted.loss);
});

test("many calls at a time", async () => {
  const all = (face: unknown) => CALLS.map((call) => faceOf(face, call)(predOf(call), targetOf(call)));
  assert.equal((await Promise.all(all(engine))).map(({ loss }) => loss), all(sync).map(({ loss }) => loss));
});

// ── Detection ───────────────────────────────────────────────────────────────────

const imageSize = [320, 320] as const;

/** A batch that is divided. */
function batch(head = heads.yolov8()) {
  const images = Math.max(5, Math.ceil(large / (2100 * head.numClasses)));
  const raw = randomHead(random(70), head, imageSize, 5, 16);
  const roles = inOrder(head, raw);
  const [outputs, levels] = [pack(head, raw, roles), packLevels(head, raw, roles)];
  return {
    head,
    images,
    outputs: repeated(outputs, 5, images),
    levels: levels.map((level) => repeated(level, 5, images)),
  };
}

const plain = (found: readonly Detections[]) => found.map((each) => each.toJSON());

test("detect of a batch: the detections of one thread, image by image", async () => {
  const { head, images, outputs, levels } = batch();
  const transform = Array.from({ length: images }, (_, i) => ({ scaleX: 1 + i, scaleY: 2, padX: i, padY: 0 }));
  const scoreThreshold = new Float32Array(80).fill(0.3);
  for (const options of [{}, { transform, uncertainty: true }, { scoreThreshold, classes: [1, 2, 40] }]) {
    const settings = { head, imageSize, ...options };
    const wanted = sync.detect(outputs, settings);
    assert.ok(wanted.some(({ length }) => length > 0));
    for (const given of [outputs, levels.map(shared) as HostTensor[], shared(outputs) as HostTensor]) {
      const got = await engine.detect(given, settings);
      assert.equal(plain(got), plain(wanted));
      assert.is(got[images - 1].toCoco(0).length, wanted[images - 1].length);
    }
  }
});

test("keypoints of a batch are those of one thread", async () => {
  const keypoints = { count: 3, dims: 3, coding: "yolov8" } as const;
  const { head, images, outputs, levels } = batch(heads.yolov8({ keypoints }));
  const transform = Array.from({ length: images }, (_, i) => ({ scaleX: 1 + i, scaleY: -2, padX: i, padY: 9 }));
  const wanted = plain(sync.detect(outputs, { head, imageSize, transform }));
  assert.ok(wanted.some((found) => (found.keypoints?.length ?? 0) > 0));
  for (const given of [levels.map(shared) as HostTensor[], shared(outputs) as HostTensor]) {
    assert.equal(plain(await engine.detect(given, { head, imageSize, transform })), wanted);
  }
});

// ── Errors and ends ─────────────────────────────────────────────────────────────

test("an error is that of one thread: of the first row or image that has one", async () => {
  const target = new Float32Array(rows);
  for (const row of [rows - 1, rows - 5, 20_000]) {
    target[row] = 9;
    const logits = { data: new Float32Array(rows * 4), dims: [rows, 4] };
    const message = `distributionFocalLoss: target[${row}] is 9; wanted a value of the bins, 0 to 3`;
    await rejects(engine.distributionFocalLoss(logits, target), RangeError, message);
  }
  const { head, outputs, images } = batch(heads.yolov8Decoded());
  const tensor = shared(outputs) as HostTensor;
  const share = tensor.data.length / images;
  for (const image of [images - 1, 1]) {
    tensor.data.fill(1 + image, image * share + 4 * 2100, image * share + 4 * 2100 + 1);
  }
  await rejects(engine.detect(tensor, { head, imageSize }), RangeError, "a score in outputs is 2; wanted");
});

test("an engine that ends takes its threads with it", async () => {
  const short = await createEngine({ device: "wasm", threads: 2 });
  const logits = new Float32Array(2 ** 22);
  const wanted = await short.qualityFocalLoss(logits, logits);
  const promise = short.qualityFocalLoss(logits, logits);
  short.dispose();
  // What the caller's thread could do alone is done.
  const [outcome] = await Promise.allSettled([promise]);
  if (outcome.status === "fulfilled") assert.equal(outcome.value, wanted);
  else assert.is(outcome.reason.message, "qualityFocalLoss: the engine is disposed");
  await rejects(short.qualityFocalLoss(logits, logits), Error, "qualityFocalLoss: the engine is disposed");
});

tests.run();
