// Classification losses are symmetric: a logit x >= 0 with target y costs what -x costs with 1 - y. So every loss is
// arithmetic over the mirrored pair (-|x|, t), where nothing cancels:
//
//   t      the target of the mirrored logit: 1 - y where x >= 0
//   small  its sigmoid e / (1 + e), with e = exp(-|x|)
//   big    1 - small = 1 / (1 + e)
//   ce     its cross-entropy l + t |x|, with l = log1p(e)
//
// A loss's class has, of four lanes each, `base` (what is raised to the exponent), `value`, and `gradient` in the mirrored
// logit; the loop in classify.ts turns the sign where x >= 0. `any` is base^exponent where the exponent has no path of its own.

/** Exponents with a path of their own, and any other. */
export const ZERO: i32 = 0;
export const ONE: i32 = 1;
export const ONE_AND_HALF: i32 = 2;
export const TWO: i32 = 3;
export const ANY: i32 = 4;

/** a * b, and 0 where a is 0 whatever b is: 0 log 0 = 0. Near logits have no infinite cost. */
// @ts-ignore: decorator
@inline
export function timesOrZero(near: bool, a: v128, b: v128): v128 {
  if (near) return f32x4.mul(a, b);
  return v128.andnot(f32x4.mul(a, b), f32x4.eq(a, f32x4.splat(0)));
}

/** m^exponent. */
// @ts-ignore: decorator
@inline
export function power(kind: i32, m: v128, any: v128): v128 {
  if (kind == TWO) return f32x4.mul(m, m);
  if (kind == ONE) return m;
  if (kind == ONE_AND_HALF) return f32x4.mul(m, f32x4.sqrt(m));
  if (kind == ZERO) return f32x4.splat(1);
  return any;
}

/** |d|^exponent. */
// @ts-ignore: decorator
@inline
export function powerOf(kind: i32, d: v128, any: v128): v128 {
  return kind == TWO ? f32x4.mul(d, d) : power(kind, f32x4.abs(d), any);
}

/** exponent * m^(exponent - 1), and 0 at m = 0. */
// @ts-ignore: decorator
@inline
export function powerSlope(kind: i32, m: v128, any: v128, exponent: f32): v128 {
  if (kind == TWO) return f32x4.add(m, m);
  if (kind == ONE) return v128.and(f32x4.splat(1), f32x4.gt(m, f32x4.splat(0)));
  if (kind == ONE_AND_HALF) return f32x4.mul(f32x4.splat(1.5), f32x4.sqrt(m));
  if (kind == ZERO) return f32x4.splat(0);
  const slope = f32x4.div(f32x4.mul(f32x4.splat(exponent), any), m);
  return v128.andnot(slope, f32x4.eq(m, f32x4.splat(0)));
}

/** small * big * ce, whose limit for infinite logits is 0. */
// @ts-ignore: decorator
@inline
export function slopedCost(near: bool, small: v128, big: v128, ce: v128): v128 {
  return f32x4.mul(big, timesOrZero(near, small, ce));
}
