/**
 * Masks from bits that another device has made: 32 pixels of a window's row in a word, the first in its lowest bit.
 */
import { type BitPlan, wordsOf } from "./bit_plan.ts";
import type { MaskPixels, MaskWindow, RowReader } from "./mask_pixels.ts";

export class BitMasks implements MaskPixels {
  readonly length: number;
  readonly width: number;
  readonly height: number;
  readonly #windows: BitPlan["windows"];
  readonly #bits: Uint32Array;

  constructor({ width, height, windows }: BitPlan, bits: Uint32Array) {
    this.length = windows.length;
    this.width = width;
    this.height = height;
    this.#windows = windows;
    this.#bits = bits;
  }

  window(i: number): MaskWindow {
    const { x, y, width, height } = this.#windows[i];
    return { x, y, width, height };
  }

  area(_op: string, i: number): number {
    const { firstWord, height } = this.#windows[i];
    const end = firstWord + wordsOf(this.#windows[i]) * height;
    let area = 0;
    for (let word = firstWord; word < end; word++) area += ones(this.#bits[word]);
    return area;
  }

  rows(_op: string, i: number, whole: boolean, read: RowReader): void {
    const { x, width } = this.#windows[i];
    const bytes = whole && width > 0 ? this.#bytes(i, this.width, x) : this.#bytes(i, width, 0);
    if (bytes.length > 0) read(bytes, 0);
  }

  runs(_op: string, i: number): number[] {
    const { x, y, width, height } = this.#windows[i];
    const bytes = this.#bytes(i, width, 0);
    const counts: number[] = [];
    let [start, last] = [0, 0];
    const turn = (pixel: number) => {
      counts.push(pixel - start);
      start = pixel;
      last = 1 - last;
    };
    for (let column = 0; column < width; column++) {
      const first = (x + column) * this.height + y;
      // Above and below the window is nothing.
      if (last === 1 && height < this.height) turn(first - this.height + height);
      for (let row = 0; row < height; row++) if (bytes[row * width + column] !== last) turn(first + row);
    }
    if (last === 1) turn((x + width - 1) * this.height + y + height);
    const rest = this.width * this.height - start;
    if (rest > 0 || counts.length === 0) counts.push(rest);
    return counts;
  }

  /** Rows of so many bytes, of which the window's begin at `left`. */
  #bytes(i: number, pitch: number, left: number): Uint8Array {
    const { width, height, firstWord } = this.#windows[i];
    const wordsOfRow = wordsOf(this.#windows[i]);
    const bytes = new Uint8Array(pitch * height);
    for (let row = 0; row < height; row++) {
      const first = firstWord + row * wordsOfRow;
      let to = row * pitch + left;
      for (let column = 0; column < width; column++) {
        bytes[to++] = this.#bits[first + (column >>> 5)] >>> (column & 31) & 1;
      }
    }
    return bytes;
  }
}

/** Bits of a word that are set. */
function ones(word: number): number {
  const pairs = word - (word >>> 1 & 0x55555555);
  const fours = (pairs & 0x33333333) + (pairs >>> 2 & 0x33333333);
  return Math.imul(fours + (fours >>> 4) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
