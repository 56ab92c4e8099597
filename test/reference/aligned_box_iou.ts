/** IoU of box i of a with box i of b, in float64. */
import { boxes, type Random } from "../random.ts";
import { iou } from "./box_iou.ts";

export function alignedBoxIou(a: Float32Array, b: Float32Array): number[] {
  return Array.from(
    { length: a.length / 4 },
    (_, i) => iou(a.subarray(4 * i, 4 * i + 4), b.subarray(4 * i, 4 * i + 4)),
  );
}

export function inputs(r: Random, rows: number) {
  return [boxes(r, rows), boxes(r, rows)];
}

/** The union, of which an IoU is a share. */
export const unit = () => 1;
