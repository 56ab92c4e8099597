// A second look at a box: its distances, corrected.

import { timesExp4 } from "../math";

/** dst (count, 4) = distances · deltas. */
export function refine_distances(distances: usize, deltas: usize, count: i32, dst: usize): void {
  for (let i = 0; i < count; i++) {
    v128.store(dst, f32x4.mul(v128.load(distances), v128.load(deltas)));
    distances += 16;
    deltas += 16;
    dst += 16;
  }
}

/** dst (count, 4) = distances · exp(deltas). */
export function refine_distances_exp(distances: usize, deltas: usize, count: i32, dst: usize): void {
  for (let i = 0; i < count; i++) {
    v128.store(dst, timesExp4(v128.load(distances), v128.load(deltas)));
    distances += 16;
    deltas += 16;
    dst += 16;
  }
}
