/**
 * A worker as the caller's thread sees it: the shares that it was given, and a new one where it dies.
 */
import { type Order, type Reply, type Start, STARTED } from "./messages.ts";
import { Slot } from "./slot.ts";
import type { Taken, Task } from "./task.ts";

/** A worker as its runtime has it. */
export interface RuntimeWorker {
  post(message: Start | Order): void;
  /** Whether the process waits for it. */
  hold(waits: boolean): void;
  stop(): void;
}

/** What a worker says, and why it has ended where nobody has stopped it. */
export interface WorkerEvents {
  message(reply: Reply): void;
  end(reason: string): void;
}

export type StartWorker = (events: WorkerEvents) => RuntimeWorker;

/** Shares in a worker, with the one that it is at: it has enough to do while the caller's thread is at its own. */
const SLOTS = 3;

interface Given {
  /** Null where another thread has taken it since. */
  taken: Taken | null;
  /** Null where the results are no longer in it. */
  slot: Slot | null;
  /** Why they could not be taken out of it. */
  problem: { readonly error: unknown } | null;
}

export class Thread {
  readonly #start: StartWorker;
  readonly #kernels: Pick<Start, "module" | "maxMemory">;
  #worker: RuntimeWorker | null = null;
  #slots: Slot[] = [];
  readonly #given = new Map<number, Given>();
  #ids = 0;

  private constructor(start: StartWorker, kernels: Pick<Start, "module" | "maxMemory">) {
    this.#start = start;
    this.#kernels = kernels;
  }

  /** Resolves when the worker is ready; its error where it does not start. */
  static async start(start: StartWorker, kernels: Pick<Start, "module" | "maxMemory">): Promise<Thread> {
    const thread = new Thread(start, kernels);
    await thread.#begin();
    return thread;
  }

  /** False where one that had died could not be replaced. */
  get isAlive(): boolean {
    return this.#worker !== null;
  }

  /** Gives the worker as many shares as it has room for. */
  feed(take: () => Taken | null): void {
    for (const given of this.#given.values()) if (given.slot?.isDone) collect(given);
    if (this.#worker === null) return;
    for (const slot of this.#slots) {
      const taken = slot.isFree ? take() : null;
      if (taken !== null) this.#give(this.#worker, slot, taken);
    }
  }

  /** A share of the task that the worker has not begun with, and never will. */
  takeBack(task: Task): Taken | null {
    return this.#takeAway(task, (slot) => slot.takeBack());
  }

  /** A share of the task that the worker is at, for another thread to do as well: the machine may not let the worker run. */
  takeOver(task: Task): Taken | null {
    return this.#takeAway(task, (slot) => slot.mayBeDoneTwice && !slot.isDone);
  }

  #takeAway(task: Task, may: (slot: Slot) => boolean): Taken | null {
    for (const given of this.#given.values()) {
      const { taken, slot } = given;
      if (taken?.task !== task || slot === null || !may(slot)) continue;
      given.taken = null;
      return taken;
    }
    return null;
  }

  stop(error: (op: string) => unknown): void {
    const worker = this.#worker;
    this.#lose(error);
    worker?.stop();
  }

  #begin(): Promise<void> {
    const flags = new Int32Array(new SharedArrayBuffer(SLOTS * 4));
    this.#slots = Array.from({ length: SLOTS }, (_, i) => new Slot(flags, i));
    return new Promise((resolve, reject) => {
      let isStarted = false;
      const worker = this.#start({
        message: (reply) => {
          if (reply.id !== STARTED) return this.#settle(reply);
          if ("error" in reply) {
            worker.stop();
            return reject(reply.error);
          }
          isStarted = true;
          worker.hold(this.#given.size > 0);
          resolve();
        },
        end: (reason) => {
          if (this.#worker !== worker) return;
          this.stop((op) => new Error(`${op}: a worker thread ended while it was at work: ${reason}`));
          if (isStarted) this.#begin().catch(() => this.#worker = null);
          else reject(new Error(reason));
        },
      });
      this.#worker = worker;
      worker.post({ ...this.#kernels, flags });
    });
  }

  #give(worker: RuntimeWorker, slot: Slot, taken: Taken): void {
    try {
      const share = slot.fill(taken.share());
      const id = this.#ids++;
      if (this.#given.size === 0) worker.hold(true);
      this.#given.set(id, { taken, slot, problem: null });
      worker.post({ id, slot: this.#slots.indexOf(slot), share });
    } catch (error) {
      slot.empty(false);
      taken.failed(error);
    }
  }

  #settle(reply: Reply): void {
    const given = this.#given.get(reply.id);
    if (given === undefined) return;
    this.#given.delete(reply.id);
    if (this.#given.size === 0) this.#worker?.hold(false);
    collect(given);
    const outcome = given.problem ?? reply;
    if ("error" in outcome) given.taken?.failed(outcome.error);
    else given.taken?.done(outcome.result);
  }

  /** Ends the calls that the worker was at. */
  #lose(error: (op: string) => unknown): void {
    this.#worker = null;
    for (const { taken } of this.#given.values()) taken?.task.abort(error(taken.task.op));
    this.#given.clear();
  }
}

/** Takes results out of their slot. */
function collect(given: Given): void {
  const { slot, taken } = given;
  given.slot = null;
  try {
    slot?.empty(taken !== null);
  } catch (error) {
    given.problem = { error };
  }
}
