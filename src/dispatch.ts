/**
 * Which device an operation runs on, and why.
 */
import type { Call } from "./call.ts";
import type { Cpu } from "./cpu.ts";
import { measureCrossover } from "./crossover.ts";
import { detach } from "./detach.ts";
import { qualityFocalLoss } from "./ops/quality_focal_loss.ts";
import { operations } from "./registry.ts";
import type { EngineOptions } from "./types.ts";
import { describe, number, oneOf, type Place, typeError } from "./validate.ts";
import type { WasmBackend } from "./wasm/backend.ts";
import type { GpuBackend } from "./webgpu/index.ts";

export interface Plan {
  device: "wasm" | "webgpu";
  reason: string;
}

/** What an entry knows of WebGPU: the platform's, if it has one, and how to load our part. */
export interface Webgpu {
  readonly gpu: GPU | undefined;
  load(): Promise<typeof import("./webgpu/index.ts")>;
}

/** Under this many elements no device is asked for and nothing is measured. */
const WORTH_ASKING = 2 ** 17;

export class Dispatch {
  readonly #wasm: WasmBackend;
  readonly #cpu: Cpu;
  readonly #webgpu: Webgpu | null;
  readonly #device: "auto" | "wasm" | "webgpu";
  readonly #gpuDevice: GPUDevice | undefined;
  readonly #threshold: number | undefined;
  #gpu: GpuBackend | null = null;
  #opening: Promise<void> | null = null;
  #measuring: Promise<void> | null = null;
  /** Why there is no backend. */
  #absent: string;
  #crossover: number | null = null;
  #closed = false;

  constructor(
    wasm: WasmBackend,
    cpu: Cpu,
    webgpu: Webgpu | null,
    { device, gpuDevice, offloadThreshold }: Pick<EngineOptions, "device" | "gpuDevice" | "offloadThreshold">,
  ) {
    const place = (member: string): Place => ({ op: "createEngine", argument: `options.${member}` });
    this.#wasm = wasm;
    this.#cpu = cpu;
    this.#webgpu = webgpu;
    this.#device = oneOf(place("device"), device ?? "auto", ["auto", "wasm", "webgpu"]);
    this.#gpuDevice = gpuDevice as GPUDevice | undefined;
    if (gpuDevice !== undefined && typeof this.#gpuDevice?.createBuffer !== "function") {
      throw typeError(place("gpuDevice"), describe(gpuDevice), "a GPUDevice");
    }
    this.#threshold = offloadThreshold;
    if (offloadThreshold !== undefined) number(place("offloadThreshold"), offloadThreshold, 0);
    this.#absent = absence(this.#device, webgpu);
  }

  /** Opens the device at once where it is named; refuses where "webgpu" has none. */
  async start(): Promise<void> {
    if (this.#device === "wasm" || (this.#device === "auto" && this.#gpuDevice === undefined)) return;
    await this.#open();
    if (this.#device === "webgpu" && this.#gpu === null) {
      throw new Error(`createEngine: options.device is "webgpu", and there is none: ${this.#absent}`);
    }
  }

  /** The adapter's description, once there is one and as long as its device works. */
  get description(): string | null {
    return this.#usable()?.description ?? null;
  }

  plan(op: string, elements: number): Plan {
    if (!Object.hasOwn(operations, op)) {
      throw typeError({ op: "plan", argument: "op" }, describe(op), `one of ${Object.keys(operations).join(", ")}`);
    }
    number({ op: "plan", argument: "elements" }, elements, 0);
    const threads = this.#cpu.plan(op, elements);
    const wasm = (reason: string): Plan => {
      return { device: "wasm", reason: threads === null ? reason : `${threads}; ${reason}` };
    };
    const webgpu = (reason: string): Plan => ({ device: "webgpu", reason });
    if (!("check" in operations[op as keyof typeof operations])) return wasm(`${op} has no shader`);
    const lost = this.#gpu?.lost ?? null;
    if (lost !== null) return wasm(lost);
    const stays = this.#staysOnHost(op);
    if (stays !== null) return wasm(stays);
    if (this.#gpu === null) return wasm(this.#absent);
    if (this.#device === "webgpu") return webgpu(`the engine's device is "webgpu"`);
    if (this.#crossover === Infinity) return wasm("WASM was faster at every size that was measured");
    const [from, why] = this.#threshold !== undefined
      ? [this.#threshold, "offloadThreshold"]
      : [this.#crossover ?? WORTH_ASKING, this.#crossover === null ? "not measured before" : "measured"];
    const comparison = `${elements} elements, and WebGPU is for ${from} and more (${why})`;
    return elements >= from ? webgpu(comparison) : wasm(comparison);
  }

  /** Runs a checked call where it belongs; at once where that is this thread and no device needs to be asked for. */
  run(call: Call): unknown {
    const bound = boundTo(call);
    if (bound === null && !this.#considersGpu(call)) return this.#cpu.run(call);
    const { detached, fill } = detach(this.#wasm, call);
    return this.#runAnywhere(detached, bound).then(fill);
  }

  close(): void {
    this.#closed = true;
    this.#gpu?.close();
  }

  #considersGpu(call: Call): boolean {
    if (this.#webgpu === null || this.#device === "wasm") return false;
    if (this.#opening !== null && this.#usable() === null) return false;
    if (this.#device === "webgpu") return this.#usable()?.holds(call) ?? false;
    if (this.#staysOnHost(call.op) !== null) return false;
    return call.elements >= (this.#threshold ?? this.#crossover ?? WORTH_ASKING);
  }

  /** Why an operation's host data are worked on where they are, whatever their size; null where they are not. */
  #staysOnHost(op: string): string | null {
    const { staysOnHost } = operations[op];
    if (staysOnHost === undefined || this.#webgpu === null) return null;
    if (this.#device !== "auto" && !(staysOnHost.always && this.#device === "webgpu")) return null;
    return staysOnHost.unlessThreshold && this.#threshold !== undefined ? null : staysOnHost.because;
  }

  #usable(): GpuBackend | null {
    return this.#gpu?.lost === null ? this.#gpu : null;
  }

  async #runAnywhere(call: Call, bound: Bound | null): Promise<unknown> {
    if (this.#device === "auto") {
      await this.#open();
      if (bound === null && this.#threshold === undefined) await this.#measure();
    }
    this.#refuseClosed(call.op);
    const gpu = this.#usable();
    const offloads = bound !== null || this.plan(call.op, call.elements).device === "webgpu";
    if (gpu !== null && offloads && (bound !== null || gpu.holds(call))) {
      return call.finish(await gpu.run(call), this.#wasm);
    }
    if (bound === null) return this.#cpu.run(call);
    throw this.#refusal(bound);
  }

  /** The engine may have ended while the device was opened. */
  #refuseClosed(op: string): void {
    if (this.#closed) throw new Error(`${op}: the engine is disposed`);
  }

  #refusal({ place, got }: Bound): TypeError {
    const reason = this.#gpu?.lost ?? this.#absent;
    return typeError(place, got, `"host" data: there is no GPU device, because ${reason}`);
  }

  #open(): Promise<void> {
    return this.#opening ??= this.#request();
  }

  async #request(): Promise<void> {
    if (this.#webgpu === null) return;
    try {
      const { openBackend } = await this.#webgpu.load();
      const found = await openBackend(this.#webgpu.gpu, this.#gpuDevice, this.#device === "webgpu");
      if (typeof found === "string") this.#absent = found;
      else if (this.#closed) found.close();
      else this.#gpu = found;
    } catch (error) {
      this.#absent = `WebGPU does not start: ${(error as Error).message}`;
    }
  }

  #measure(): Promise<void> {
    return this.#measuring ??= this.#time();
  }

  async #time(): Promise<void> {
    const gpu = this.#gpu;
    if (gpu === null) return;
    const call = (logits: Float32Array) => qualityFocalLoss.check(logits, logits, { reduction: "sum" });
    try {
      this.#crossover = await measureCrossover(
        (logits) => this.#cpu.run(call(logits)),
        (logits) => gpu.run(call(logits)),
      );
    } catch {
      // A device that fails at this is not one to offload to.
      this.#crossover = Infinity;
    }
  }
}

function absence(device: string, webgpu: Webgpu | null): string {
  if (device === "wasm") return `the engine's device is "wasm"`;
  if (webgpu === null) return "this build has no WebGPU";
  return `no device was asked for yet; a call of ${WORTH_ASKING} elements or with a GpuTensor does`;
}

/** What ties a call to the GPU. */
interface Bound {
  readonly place: Place;
  readonly got: string;
}

function boundTo(call: Call): Bound | null {
  const { op } = call;
  for (const [argument, source] of call.sources()) {
    if (source.kind === "gpu") return { place: { op, argument }, got: "a GpuTensor" };
  }
  if (call.kind === "preprocess" && call.placement === "gpu") {
    return { place: { op, argument: "pixels" }, got: "a GPUTexture" };
  }
  return call.placement === "gpu" ? { place: { op, argument: "options.placement" }, got: `"gpu"` } : null;
}
