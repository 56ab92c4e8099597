/**
 * Threads, and the calls that they and the caller's thread divide among them.
 */
import type { Division } from "../call.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import type { Start } from "./messages.ts";
import { runShare } from "./runners.ts";
import { type Taken, Task } from "./task.ts";
import { type StartWorker, Thread } from "./thread.ts";

export class Pool {
  readonly #others: readonly Thread[];

  private constructor(others: readonly Thread[]) {
    this.#others = others;
  }

  /** That many threads, with the caller's. */
  static async open(
    threads: number,
    start: StartWorker,
    kernels: Pick<Start, "module" | "maxMemory">,
  ): Promise<Pool> {
    const others = Array.from({ length: threads - 1 }, () => Thread.start(start, kernels));
    const settled = await Promise.allSettled(others);
    const failed = settled.find((outcome) => outcome.status === "rejected");
    const started = settled.filter((outcome) => outcome.status === "fulfilled");
    const pool = new Pool(started.map(({ value }) => value));
    if (failed === undefined) return pool;
    pool.close();
    throw failed.reason;
  }

  /** How many threads there are, with the caller's. */
  get threads(): number {
    return 1 + this.#others.filter(({ isAlive }) => isAlive).length;
  }

  /**
   * Runs a call. Until every share is done, or another thread is at one that only one may do, the caller's thread does nothing
   * else. Inputs outside of shared memory have then been read.
   */
  async run(op: string, division: Division, backend: WasmBackend): Promise<unknown> {
    const task = new Task(op, division, this.threads);
    for (;;) {
      for (const thread of this.#others) thread.feed(() => task.take());
      const taken = task.take() ?? this.#fromOthers((thread) => thread.takeBack(task)) ??
        this.#fromOthers((thread) => thread.takeOver(task));
      if (taken === null) break;
      try {
        taken.done(runShare(backend, taken.share()));
      } catch (error) {
        taken.failed(error);
      }
    }
    return division.join(await task.results, backend);
  }

  #fromOthers(take: (thread: Thread) => Taken | null): Taken | null {
    for (const thread of this.#others) {
      const taken = take(thread);
      if (taken !== null) return taken;
    }
    return null;
  }

  close(): void {
    for (const thread of this.#others) thread.stop((op) => new Error(`${op}: the engine is disposed`));
  }
}
