// IoU of one pair of boxes in float64, where no product of float32 coordinates overflows or vanishes. A box is its four
// coordinates in float32, a corner x and y in the lanes.

/** The coordinates; an infinite one counts as the largest number. */
// @ts-ignore: decorator
@inline
export function bounded(box: v128): v128 {
  const most = f32x4.splat(f32.MAX_VALUE);
  return f32x4.pmin(f32x4.pmax(box, f32x4.neg(most)), most);
}

// @ts-ignore: decorator
@inline
export function lowCorner(box: v128): v128 {
  return f64x2.promote_low_f32x4(box);
}

// @ts-ignore: decorator
@inline
export function highCorner(box: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f64>(box, box, 1, 1));
}

/** |a ∩ b| / |a ∪ b|, 0 where both are empty. */
// @ts-ignore: decorator
@inline
export function exactIou(a: v128, b: v128): f64 {
  const low = lowCorner(a);
  const high = highCorner(a);
  const otherLow = lowCorner(b);
  const otherHigh = highCorner(b);
  const inner = overlap(low, high, otherLow, otherHigh);
  const whole = union(low, high, otherLow, otherHigh, inner);
  return whole == 0 ? 0 : inner / whole;
}

/** IoU - (enclosing area - union) / enclosing area. */
// @ts-ignore: decorator
@inline
export function exactGeneralizedIou(a: v128, b: v128): f64 {
  const low = lowCorner(a);
  const high = highCorner(a);
  const otherLow = lowCorner(b);
  const otherHigh = highCorner(b);
  const inner = overlap(low, high, otherLow, otherHigh);
  const whole = union(low, high, otherLow, otherHigh, inner);
  const hull = area(f64x2.min(low, otherLow), f64x2.max(high, otherHigh));
  return (whole == 0 ? 0 : inner / whole) - (hull == 0 ? 0 : max(hull - whole, 0) / hull);
}

// @ts-ignore: decorator
@inline
function overlap(low: v128, high: v128, otherLow: v128, otherHigh: v128): f64 {
  return area(f64x2.max(low, otherLow), f64x2.min(high, otherHigh));
}

/** At least the overlap, whatever is rounded: no IoU is over 1. */
// @ts-ignore: decorator
@inline
function union(low: v128, high: v128, otherLow: v128, otherHigh: v128, inner: f64): f64 {
  return area(low, high) + (area(otherLow, otherHigh) - inner);
}

// @ts-ignore: decorator
@inline
function area(low: v128, high: v128): f64 {
  const size = f64x2.max(f64x2.sub(high, low), f64x2.splat(0));
  return f64x2.extract_lane(size, 0) * f64x2.extract_lane(size, 1);
}
