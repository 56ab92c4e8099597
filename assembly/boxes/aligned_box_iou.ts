// IoU of boxes and targets row by row.

import { bounded, exactIou } from "./exact_iou";

/** dst (count) = |a ∩ b| / |a ∪ b|. An empty or inverted box has area 0; two of those have IoU 0. */
export function aligned_box_iou(a: usize, b: usize, count: i32, dst: usize): void {
  for (let i = 0; i < count; i++) {
    store<f32>(dst, <f32> exactIou(bounded(v128.load(a)), bounded(v128.load(b))));
    a += 16;
    b += 16;
    dst += 4;
  }
}
