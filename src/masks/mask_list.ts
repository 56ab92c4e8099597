/**
 * Masks as callers ask for them.
 */
import { valuesOf } from "../arrays.ts";
import { codeOf } from "../run_lengths.ts";
import type { MaskCrop, Masks, RunLengths } from "../types.ts";
import { arrayOf, describe, rangeError, typeError } from "../validate.ts";
import type { MaskPixels, MaskWindow } from "./mask_pixels.ts";
import { outlinesOf } from "./outlines.ts";

export class MaskList implements Masks {
  readonly width: number;
  readonly height: number;
  readonly #pixels: MaskPixels;

  constructor(pixels: MaskPixels) {
    this.width = pixels.width;
    this.height = pixels.height;
    this.#pixels = pixels;
  }

  area(i: number): number {
    const op = "masks.area";
    return this.#pixels.area(op, this.#index(op, i));
  }

  bitmap(i: number, out?: Uint8Array): Uint8Array {
    const op = "masks.bitmap";
    const { width, height } = this;
    const window = this.#pixels.window(this.#index(op, i));
    const given = out === undefined ? new Uint8Array(width * height) : out;
    const place = { op, argument: "out" };
    const target = arrayOf(place, "Uint8Array", given, width * height, `, ${height} rows of ${width}`);
    const rows = window.width === 0 ? 0 : window.height;
    if (out !== undefined) valuesOf(target).fill(0, 0, window.y * width).fill(0, (window.y + rows) * width);
    this.#pixels.rows(op, i, true, (bytes, firstRow) => valuesOf(target).set(bytes, (window.y + firstRow) * width));
    return given;
  }

  crop(i: number): MaskCrop {
    const op = "masks.crop";
    return this.#crop(op, this.#index(op, i));
  }

  rle(i: number): RunLengths {
    const op = "masks.rle";
    const { width, height } = this;
    return codeOf({ width, height, counts: this.#pixels.runs(op, this.#index(op, i)) });
  }

  polygons(i: number): number[][] {
    const op = "masks.polygons";
    const { data, ...window } = this.#crop(op, this.#index(op, i));
    return outlinesOf(window, data);
  }

  labelMap(): Int32Array {
    const { width, height } = this;
    const labels = new Int32Array(width * height);
    // The best last, over all others.
    for (let i = this.#pixels.length - 1; i >= 0; i--) {
      const { x, y, width: columns } = this.#pixels.window(i);
      this.#pixels.rows("masks.labelMap", i, false, (bytes, firstRow) => {
        let to = (y + firstRow) * width + x;
        for (let from = 0; from < bytes.length; to += width) {
          for (let column = 0; column < columns; column++) if (bytes[from++] === 1) labels[to + column] = i + 1;
        }
      });
    }
    return labels;
  }

  /** Of each crop x, y, width and height. */
  crops(): number[] {
    return Array.from({ length: this.#pixels.length }, (_, i) => i).flatMap((i) => {
      const { x, y, width, height } = this.#pixels.window(i);
      return [x, y, width, height];
    });
  }

  #crop(op: string, i: number): MaskWindow & { data: Uint8Array } {
    const { x, y, width, height } = this.#pixels.window(i);
    const data = new Uint8Array(width * height);
    this.#pixels.rows(op, i, false, (bytes, firstRow) => data.set(bytes, firstRow * width));
    return { x, y, width, height, data };
  }

  #index(op: string, i: number): number {
    const place = { op, argument: "i" };
    const { length } = this.#pixels;
    if (typeof i !== "number") throw typeError(place, describe(i), "the index of a detection");
    if (Number.isInteger(i) && i >= 0 && i < length) return i;
    throw rangeError(place, i, length === 0 ? "none: nothing was detected" : `an integer from 0 to ${length - 1}`);
  }
}
