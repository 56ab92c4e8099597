/** Workers: what goes to them, and how they die. */
import { createEngine, heads } from "densehead";
import { createRequire, syncBuiltinESMExports } from "node:module";
import type { Worker } from "node:worker_threads";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AT_WORK, type Order, type Start } from "../../src/threads/messages.ts";
import { rejects } from "../compare.ts";

const test = suite("workers");

const threads = createRequire(import.meta.url)("node:worker_threads") as { Worker: typeof Worker };
const { Worker: RealWorker } = threads;
/** Those that engines have started. */
const workers: Worker[] = [];

/** What is with the shares of each. */
const flags = new Map<Worker, Int32Array>();
/** Whether workers say that they are at work on their shares, and are not. */
let isLazy = false;
/** Whether none starts. */
let isBroken = false;
/** The most bytes of one message that are not in shared memory. */
let copied = 0;

function bytesToCopy(value: unknown): number {
  if (typeof value !== "object" || value === null || value instanceof WebAssembly.Module) return 0;
  if (!ArrayBuffer.isView(value)) return Object.values(value).reduce((sum, each) => sum + bytesToCopy(each), 0);
  return value.buffer instanceof SharedArrayBuffer ? 0 : value.buffer.byteLength;
}

test.before(() => {
  threads.Worker = class extends RealWorker {
    constructor(...given: ConstructorParameters<typeof RealWorker>) {
      if (isBroken) throw new Error("no workers today");
      super(...given);
      workers.push(this);
      this.on("message", () => this.unanswered--);
    }

    unanswered = 0;

    override postMessage(message: Start | Order | null): void {
      copied = Math.max(copied, bytesToCopy(message));
      if (message !== null && "flags" in message) flags.set(this, message.flags);
      if (isLazy && message !== null && "share" in message) {
        Atomics.store(flags.get(this) as Int32Array, message.slot, AT_WORK);
      } else {
        if (message !== null) this.unanswered++;
        super.postMessage(message);
      }
    }
  };
  syncBuiltinESMExports();
});

test.after(() => {
  threads.Worker = RealWorker;
  syncBuiltinESMExports();
});

/** So large that every engine divides it, whatever it measured. */
const logits = new Float32Array(2 ** 22);

/** What a worker has begun with, nobody else may write into. */
const inSharedMemory = { grad: true, out: { grad: new Float32Array(new SharedArrayBuffer(2 ** 24)) } } as const;

/** The worker of the engine that was made last, when it has nothing to do. */
async function idleWorker(): Promise<Worker> {
  const worker = workers.at(-1) as Worker & { readonly unanswered: number };
  while (worker.unanswered > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  return worker;
}

/** The process waits for no idle worker; the test does. */
async function exited(worker: Worker): Promise<void> {
  const waiting = setInterval(() => {}, 1000);
  await new Promise((resolve) => worker.once("exit", resolve));
  clearInterval(waiting);
}

// The whole buffer of a view would be copied, with every share.
test("arrays are in shared memory when they go to a worker", async () => {
  using engine = await createEngine({ device: "wasm", threads: 2 });
  await engine.qualityFocalLoss(logits, logits);
  await idleWorker();
  const labels = new Int32Array(2 ** 20);
  const scores = new Float32Array(2 ** 20);
  const out = { grad: new Float32Array(2 ** 22), loss: scores.slice() };
  const options = { reduction: "none", grad: true, weight: logits, out } as const;
  await engine.varifocalLoss({ data: logits, dims: [2 ** 20, 4] }, { labels, scores }, options);
  await idleWorker();
  const maps = { data: new Float32Array(new SharedArrayBuffer(4 * 8 * 84 * 8400)), dims: [8, 84, 8400] };
  await engine.detect(maps, { head: heads.yolov8Decoded(), imageSize: [640, 640], classes: [1, 2] });
  assert.ok(workers.length > 0 && copied < 10_000, `${copied} bytes are copied`);
});

/** Ways to lose a worker, and what the error says. */
const DEATHS: Record<string, [kill: (worker: Worker) => unknown, says: string]> = {
  "is terminated": [(worker) => worker.terminate(), "it was terminated"],
  "has an error of its own": [(worker) => worker.postMessage(null), "null"],
};

for (const [title, [kill, says]] of Object.entries(DEATHS)) {
  test(`a worker that ${title} costs one call`, async () => {
    using engine = await createEngine({ device: "wasm", threads: 2 });
    const wanted = await engine.qualityFocalLoss(logits, logits);
    const died = await idleWorker();
    isLazy = true;
    const promise = engine.qualityFocalLoss(logits, logits, inSharedMemory);
    isLazy = false;
    kill(died);
    await rejects(promise, Error, "qualityFocalLoss: a worker thread ended while it was at work", says);
    assert.equal(await engine.qualityFocalLoss(logits, logits), wanted);
    assert.is(engine.capabilities.threads, 2);
    assert.not.ok(workers.at(-1) === died, "no new worker");
  });
}

test("an engine that ends rejects what a worker is at", async () => {
  const engine = await createEngine({ device: "wasm", threads: 2 });
  await engine.qualityFocalLoss(logits, logits);
  await idleWorker();
  isLazy = true;
  const promise = engine.qualityFocalLoss(logits, logits, inSharedMemory);
  isLazy = false;
  engine.dispose();
  await rejects(promise, Error, "qualityFocalLoss: the engine is disposed");
});

test("nobody waits for a worker that does nothing", async () => {
  using engine = await createEngine({ device: "wasm", threads: 2 });
  const wanted = await engine.qualityFocalLoss(logits, logits);
  const worker = await idleWorker();
  isLazy = true;
  assert.equal(await engine.qualityFocalLoss(logits, logits), wanted, "it says that it is at work");
  isLazy = false;
  worker.terminate();
  assert.equal(await engine.qualityFocalLoss(logits, logits), wanted, "it has not begun");
});

test("a worker that dies while nobody waits for it costs nothing", async () => {
  using engine = await createEngine({ device: "wasm", threads: 2 });
  const wanted = await engine.qualityFocalLoss(logits, logits);
  const died = await idleWorker();
  died.terminate();
  await exited(died);
  assert.equal(await engine.qualityFocalLoss(logits, logits), wanted);
  assert.equal([engine.capabilities.threads, engine.capabilities.threadsReason], [2, null]);
});

/** Runs `body` where no worker starts. */
async function withoutWorkers<T>(body: () => Promise<T>): Promise<T> {
  isBroken = true;
  try {
    return await body();
  } finally {
    isBroken = false;
  }
}

test("where workers do not start, there is one thread, and a line why", async () => {
  using engine = await withoutWorkers(() => createEngine({ device: "wasm", threads: 2 }));
  const why = "workers do not start here: no workers today";
  assert.equal([engine.capabilities.threads, engine.capabilities.threadsReason], [1, why]);
  assert.ok(engine.plan("giouLoss", 1e7).reason.startsWith(`wasm, 1 thread: ${why}`));
  assert.equal(await engine.qualityFocalLoss(logits, logits), engine.sync.qualityFocalLoss(logits, logits));
});

test("so it is where none takes the place of one that died", async () => {
  using engine = await createEngine({ device: "wasm", threads: 2 });
  const died = await idleWorker();
  await withoutWorkers(() => {
    died.terminate();
    return exited(died);
  });
  const why = "its workers ended, and others did not start";
  assert.equal([engine.capabilities.threads, engine.capabilities.threadsReason], [1, why]);
  assert.equal(await engine.qualityFocalLoss(logits, logits), engine.sync.qualityFocalLoss(logits, logits));
});

test.run();
