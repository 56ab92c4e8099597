// IoU of the polygons of two sets of rotated boxes.

import { rotatedPairs } from "./rotated_pairs";

/** dst (countA, countB) = |a ∩ b| / |a ∪ b|. */
export function rotated_box_iou(a: usize, countA: i32, b: usize, countB: i32, scratch: usize, dst: usize): void {
  rotatedPairs(a, countA, b, countB, scratch, dst, false);
}
