// IoU of boxes and targets row by row.

import { corner, exactIou } from "./exact_iou";

/** dst (count) = |a ∩ b| / |a ∪ b|. An empty or inverted box has area 0; two of those have IoU 0. */
export function aligned_iou(a: usize, b: usize, count: i32, dst: usize): void {
  for (let i = 0; i < count; i++) {
    const iou = exactIou(
      corner(load<f32>(a), load<f32>(a, 4)),
      corner(load<f32>(a, 8), load<f32>(a, 12)),
      corner(load<f32>(b), load<f32>(b, 4)),
      corner(load<f32>(b, 8), load<f32>(b, 12)),
    );
    store<f32>(dst, <f32> iou);
    a += 16;
    b += 16;
    dst += 4;
  }
}
