/**
 * What masks are read from, whoever makes them: kernels from prototypes, or run lengths of plain data.
 */

/** The pixels of the frame that a detection's box has. */
export interface MaskWindow {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Takes rows, `firstRow` of the window the first of them: bytes of 0 and 1, which are not kept. */
export type RowReader = (bytes: Uint8Array, firstRow: number) => void;

/** Masks of `length` detections in a frame. `op` is named in errors. */
export interface MaskPixels {
  readonly length: number;
  readonly width: number;
  readonly height: number;
  window(i: number): MaskWindow;
  /** Pixels that belong to mask i. */
  area(op: string, i: number): number;
  /**
   * Reads all rows of the window in order, some at a time; none where it has no pixels. `whole` rows have all of the frame's
   * columns, others those of the window.
   */
  rows(op: string, i: number, whole: boolean, read: RowReader): void;
  /** COCO's counts. */
  runs(op: string, i: number): number[];
}
