// IoU of one pair in float64, where no product of float32 coordinates overflows or vanishes. Corners are x, y in the lanes.

/** Two float32 coordinates; an infinite one counts as the largest number. */
// @ts-ignore: decorator
@inline
export function corner(x: f32, y: f32): v128 {
  const most = f64x2.splat(<f64> f32.MAX_VALUE);
  return f64x2.pmin(f64x2.pmax(f64x2(<f64> x, <f64> y), f64x2.neg(most)), most);
}

/** |a ∩ b| / |a ∪ b|, 0 where both are empty. */
// @ts-ignore: decorator
@inline
export function exactIou(low: v128, high: v128, otherLow: v128, otherHigh: v128): f64 {
  const inner = overlap(low, high, otherLow, otherHigh);
  const whole = union(low, high, otherLow, otherHigh, inner);
  return whole == 0 ? 0 : inner / whole;
}

/** IoU - (enclosing area - union) / enclosing area. */
// @ts-ignore: decorator
@inline
export function exactGeneralizedIou(low: v128, high: v128, otherLow: v128, otherHigh: v128): f64 {
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
