// Rotated boxes of heads whose channels are centre and size.

/** The least float32 that is not under −π/4, and the largest under 3π/4: as in src/detect/rotated.ts. */
const LEAST_ANGLE: f32 = -0.7853981256484985;
const MOST_ANGLE: f32 = 2.356194257736206;

/**
 * dst (count, 5) = channels of sides, horizontal ones times x, vertical ones times y, and the angle as it is. Strides are in bytes.
 * Returns true if an angle is outside of [−π/4, 3π/4).
 */
export function scale_rotated(
  sides: usize,
  anchorStride: usize,
  channelStride: usize,
  angles: usize,
  count: i32,
  x: f32,
  y: f32,
  dst: usize,
): bool {
  let outside = 0;
  for (let i = 0; i < count; i++) {
    const angle = load<f32>(angles);
    store<f32>(dst, load<f32>(sides) * x);
    store<f32>(dst, load<f32>(sides + channelStride) * y, 4);
    store<f32>(dst, load<f32>(sides + 2 * channelStride) * x, 8);
    store<f32>(dst, load<f32>(sides + 3 * channelStride) * y, 12);
    store<f32>(dst, angle, 16);
    outside |= i32(!(angle >= LEAST_ANGLE)) | i32(!(angle <= MOST_ANGLE));
    sides += anchorStride;
    angles += 4;
    dst += 20;
  }
  return outside != 0;
}
