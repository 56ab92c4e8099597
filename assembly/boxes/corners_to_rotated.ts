// Rotated boxes from the corners of rectangles.

import { smallTurn } from "./turn";

const QUARTER: f64 = 1.5707963267948966;
/** The least float32 that is not under −π/4, and the largest under 3π/4. */
const LEAST: f32 = -0.7853981;
const MOST: f32 = 2.3561943;

/**
 * dst (count, 5) = centre, sizes and angle. With corners c + v1 + v2, c + v1 − v2, c − v1 − v2, c − v1 + v2 the width is that along v1.
 * The angle is that of v1 and of v2 turned back by a right angle together: the longer side decides. NaN for corners that are not
 * all finite.
 */
export function corners_to_rotated(corners: usize, count: i32, dst: usize): void {
  for (let i = 0; i < count; i++) {
    const first = v128.load(corners);
    const second = v128.load(corners, 16);
    const p0 = f64x2.promote_low_f32x4(first);
    const p1 = upper(first);
    const p2 = f64x2.promote_low_f32x4(second);
    const p3 = upper(second);
    // 0, or NaN where a coordinate is not finite.
    const zeros = f32x4.add(f32x4.mul(first, f32x4.splat(0)), f32x4.mul(second, f32x4.splat(0)));
    const nothing = <f64> (
      f32x4.extract_lane(zeros, 0) + f32x4.extract_lane(zeros, 1) + f32x4.extract_lane(zeros, 2) + f32x4.extract_lane(zeros, 3)
    );
    const v1 = f64x2.add(f64x2.sub(p0, p3), f64x2.sub(p1, p2));
    const v2 = f64x2.add(f64x2.sub(p0, p1), f64x2.sub(p3, p2));
    const centre = f64x2.mul(f64x2.add(f64x2.add(p0, p1), f64x2.add(p2, p3)), f64x2.splat(0.25));
    const sizes = f64x2.mul(f64x2(length(v1), length(v2)), f64x2.splat(0.5));
    const mirrored = x(v1) * y(v2) < y(v1) * x(v2);
    const back = f64x2.mul(v128.shuffle<f64>(v2, v2, 1, 0), mirrored ? f64x2(-1, 1) : f64x2(1, -1));
    const angle = regularAngle(f64x2.add(v1, back));
    v128.store64_lane(dst, f32x4.demote_f64x2_zero(f64x2.add(centre, f64x2.splat(nothing))), 0);
    v128.store64_lane(dst, f32x4.demote_f64x2_zero(f64x2.add(sizes, f64x2.splat(nothing))), 0, 8);
    store<f32>(dst, min(max(<f32> (angle + nothing), LEAST), MOST), 16);
    corners += 32;
    dst += 20;
  }
}

/** The angle of the line along the vector, in [−π/4, 3π/4). */
function regularAngle(v: v128): f64 {
  const side = x(v) + y(v);
  const flips = side < 0 || (side == 0 && y(v) > 0);
  const along = flips ? -x(v) : x(v);
  const across = flips ? -y(v) : y(v);
  if (along == 0 && across == 0) return 0;
  return abs(across) > abs(along) ? QUARTER - slopeAngle(along / across) : slopeAngle(across / along);
}

/** atan of −1 to 1: a parabola is within 0.004, and the rest is an arctangent of two terms more. */
function slopeAngle(slope: f64): f64 {
  const start = slope * (1.0584 - 0.273 * abs(slope));
  const turn = smallTurn(start);
  const rest = (slope * x(turn) - y(turn)) / (x(turn) + slope * y(turn));
  const square = rest * rest;
  return start + rest * (1 - square * (1.0 / 3 - square / 5));
}

// @ts-ignore: decorator
@inline
function upper(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f64>(v, v, 1, 1));
}

// @ts-ignore: decorator
@inline
function length(v: v128): f64 {
  return sqrt(x(v) * x(v) + y(v) * y(v));
}

// @ts-ignore: decorator
@inline
function x(v: v128): f64 {
  return f64x2.extract_lane(v, 0);
}

// @ts-ignore: decorator
@inline
function y(v: v128): f64 {
  return f64x2.extract_lane(v, 1);
}
