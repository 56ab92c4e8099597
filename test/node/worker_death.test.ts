/** Workers that die or send nonsense: one call is lost, the host goes on, and a new worker takes the place. */
import { createEngine } from "densehead";
import { createRequire, syncBuiltinESMExports } from "node:module";
import type { Worker } from "node:worker_threads";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { rejects } from "../compare.ts";

const test = suite("death of a worker");

const threads = createRequire(import.meta.url)("node:worker_threads") as { Worker: typeof Worker };
const { Worker: RealWorker } = threads;
/** Those that engines have started. */
const workers: Worker[] = [];

test.before(() => {
  threads.Worker = class extends RealWorker {
    constructor(...given: ConstructorParameters<typeof RealWorker>) {
      super(...given);
      workers.push(this);
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

/** The process waits for no idle worker; the test does. */
async function exited(worker: Worker): Promise<void> {
  const waiting = setInterval(() => {}, 1000);
  await new Promise((resolve) => worker.once("exit", resolve));
  clearInterval(waiting);
}

/** Ways to lose a worker, and what the error says. */
const DEATHS: Record<string, [kill: (worker: Worker) => unknown, says: string]> = {
  "is terminated": [(worker) => worker.terminate(), "it was terminated"],
  "has an error of its own": [(worker) => worker.postMessage(null), "null"],
};

for (const [title, [kill, says]] of Object.entries(DEATHS)) {
  test(`a worker that ${title} costs one call`, async () => {
    using engine = await createEngine({ device: "wasm", threads: 2 });
    const wanted = await engine.qualityFocalLoss(logits, logits);
    const died = workers.at(-1) as Worker;
    kill(died);
    const promise = engine.qualityFocalLoss(logits, logits);
    await rejects(promise, Error, "qualityFocalLoss: a worker thread ended while it was at work", says);
    assert.equal(await engine.qualityFocalLoss(logits, logits), wanted);
    assert.is(engine.capabilities.threads, 2);
    assert.not.ok(workers.at(-1) === died, "no new worker");
  });
}

test("a worker that dies while nobody waits for it costs nothing", async () => {
  using engine = await createEngine({ device: "wasm", threads: 2 });
  const wanted = await engine.qualityFocalLoss(logits, logits);
  const died = workers.at(-1) as Worker;
  died.terminate();
  await exited(died);
  assert.equal(await engine.qualityFocalLoss(logits, logits), wanted);
  assert.equal([engine.capabilities.threads, engine.capabilities.threadsReason], [2, null]);
});

test("where workers do not start, there is one thread, and a line why", async () => {
  const { Worker: Recording } = threads;
  threads.Worker = class {
    constructor() {
      throw new Error("no workers today");
    }
  } as unknown as typeof Worker;
  syncBuiltinESMExports();
  using engine = await createEngine({ device: "wasm", threads: 2 });
  threads.Worker = Recording;
  syncBuiltinESMExports();
  assert.equal([engine.capabilities.threads, engine.capabilities.threadsReason], [
    1,
    "workers do not start here: no workers today",
  ]);
  const { reason } = engine.plan("giouLoss", 1e7);
  assert.match(reason, /^wasm, 1 thread: workers do not start here: no workers today/);
  assert.equal(await engine.qualityFocalLoss(logits, logits), engine.sync.qualityFocalLoss(logits, logits));
});

test.run();
