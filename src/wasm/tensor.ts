/**
 * Tensors that the caller holds in linear memory.
 */
import type { WasmTensor } from "../types.ts";
import { elementsOf } from "../validate.ts";
import type { LinearMemory } from "./memory.ts";

/** A zeroed float32 tensor; `data` is made anew from the current buffer at each use. */
export class LinearTensor implements WasmTensor {
  readonly dims: readonly number[];
  readonly #memory: LinearMemory;
  readonly #length: number;
  #pointer: number;

  constructor(memory: LinearMemory, dims: readonly number[]) {
    this.dims = dims;
    this.#memory = memory;
    this.#length = elementsOf(dims);
    this.#pointer = memory.hold("tensor", this.#length * 4);
    this.data.fill(0);
  }

  get data(): Float32Array {
    if (this.#memory.closed) throw new Error("tensor: data is read, and the engine is disposed");
    if (this.#pointer === 0) throw new Error("tensor: data is read after dispose()");
    const start = this.#pointer / 4;
    return this.#memory.floats.subarray(start, start + this.#length);
  }

  dispose(): void {
    this.#memory.release(this.#pointer);
    this.#pointer = 0;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
