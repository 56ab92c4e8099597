/**
 * The rows of an image that are in linear memory: the last ones that a result needed, each copied once.
 */
import type { Allocate } from "../wasm/memory.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import type { CheckedPixels } from "./pixels.ts";

/** Kernels read up to a vector past a row. */
const SLACK = 64;

export class RowRing {
  readonly #backend: WasmBackend;
  readonly #image: CheckedPixels;
  readonly #pitch: number;
  readonly #start: number;
  #source: Uint8Array | null = null;
  #target: Uint8Array | null = null;
  /** Rows before this one were copied, if they were needed. */
  #end = 0;

  constructor(backend: WasmBackend, allocate: Allocate, image: CheckedPixels, readonly capacity: number) {
    this.#backend = backend;
    this.#image = image;
    this.#pitch = image.width * image.channels;
    this.#start = allocate(capacity * this.#pitch + SLACK);
  }

  /** Copies the rows of [first, end) that are not there: at most `capacity`, and none before those of the last call. */
  need(first: number, end: number): void {
    // Views are made with the first row: nothing is allocated from then on.
    this.#source ??= this.#backend.values(this.#image.bytes);
    this.#target ??= this.#backend.memory.view(Uint8Array, this.#start, this.capacity * this.#pitch);
    for (let row = Math.max(first, this.#end); row < end;) {
      const slot = row % this.capacity;
      const rows = Math.min(end - row, this.capacity - slot);
      this.#target.set(this.#source.subarray(row * this.#pitch, (row + rows) * this.#pitch), slot * this.#pitch);
      row += rows;
    }
    this.#end = Math.max(this.#end, end);
  }

  /** Pointer to a row that is there. */
  at(row: number): number {
    return this.#start + row % this.capacity * this.#pitch;
  }
}
