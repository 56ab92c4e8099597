/**
 * Calls on WASM: on the caller's thread, or on several where that is faster.
 */
import type { Call, Division } from "./call.ts";
import { measureCrossover } from "./crossover.ts";
import { touchesMemory } from "./detach.ts";
import { qualityFocalLoss } from "./ops/quality_focal_loss.ts";
import { operations } from "./registry.ts";
import type { Pool, Threads } from "./threads/index.ts";
import type { EngineOptions } from "./types.ts";
import { describe, integer, typeError } from "./validate.ts";
import type { WasmBackend } from "./wasm/backend.ts";

const MAX_THREADS = 64;

/** Elements under which no call is divided, and nothing is measured. */
const WORTH_DIVIDING = 2 ** 17;
/** Elements from which every call is divided, which takes 10 ms and more: only on a busy machine is one thread faster. */
const ALWAYS_DIVIDED = 2 ** 22;

export class Cpu {
  readonly #wasm: WasmBackend;
  readonly #host: Threads | string;
  readonly #wanted: number | "auto";
  #pool: Pool | null = null;
  #reason: string | null = null;
  #crossover: number | null = null;
  #measuring: Promise<void> | null = null;
  #closed = false;

  constructor(wasm: WasmBackend, host: Threads | string, wanted: EngineOptions["threads"] = 1) {
    this.#wasm = wasm;
    this.#host = host;
    this.#wanted = checkThreads(wanted);
  }

  async start(): Promise<void> {
    if (this.#wanted === 1) return;
    const found = typeof this.#host === "string"
      ? this.#host
      : await this.#host.open(this.#wanted, { module: this.#wasm.module, maxMemory: this.#wasm.memory.limit });
    if (typeof found === "string") this.#reason = found;
    else this.#pool = found;
  }

  get threads(): number {
    return this.#pool?.threads ?? 1;
  }

  /** Why there is one thread although more were wanted; else null. */
  get reason(): string | null {
    if (this.threads > 1) return null;
    return this.#pool === null ? this.#reason : "its workers ended, and others did not start";
  }

  /** The threads of a call, and why as many; null where one thread is all that was wanted. */
  plan(op: string, elements: number): string | null {
    if (this.#wanted === 1) return null;
    const { threads } = this;
    if (threads === 1) return `wasm, 1 thread: ${this.reason}`;
    const { divides } = operations[op];
    if (divides === undefined) return `wasm, 1 thread: ${op} is not divided among threads`;
    const from = this.#crossover ?? WORTH_DIVIDING;
    const why = this.#crossover === null ? "not measured before" : "measured";
    const where = divides === "shared memory" ? " in shared memory" : "";
    const comparison = `${elements} elements, and ${threads} threads are for ${from} and more${where} (${why})`;
    return `wasm, ${elements >= from ? `${threads} threads` : "1 thread"}: ${comparison}`;
  }

  /** At once where the caller's thread is faster alone. */
  run(call: Call): unknown {
    // What lies in linear memory is read in place: to copy it takes longer than most kernels.
    if (this.#divisionOf(call) === null || touchesMemory(this.#wasm, call)) return call.inTurns(this.#wasm);
    this.#wasm.memory.argumentsRead(call.op);
    return this.#runDivided(call);
  }

  close(): void {
    this.#closed = true;
    this.#pool?.close();
  }

  #divisionOf(call: Call): Division | null {
    if (this.threads === 1 || call.elements < (this.#crossover ?? WORTH_DIVIDING)) return null;
    const division = call.division();
    return division !== null && division.sections > 1 ? division : null;
  }

  async #runDivided(call: Call): Promise<unknown> {
    if (this.#crossover === null) {
      await (this.#measuring ??= this.#measure());
      if (this.#closed) throw new Error(`${call.op}: the engine is disposed`);
    }
    const division = this.#divisionOf(call);
    return division === null ? call.inTurns(this.#wasm) : await this.#divide(call, division);
  }

  #divide(call: Call, division: Division): Promise<unknown> {
    return (this.#pool as Pool).run(call.op, division, this.#wasm);
  }

  async #measure(): Promise<void> {
    const call = (logits: Float32Array) => qualityFocalLoss.check(logits, logits, { reduction: "sum" });
    const crossover = await measureCrossover(
      (logits) => call(logits).onWasm(this.#wasm),
      (logits) => this.#divide(call(logits), call(logits).division()),
      WORTH_DIVIDING,
    ).catch(() => Infinity);
    this.#crossover = Math.min(crossover, ALWAYS_DIVIDED);
  }
}

function checkThreads(wanted: unknown): number | "auto" {
  const place = { op: "createEngine", argument: "options.threads" };
  if (wanted === "auto") return wanted;
  if (typeof wanted === "number") return integer(place, wanted, 1, MAX_THREADS);
  throw typeError(place, describe(wanted), `an integer from 1 to ${MAX_THREADS}, or "auto"`);
}
