/**
 * A result of a call: an array on the host that fills chunk by chunk, or a buffer that stays on the device.
 */
import type { GpuTensor } from "../types.ts";
import type { BufferPool } from "./buffers.ts";
import type { Work } from "./work.ts";

export class Output {
  readonly #to: Float32Array | GPUBuffer;

  constructor(to: Float32Array | GPUBuffer) {
    this.#to = to;
  }

  /** The binding to which a shader writes the values [start, start + length). */
  binding(work: Work, start: number, length: number): GPUBufferBinding {
    if (this.#to instanceof Float32Array) return work.storage(length * 4);
    return { buffer: this.#to, offset: start * 4, size: length * 4 };
  }

  /** Copies the values of a binding to the host, if the result is to lie there. */
  copyBack(work: Work, encoder: GPUCommandEncoder, values: GPUBufferBinding, start: number, length: number): void {
    if (this.#to instanceof Float32Array) work.copyBack(encoder, values, this.#to.subarray(start, start + length));
  }

  tensor(dims: readonly number[]): Float32Array | GpuTensor {
    return this.#to instanceof Float32Array ? this.#to : { gpuBuffer: this.#to, dims, dataType: "float32" };
  }

  /** Destroys a buffer that the caller will not see. */
  discard(pool: BufferPool): void {
    if (!(this.#to instanceof Float32Array)) pool.discard(this.#to);
  }
}
