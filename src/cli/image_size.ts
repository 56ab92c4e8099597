/**
 * The network's input size, where nobody said it.
 */
import { attachmentsOf } from "../heads/channels.ts";
import { anchorsPerCell } from "../heads/levels.ts";
import type { HeadSpec } from "../types.ts";
import { UsageError } from "./errors.ts";
import { type FileOutputs, tensorsOf } from "./outputs.ts";
import { readShapes } from "./shapes.ts";

/** Cells of the finest level times its stride; for anchors in one row, the square input that has as many. */
export function sizeFromShapes(file: FileOutputs, head: HeadSpec): readonly [number, number] {
  const stride = Math.min(...head.strides);
  const finest = readShapes(tensorsOf(file, head), head).reduce((a, b) => b.anchors > a.anchors ? b : a);
  if (finest.cells !== undefined) return [finest.cells[0] * stride, finest.cells[1] * stride];
  const byLevel = isByLevel(file, head);
  const levels = head.strides.map((stride, i) => ({ stride, perCell: anchorsPerCell(head, i) }));
  const side = squareSide(finest.anchors, stride, levels.filter((level) => !byLevel || level.stride === stride));
  if (side !== undefined) return [side, side];
  throw new UsageError(`${finest.anchors} anchors are not those of a square input; give --image-size H,W`);
}

/** One tensor per level, so that the finest tensor is the finest level? */
function isByLevel(file: FileOutputs, head: HeadSpec): boolean {
  const { outputs } = file;
  if ("classes" in outputs) return outputs.classes.length > 1;
  return tensorsOf(file, head).length > (head.channelOrder === "separate" ? 3 : 1) + attachmentsOf(head).length;
}

/** The multiple of the finest stride whose levels have that many anchors together. */
function squareSide(
  anchors: number,
  step: number,
  levels: readonly { readonly stride: number; readonly perCell: number }[],
): number | undefined {
  for (let side = step;; side += step) {
    const has = levels.reduce((sum, { stride, perCell }) => sum + perCell * Math.ceil(side / stride) ** 2, 0);
    if (has >= anchors) return has === anchors ? side : undefined;
  }
}
