/**
 * One stretch of work on the GPU: its buffers from the pool, its commands, and what it reads back.
 */
import { section, valuesOf } from "../arrays.ts";
import { type AnySource, isQuantised, type Source } from "../validate.ts";
import type { BufferKind, BufferPool } from "./buffers.ts";
import { bytesOf } from "./storage.ts";

/** Words that come back to the host. */
interface Reading {
  readonly buffer: GPUBuffer;
  readonly into: Float32Array | Uint32Array;
}

export class Work {
  readonly #op: string;
  readonly #device: GPUDevice;
  readonly #pool: BufferPool;
  readonly #held: GPUBuffer[] = [];
  readonly #readings: Reading[] = [];
  #errors: Promise<GPUError | null>[] = [];
  /** What the caller gave of a device's own. */
  #reads: "GpuTensor" | "GPUTexture" | null = null;

  constructor(op: string, device: GPUDevice, pool: BufferPool) {
    this.#op = op;
    this.#device = device;
    this.#pool = pool;
  }

  /** A buffer until `release`. */
  buffer(kind: BufferKind, bytes: number): GPUBuffer {
    const buffer = this.#pool.acquire(kind, bytes);
    this.#held.push(buffer);
    return buffer;
  }

  storage(bytes: number): GPUBufferBinding {
    return { buffer: this.buffer("storage", bytes), size: bytes };
  }

  /** Elements [start, start + length) of a tensor where a shader can read them: uploaded, or where they lie. */
  input(source: AnySource, start: number, length: number): GPUBufferBinding {
    if (source.kind !== "gpu") return this.upload(wordsOf(source, start, length));
    this.#reads = "GpuTensor";
    const size = Math.ceil(bytesOf(source, length) / 4) * 4;
    return { buffer: source.gpuBuffer, offset: bytesOf(source, start), size };
  }

  texture(texture: GPUTexture): GPUTextureView {
    this.#reads = "GPUTexture";
    return texture.createView({ dimension: "2d", mipLevelCount: 1 });
  }

  upload(data: ArrayBufferView): GPUBufferBinding {
    const binding = this.storage(data.byteLength);
    this.#write(binding.buffer, data);
    return binding;
  }

  uniform(data: ArrayBuffer): GPUBufferBinding {
    const buffer = this.buffer("uniform", data.byteLength);
    this.#write(buffer, new Uint8Array(data));
    return { buffer, size: data.byteLength };
  }

  #write(buffer: GPUBuffer, data: ArrayBufferView): void {
    // Deno 2.9 panics at an empty view.
    if (data.byteLength === 0) return;
    const { buffer: bytes, byteOffset, byteLength } = isFixed(data.buffer) ? data : copyOf(data);
    this.#device.queue.writeBuffer(buffer, 0, bytes as ArrayBuffer, byteOffset, byteLength);
  }

  /** Does what has no await in it; whatever the GPU has against it comes out of `read`. */
  guard<T>(body: () => T): T {
    this.#device.pushErrorScope("out-of-memory");
    this.#device.pushErrorScope("validation");
    try {
      return body();
    } finally {
      const errors = [this.#device.popErrorScope(), this.#device.popErrorScope()];
      // Where the body throws, nobody else hears of them.
      for (const error of errors) error.catch(() => {});
      this.#errors.push(...errors);
    }
  }

  /** Encodes and submits, guarded. */
  submit(encode: (encoder: GPUCommandEncoder) => void): void {
    this.guard(() => {
      const encoder = this.#device.createCommandEncoder({ label: this.#op });
      encode(encoder);
      this.#device.queue.submit([encoder.finish()]);
    });
  }

  /** Runs a shader with these bindings from 0 on. */
  dispatch(
    encoder: GPUCommandEncoder,
    pipeline: GPUComputePipeline,
    bindings: readonly (GPUBufferBinding | GPUTextureView)[],
    groups: number,
  ): void {
    const layout = pipeline.getBindGroupLayout(0);
    const entries = bindings.map((resource, binding) => ({ binding, resource }));
    const group = this.#bindGroup({ layout, entries });
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    const across = Math.min(groups, this.#device.limits.maxComputeWorkgroupsPerDimension);
    pass.dispatchWorkgroups(across, Math.ceil(groups / across));
    pass.end();
  }

  /** An object that only looks like a buffer makes the device throw, without the operation's name. */
  #bindGroup(descriptor: GPUBindGroupDescriptor): GPUBindGroup {
    try {
      return this.#device.createBindGroup(descriptor);
    } catch (error) {
      throw this.#failure(error as Error);
    }
  }

  /** Has the beginning of a binding come back with the next `read`, as many words as `into` has. */
  copyBack(encoder: GPUCommandEncoder, { buffer, offset = 0 }: GPUBufferBinding, into: Reading["into"]): void {
    if (into.length === 0) return;
    const back = this.buffer("readback", into.byteLength);
    encoder.copyBufferToBuffer(buffer, offset, back, 0, into.byteLength);
    this.#readings.push({ buffer: back, into });
  }

  /** Waits for what comes back; throws what went wrong. */
  async read(): Promise<void> {
    const readings = this.#readings.splice(0);
    const mapped = readings.map(({ buffer, into }) => buffer.mapAsync(MAP_MODE_READ, 0, into.byteLength));
    try {
      const settled = await Promise.allSettled(mapped);
      await this.#check();
      for (const result of settled) if (result.status === "rejected") throw result.reason;
      for (const { buffer, into } of readings) {
        const Words = into.constructor as Float32ArrayConstructor;
        into.set(new Words(buffer.getMappedRange(0, into.byteLength)));
      }
    } finally {
      for (const { buffer } of readings) buffer.unmap();
    }
  }

  async #check(): Promise<void> {
    const errors = await Promise.all(this.#errors);
    this.#errors = [];
    const error = errors.find((each) => each !== null);
    if (error) throw this.#failure(error);
  }

  #failure(cause: Error | GPUError): Error {
    const wanted = this.#reads === "GpuTensor" ? "buffer" : "texture";
    const hint = this.#reads === null ? "" : ` (a ${this.#reads} must be a live ${wanted} of the engine's own device)`;
    return new Error(`${this.#op}: WebGPU reports: ${cause.message}${hint}`, { cause });
  }

  /** Gives the buffers back. */
  release(): void {
    for (const buffer of this.#held.splice(0)) this.#pool.release(buffer);
  }
}

/** `GPUMapMode` is no global everywhere. */
const MAP_MODE_READ = 0x1;

/** Chromium's queue takes no resizable buffer, Deno's and Dawn's in Node no shared one. */
function isFixed(buffer: ArrayBufferLike & { readonly resizable?: boolean }): boolean {
  return Object.prototype.toString.call(buffer) === "[object ArrayBuffer]" && buffer.resizable !== true;
}

function copyOf({ buffer, byteOffset, byteLength }: ArrayBufferView): ArrayBufferView {
  return new Uint8Array(buffer, byteOffset, byteLength).slice();
}

/** The words of a storage buffer: float32, or halves as they are. */
function wordsOf(source: Source, start: number, length: number): ArrayBufferView {
  const { kind } = source;
  const part = section(valuesOf(source), start, length);
  if (kind === "f32") return part;
  if (kind === "f64") return new Float32Array(part);
  if (isQuantised(kind)) return realValues(part, source);
  if (length % 2 === 0) return part;
  const padded = new Uint16Array(length + 1);
  padded.set(part);
  return padded;
}

/** Quantised data in float32 at every step, so that values are those of the kernels to the bit. */
function realValues(part: Source["data"], { scale, zeroPoint }: Source): Float32Array {
  const [step, zero] = [Math.fround(scale), Math.fround(zeroPoint)];
  const values = new Float32Array(part.length);
  for (let i = 0; i < values.length; i++) values[i] = Math.fround(part[i] - zero) * step;
  return values;
}
