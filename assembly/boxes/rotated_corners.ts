// Corners of rotated boxes.

import { turnOf } from "./turn";

/**
 * dst (count, 8) = the corners c + v1 + v2, c + v1 − v2, c − v1 − v2, c − v1 + v2, with v1 = w/2 (cos, sin) and v2 = h/2 (−sin, cos),
 * in float64 and rounded once. NaN for a box with a number that is not finite.
 */
export function rotated_corners(boxes: usize, count: i32, dst: usize): void {
  for (let i = 0; i < count; i++) {
    const centre = f64x2.promote_low_f32x4(v128.load64_zero(boxes));
    const size = f64x2.promote_low_f32x4(v128.load64_zero(boxes, 8));
    // 0, or NaN.
    const nothing = f64x2.mul(f64x2.add(centre, size), f64x2.splat(0));
    const turn = turnOf(boxes + 16);
    const half = f64x2.mul(size, f64x2.splat(0.5));
    const across = f64x2.mul(v128.shuffle<f64>(turn, turn, 1, 0), f64x2(-1, 1));
    const v1 = f64x2.mul(turn, v128.shuffle<f64>(half, half, 0, 0));
    const v2 = f64x2.mul(across, v128.shuffle<f64>(half, half, 1, 1));
    const middle = f64x2.add(centre, f64x2.add(nothing, v128.shuffle<f64>(nothing, nothing, 1, 0)));
    const front = f64x2.add(middle, v1);
    const back = f64x2.sub(middle, v1);
    v128.store(dst, pair(f64x2.add(front, v2), f64x2.sub(front, v2)));
    v128.store(dst, pair(f64x2.sub(back, v2), f64x2.add(back, v2)), 16);
    boxes += 20;
    dst += 32;
  }
}

/** Two points in float32. */
// @ts-ignore: decorator
@inline
function pair(a: v128, b: v128): v128 {
  return v128.shuffle<f64>(f32x4.demote_f64x2_zero(a), f32x4.demote_f64x2_zero(b), 0, 2);
}
