/**
 * What another device needs to make the masks of an image as bits: where each detection's window lies, in pixels and in samples of the
 * prototypes, and how pixels lie between samples. Plain numbers.
 */
import { type Axis, lengthOf, pixelsWithin, type Range, samplesOf } from "./axis.ts";
import type { MaskWindow } from "./mask_pixels.ts";

export interface BitInput {
  readonly across: Axis;
  readonly down: Axis;
  /** (N, channels). */
  readonly coefficients: Float32Array;
  /** (N, 4) in the frame. */
  readonly boxes: Float32Array;
}

/**
 * Numbers of a window in `BitPlan.table`: first pixel x, y; width, height; first sample x, y; width, height in samples; words of a row
 * of bits; the first word of its bits; the first of its samples; and the detection.
 */
export const WINDOW_NUMBERS = 12;

/** Numbers of a pixel in `BitPlan.across` and `down`: its near and its far sample, and the bits of their float32 weights. */
export const PIXEL_NUMBERS = 4;

export interface BitPlan {
  /** Of the frame, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly across: Uint32Array;
  readonly down: Uint32Array;
  /** Of the windows that have pixels, in the order of the detections. */
  readonly table: Uint32Array;
  readonly coefficients: Float32Array;
  /** Words of all bits, and samples of all windows. */
  readonly words: number;
  readonly samples: number;
  /** Of every detection, with the first word of its bits. */
  readonly windows: readonly (MaskWindow & { readonly firstWord: number })[];
}

export function planBits({ across, down, coefficients, boxes }: BitInput): BitPlan {
  const table: number[] = [];
  let [words, samples] = [0, 0];
  const windows = Array.from({ length: boxes.length / 4 }, (_, i) => {
    const [x1, y1, x2, y2] = boxes.subarray(4 * i, 4 * i + 4);
    const columns = pixelsWithin(across, x1, x2);
    const rows = pixelsWithin(down, y1, y2);
    const window = { x: columns.first, y: rows.first, width: lengthOf(columns), height: lengthOf(rows) };
    const firstWord = words;
    if (window.width > 0 && window.height > 0) {
      const [wide, high] = [samplesOf(across, columns), samplesOf(down, rows)];
      const wordsOfRow = wordsOf(window);
      table.push(...placed(columns, rows), ...placed(wide, high), wordsOfRow, words, samples, i);
      words += wordsOfRow * window.height;
      samples += lengthOf(wide) * lengthOf(high);
    }
    return { ...window, firstWord };
  });
  return {
    width: across.pixels,
    height: down.pixels,
    across: pixelTable(across),
    down: pixelTable(down),
    table: Uint32Array.from(table),
    coefficients,
    words,
    samples,
    windows,
  };
}

/** Words of a row of a window's bits. */
export function wordsOf({ width }: MaskWindow): number {
  return Math.ceil(width / 32);
}

function placed(across: Range, down: Range): number[] {
  return [across.first, down.first, lengthOf(across), lengthOf(down)];
}

/** Weights are rounded as the kernel of axes rounds them. */
function pixelTable({ pixels, samples, scale, pad, ratio }: Axis): Uint32Array {
  const words = new Uint32Array(pixels * PIXEL_NUMBERS);
  const weights = new Float32Array(words.buffer);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const place = ((pixel + 0.5) * scale + pad) * ratio - 0.5;
    const isInside = place > 0 && place < samples - 1;
    const near = isInside ? Math.floor(place) : place > 0 ? samples - 1 : 0;
    const share = isInside ? place - near : 0.5;
    words.set([near, isInside ? near + 1 : near], pixel * PIXEL_NUMBERS);
    weights.set([1 - share, share], pixel * PIXEL_NUMBERS + 2);
  }
  return words;
}
