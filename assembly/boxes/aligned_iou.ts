// IoU of boxes and targets row by row. In float64: no product of coordinates overflows, and a small IoU keeps its digits.

/** dst (count) = |a ∩ b| / |a ∪ b|. An empty or inverted box has area 0; two of those have IoU 0. */
export function aligned_iou(a: usize, b: usize, count: i32, dst: usize): void {
  for (let i = 0; i < count; i++) {
    const low = corner(a);
    const high = corner(a + 8);
    const otherLow = corner(b);
    const otherHigh = corner(b + 8);
    const overlap = area(f64x2.max(low, otherLow), f64x2.min(high, otherHigh));
    // At least the overlap, whatever is rounded: no IoU is over 1.
    const union = area(low, high) + (area(otherLow, otherHigh) - overlap);
    store<f32>(dst, union == 0 ? 0 : <f32> (overlap / union));
    a += 16;
    b += 16;
    dst += 4;
  }
}

/** x, y. */
// @ts-ignore: decorator
@inline
function corner(at: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(at));
}

// @ts-ignore: decorator
@inline
function area(low: v128, high: v128): f64 {
  const size = f64x2.max(f64x2.sub(high, low), f64x2.splat(0));
  return f64x2.extract_lane(size, 0) * f64x2.extract_lane(size, 1);
}
