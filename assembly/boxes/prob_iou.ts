// ProbIoU of two sets of rotated boxes.

import { rotatedPairs } from "./rotated_pairs";

/** dst (countA, countB) = 1 − Hellinger's distance of the boxes' Gaussians. */
export function prob_iou(a: usize, countA: i32, b: usize, countB: i32, scratch: usize, dst: usize): void {
  rotatedPairs(a, countA, b, countB, scratch, dst, true);
}
