/**
 * Rows or columns of class values in linear memory through the score filter. What a head says are probabilities is checked on
 * the way.
 */
import { op } from "./checked_detect.ts";
import type { ImageRun } from "./image_run.ts";
import { checkProbabilities, type Values } from "./probabilities.ts";

/** Pointers to where anchors, labels and values of what passes go. */
type Ends = readonly [anchors: number, labels: number, values: number];

/** Rows of anchors; `limits` are a pointer to the first's threshold, and the bytes to the next's. Returns how many pass. */
export function passRows(
  { backend, settings: { head } }: ImageRun,
  argument: string,
  values: Values,
  limits: readonly [pointer: number, stride: number],
  firstAnchor: number,
  ends: Ends,
): number {
  const { pointer, stride, rows, columns } = values;
  const { kernels } = backend;
  if (head.scores !== "logits") {
    const passed = kernels.score_filter_rows_probabilities(
      pointer,
      stride,
      rows,
      columns,
      ...limits,
      firstAnchor,
      ...ends,
    );
    if (passed >= 0) return passed;
    checkProbabilities(backend, { op, argument }, head, values);
  }
  return kernels.score_filter_rows(pointer, stride, rows, columns, ...limits, firstAnchor, ...ends);
}

/** Columns of anchors, in rows of a class each: `best` has their thresholds, and then their best value. */
export function passChannels(
  { backend, settings: { head } }: ImageRun,
  argument: string,
  values: Values,
  firstClass: number,
  best: number,
  labels: number,
): void {
  const { pointer, stride, rows, columns } = values;
  const { kernels } = backend;
  if (head.scores !== "logits") {
    if (kernels.score_filter_channels_probabilities(pointer, stride, columns, rows, firstClass, best, labels)) return;
    checkProbabilities(backend, { op, argument }, head, values);
  }
  kernels.score_filter_channels(pointer, stride, columns, rows, firstClass, best, labels);
}
