/**
 * An engine: the registry's operations on one backend, with a synchronous and an asynchronous face.
 */
import { detectImages } from "./detect/detect.ts";
import { checkDevice, plan } from "./dispatch.ts";
import { operations } from "./ops/index.ts";
import type {
  AsyncOps,
  Detections,
  DetectOptions,
  Engine,
  EngineOptions,
  Outputs,
  SyncOps,
  WasmTensor,
} from "./types.ts";
import { describe, integer, oneOf, options as checkOptions, typeError } from "./validate.ts";
import { WasmBackend } from "./wasm/backend.ts";
import { LinearTensor } from "./wasm/tensor.ts";

const DEFAULT_MAX_MEMORY = 64 * 1024 * 1024;

/** Two builds of the kernels. Which one runs is decided by what the host validates. */
export interface Builds {
  baseline(): WebAssembly.Module | Promise<WebAssembly.Module>;
  /** Null where the host has no relaxed SIMD. */
  relaxed(): WebAssembly.Module | Promise<WebAssembly.Module> | null;
}

/** Checks the options, chooses the build and makes the engine. */
export async function makeEngine(builds: Builds, options?: EngineOptions): Promise<Engine> {
  const { device, relaxedSimd = "auto", maxMemory = DEFAULT_MAX_MEMORY } = checkOptions("createEngine", options);
  checkDevice(device);
  const place = (member: string) => ({ op: "createEngine", argument: `options.${member}` });
  const relaxedWanted = oneOf(place("relaxedSimd"), relaxedSimd, ["auto", "off"]) === "auto";
  const limit = integer(place("maxMemory"), maxMemory, 1, 2 ** 32);
  const module = await ((relaxedWanted ? builds.relaxed() : null) ?? builds.baseline());
  const backend = new WasmBackend(module, limit);
  if (backend.relaxed && !relaxedWanted) {
    throw typeError(place("wasm"), "the relaxed build", `the baseline build where relaxedSimd is "off"`);
  }
  return new WasmEngine(backend) as WasmEngine & Engine;
}

/** The operations themselves are put on the instance from the registry. */
class WasmEngine {
  readonly capabilities: Engine["capabilities"];
  readonly memory: Engine["memory"];
  readonly sync: SyncOps;
  #backend: WasmBackend | null;

  constructor(backend: WasmBackend) {
    this.#backend = backend;
    this.capabilities = Object.freeze({ wasm: backend.relaxed ? "relaxed-simd" : "simd", webgpu: null });
    this.memory = memoryReport(() => this.#alive("memory"));
    this.sync = syncFace((op) => this.#alive(op));
    Object.assign(this, asyncFace(this.sync, (op) => this.#alive(op)));
  }

  plan(op: string, elements: number): ReturnType<Engine["plan"]> {
    this.#alive("plan");
    return plan(op, elements);
  }

  tensor(dims: readonly number[]): WasmTensor {
    const backend = this.#alive("tensor");
    const place = { op: "tensor", argument: "dims" };
    if (!Array.isArray(dims)) throw typeError(place, describe(dims), "an array of non-negative integers");
    dims.forEach((d, i) => integer({ op: "tensor", argument: `dims[${i}]` }, d, 0, Number.MAX_SAFE_INTEGER));
    return new LinearTensor(backend.memory, dims);
  }

  dispose(): void {
    this.#backend?.memory.close();
    this.#backend = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #alive(op: string): WasmBackend {
    if (this.#backend === null) throw new Error(`${op}: the engine is disposed`);
    return this.#backend;
  }
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
    return [name, (...args: unknown[]) => run(backend(name), ...args)];
  });
  return Object.fromEntries(face) as SyncOps;
}

/** Each operation as a promise: its errors are rejections. */
function asyncFace(sync: SyncOps, backend: (op: string) => WasmBackend): AsyncOps {
  const face = Object.entries(sync).map(([name, run]) => {
    // deno-lint-ignore require-await -- async turns a throw into a rejection
    return [name, async (...args: never[]) => (run as (...args: never[]) => unknown)(...args)];
  });
  return { ...Object.fromEntries(face), detect: detectInTurns } as AsyncOps;

  async function detectInTurns(outputs: Outputs, options: DetectOptions): Promise<Detections[]> {
    const found: Detections[] = [];
    for (const detections of detectImages(backend("detect"), outputs, options)) {
      found.push(detections);
      // Only a turn of the event loop lets whoever holds the controller abort.
      if (options.signal !== undefined) await new Promise((resolve) => setTimeout(resolve));
    }
    return found;
  }
}
