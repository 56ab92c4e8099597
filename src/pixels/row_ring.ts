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
  /** Which row is in each place. */
  readonly #rows: Int32Array;

  constructor(backend: WasmBackend, allocate: Allocate, image: CheckedPixels, readonly capacity: number) {
    this.#backend = backend;
    this.#image = image;
    this.#pitch = image.width * image.channels;
    this.#start = allocate(capacity * this.#pitch + SLACK);
    this.#rows = new Int32Array(capacity).fill(-1);
  }

  /** Copies the rows of [first, end) that are not there: at most `capacity`. */
  need(first: number, end: number): void {
    for (let row = first; row < end;) {
      const place = row % this.capacity;
      let rows = 0;
      while (row + rows < end && place + rows < this.capacity && this.#rows[place + rows] !== row + rows) {
        this.#rows[place + rows] = row + rows;
        rows++;
      }
      if (rows > 0) this.#copy(row, rows, place);
      row += Math.max(rows, 1);
    }
  }

  #copy(row: number, rows: number, place: number): void {
    // Views are made with the first row: nothing is allocated from then on.
    this.#source ??= this.#backend.values(this.#image.bytes);
    this.#target ??= this.#backend.memory.view(Uint8Array, this.#start, this.capacity * this.#pitch);
    const bytes = this.#source.subarray(row * this.#pitch, (row + rows) * this.#pitch);
    this.#target.set(bytes, place * this.#pitch);
  }

  /** Pointer to a row that is there. */
  at(row: number): number {
    return this.#start + row % this.capacity * this.#pitch;
  }
}
