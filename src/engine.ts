/**
 * An engine: the registry's operations on one backend, with a synchronous and an asynchronous face.
 */
import type { Call } from "./call.ts";
import { Cpu } from "./cpu.ts";
import { Dispatch, type Webgpu } from "./dispatch.ts";
import { infer } from "./heads/infer.ts";
import { provideInference } from "./heads/inference.ts";
import { operations } from "./registry.ts";
import type { Threads } from "./threads/index.ts";
import type { AsyncOps, Engine, EngineOptions, SyncOps, WasmTensor } from "./types.ts";
import {
  describe,
  elementsOf,
  integer,
  listOf,
  namesOf,
  oneOf,
  options as checkOptions,
  rangeError,
  typeError,
} from "./validate.ts";
import { WasmBackend } from "./wasm/backend.ts";
import { LinearTensor } from "./wasm/tensor.ts";

provideInference(infer);

const DEFAULT_MAX_MEMORY = 64 * 1024 * 1024;
/** The wrapper shifts addresses to the right, which takes them for signed. */
const MAX_MEMORY = 2 ** 31;
const MAX_EXTENT = Number.MAX_SAFE_INTEGER;

/** What `createEngine` of an entry with kernels takes. */
export const ENGINE_OPTIONS = namesOf<EngineOptions>({
  device: true,
  gpuDevice: true,
  maxMemory: true,
  relaxedSimd: true,
  offloadThreshold: true,
  threads: true,
});

/** Two builds of the kernels. Which one runs is decided by what the host validates. */
export interface Builds {
  baseline(): WebAssembly.Module | Promise<WebAssembly.Module>;
  /** Null where the host has no relaxed SIMD. */
  relaxed(): WebAssembly.Module | null | Promise<WebAssembly.Module | null>;
}

/** What an entry has of its runtime. */
export interface Host {
  readonly builds: Builds;
  /** Null where there can be none. */
  readonly webgpu: Webgpu | null;
  /** Or why there are none. */
  readonly threads: Threads | string;
}

/** Checks the options, chooses the build and makes the engine. */
export async function makeEngine(
  { builds, webgpu, threads: host }: Host,
  options?: EngineOptions,
  names = ENGINE_OPTIONS,
): Promise<Engine> {
  const {
    relaxedSimd = "auto",
    maxMemory = DEFAULT_MAX_MEMORY,
    device,
    gpuDevice,
    offloadThreshold,
    threads,
  } = checkOptions("createEngine", options, names);
  const place = (member: string) => ({ op: "createEngine", argument: `options.${member}` });
  const relaxedWanted = oneOf(place("relaxedSimd"), relaxedSimd, ["auto", "off"]) === "auto";
  const limit = integer(place("maxMemory"), maxMemory, 1, Number.MAX_SAFE_INTEGER);
  if (limit > MAX_MEMORY) {
    throw rangeError(
      place("maxMemory"),
      limit,
      `at most ${MAX_MEMORY} bytes: addresses are signed integers of 32 bits`,
    );
  }
  const module = (relaxedWanted ? await builds.relaxed() : null) ?? await builds.baseline();
  const backend = new WasmBackend(module, limit);
  if (backend.relaxed && !relaxedWanted) {
    throw typeError(place("wasm"), "the relaxed build", `the baseline build where relaxedSimd is "off"`);
  }
  const cpu = new Cpu(backend, host, threads);
  const dispatch = new Dispatch(backend, cpu, webgpu, { device, gpuDevice, offloadThreshold });
  await dispatch.start();
  await cpu.start();
  return new RegistryEngine(backend, cpu, dispatch) as RegistryEngine & Engine;
}

/** The operations themselves are put on the instance from the registry. */
class RegistryEngine {
  readonly capabilities: Engine["capabilities"];
  readonly memory: Engine["memory"];
  readonly sync: SyncOps;
  readonly #cpu: Cpu;
  readonly #dispatch: Dispatch;
  #backend: WasmBackend | null;

  constructor(backend: WasmBackend, cpu: Cpu, dispatch: Dispatch) {
    this.#backend = backend;
    this.#cpu = cpu;
    this.#dispatch = dispatch;
    this.capabilities = capabilityReport(backend, cpu, dispatch);
    this.memory = memoryReport(() => this.#alive("memory"));
    this.sync = syncFace((op) => this.#alive(op));
    Object.assign(this, asyncFace(this.sync, dispatch, (op) => this.#alive(op)));
  }

  plan(op: string, elements: number): ReturnType<Engine["plan"]> {
    this.#alive("plan");
    return this.#dispatch.plan(op, elements);
  }

  tensor(dims: readonly number[]): WasmTensor {
    const backend = this.#alive("tensor");
    const place = { op: "tensor", argument: "dims" };
    const shape = listOf(dims)?.map((d, i) => integer({ op: "tensor", argument: `dims[${i}]` }, d, 0, MAX_EXTENT));
    if (shape === undefined) throw typeError(place, describe(dims), "an array of non-negative integers");
    const elements = elementsOf(shape);
    if (!Number.isSafeInteger(elements)) {
      throw rangeError(place, `[${shape.join(", ")}], of ${elements} elements`, "fewer than 2 to the power of 53");
    }
    return new LinearTensor(backend.memory, Object.freeze(shape));
  }

  dispose(): void {
    this.#backend?.memory.close();
    this.#backend = null;
    this.#dispatch.close();
    this.#cpu.close();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #alive(op: string): WasmBackend {
    if (this.#backend === null) throw new Error(`${op}: the engine is disposed`);
    return this.#backend;
  }
}

function capabilityReport(backend: WasmBackend, cpu: Cpu, dispatch: Dispatch): Engine["capabilities"] {
  return Object.freeze({
    wasm: backend.relaxed ? "relaxed-simd" : "simd",
    get threads(): number {
      return cpu.threads;
    },
    get threadsReason(): string | null {
      return cpu.reason;
    },
    get webgpu(): string | null {
      return dispatch.description;
    },
  });
}

function memoryReport(backend: () => WasmBackend): Engine["memory"] {
  return Object.freeze({
    get used(): number {
      return backend().memory.used;
    },
    get peak(): number {
      return backend().memory.peak;
    },
    get reserved(): number {
      return backend().memory.reserved;
    },
    get limit(): number {
      return backend().memory.limit;
    },
  });
}

function syncFace(backend: (op: string) => WasmBackend): SyncOps {
  const face = Object.entries(operations).map(([name, operation]) => {
    const run = operation.run as (backend: WasmBackend, ...args: unknown[]) => unknown;
    return [name, (...args: unknown[]) => {
      const found = backend(name);
      return found.memory.call(() => run(found, ...args));
    }];
  });
  return Object.fromEntries(face) as SyncOps;
}

/** Each operation as a promise: its errors are rejections. What has a check runs where the dispatch says. */
function asyncFace(sync: SyncOps, dispatch: Dispatch, backend: (op: string) => WasmBackend): AsyncOps {
  const face = Object.entries(operations).map(([name, operation]) => {
    const run = sync[name as keyof SyncOps] as (...args: unknown[]) => unknown;
    // deno-lint-ignore require-await -- async turns a throw into a rejection
    return [name, async (...args: unknown[]) => {
      if (!("check" in operation)) return run(...args);
      const check = operation.check as (...args: unknown[]) => Call;
      return backend(name).memory.call(() => dispatch.run(check(...args)));
    }];
  });
  return Object.fromEntries(face) as AsyncOps;
}
