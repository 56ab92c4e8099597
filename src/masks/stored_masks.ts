/**
 * Masks from run lengths, of plain data.
 */
import { areaOf, type Runs } from "../run_lengths.ts";
import type { MaskPixels, MaskWindow, RowReader } from "./mask_pixels.ts";

export class StoredMasks implements MaskPixels {
  readonly width: number;
  readonly height: number;
  readonly #masks: readonly Runs[];
  readonly #windows: readonly MaskWindow[];

  /** All of one size; every pixel of a mask is in its window. */
  constructor(height: number, width: number, masks: readonly Runs[], windows: readonly MaskWindow[]) {
    this.width = width;
    this.height = height;
    this.#masks = masks;
    this.#windows = windows;
  }

  get length(): number {
    return this.#masks.length;
  }

  window(i: number): MaskWindow {
    return this.#windows[i];
  }

  area(_op: string, i: number): number {
    return areaOf(this.#masks[i]);
  }

  rows(_op: string, i: number, whole: boolean, read: RowReader): void {
    const { x, y, width, height } = this.#windows[i];
    if (width * height === 0) return;
    const [pitch, left] = whole ? [this.width, 0] : [width, x];
    const bytes = new Uint8Array(pitch * height);
    forEachRun(this.#masks[i], (column, from, to) => {
      for (let row = from; row < to; row++) bytes[(row - y) * pitch + column - left] = 1;
    });
    read(bytes, 0);
  }

  runs(_op: string, i: number): number[] {
    return [...this.#masks[i].counts];
  }
}

/** The least that has all pixels. */
export function windowOf(runs: Runs): MaskWindow {
  let [left, top, right, bottom] = [Infinity, Infinity, 0, 0];
  forEachRun(runs, (column, from, to) => {
    left = Math.min(left, column);
    right = Math.max(right, column + 1);
    top = Math.min(top, from);
    bottom = Math.max(bottom, to);
  });
  if (right === 0) return { x: 0, y: 0, width: 0, height: 0 };
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** Tells runs of ones, a column of each at a time: rows from the first up to the end. */
function forEachRun({ height, counts }: Runs, tell: (column: number, from: number, to: number) => void): void {
  let pixel = 0;
  counts.forEach((count, i) => {
    const end = pixel + count;
    while (i % 2 === 1 && pixel < end) {
      const column = Math.floor(pixel / height);
      const to = Math.min(end, (column + 1) * height);
      tell(column, pixel - column * height, to - column * height);
      pixel = to;
    }
    pixel = end;
  });
}
