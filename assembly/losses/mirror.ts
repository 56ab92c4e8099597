// Classification losses are symmetric: a logit x > 0 with target y costs what -x costs with 1 - y. So every loss is
// arithmetic over the mirrored pair (-|x|, t), where nothing cancels but small - t:
//
//   t      the target of the mirrored logit: 1 - y where x > 0 (not at 0, where small is exact and 1 - y may not be)
//   small  its sigmoid e / (1 + e), with e = exp(-|x|)
//   big    1 - small
//   ce     its cross-entropy l + t |x|, with l = log1p(e)
//
// A loss's class has, of four lanes each, the target and 1 - the target (`target4`, `rest4`), `base` (what is raised to the
// exponent), `value`, and `gradient` in the mirrored logit; the loop in classify.ts turns the sign where x > 0. `any` is
// base^exponent where the exponent has no path of its own. `counted` is where the exponent counts.

import { select } from "../lanes";
import { SIGN } from "./passes";

/** Exponents with a path of their own, and any other. */
export const ZERO: i32 = 0;
export const ONE: i32 = 1;
export const ONE_AND_HALF: i32 = 2;
export const TWO: i32 = 3;
export const ANY: i32 = 4;

/** a * b, and 0 where a is 0 and b infinite: 0 log 0 = 0. NaN stays. Near logits have no infinite cost. */
// @ts-ignore: decorator
@inline
export function timesOrZero(near: bool, a: v128, b: v128): v128 {
  if (near) return f32x4.mul(a, b);
  return v128.andnot(f32x4.mul(a, b), v128.and(f32x4.eq(a, f32x4.splat(0)), f32x4.eq(b, b)));
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

/** slope * m^(exponent - 1), and 0 at m = 0, for exponents with a path of their own. */
// @ts-ignore: decorator
@inline
function powerSlope(kind: i32, m: v128, slope: f32): v128 {
  const factor = f32x4.splat(slope);
  if (kind == TWO) return f32x4.mul(factor, m);
  if (kind == ONE) return v128.and(factor, f32x4.gt(m, f32x4.splat(0)));
  if (kind == ONE_AND_HALF) return f32x4.mul(factor, f32x4.sqrt(m));
  return f32x4.splat(0);
}

/**
 * slope * m^(exponent - 1) * small * big * ce, whose limit for infinite logits is 0. The slope is the exponent, or 0 where the
 * power is a constant of the gradient.
 */
// @ts-ignore: decorator
@inline
export function slopedCost(
  kind: i32,
  m: v128,
  any: v128,
  slope: f32,
  small: v128,
  big: v128,
  ce: v128,
  near: bool,
): v128 {
  if (kind != ANY) return timesOrZero(near, powerSlope(kind, m, slope), plainCost(near, small, big, ce));
  // small * ce is a denormal long before the power times it is.
  const share = v128.andnot(f32x4.div(small, m), f32x4.eq(m, f32x4.splat(0)));
  return timesOrZero(near, f32x4.mul(f32x4.mul(f32x4.splat(slope), any), share), f32x4.mul(big, ce));
}

/** small * big * ce. */
// @ts-ignore: decorator
@inline
export function plainCost(near: bool, small: v128, big: v128, ce: v128): v128 {
  return f32x4.mul(big, timesOrZero(near, small, ce));
}

/** The target of the mirrored logit, from y and 1 - y. */
// @ts-ignore: decorator
@inline
export function mirrored(x: v128, y: v128, rest: v128): v128 {
  return select(y, rest, f32x4.le(x, f32x4.splat(0)));
}

/** A gradient in the mirrored logit as one in x. */
// @ts-ignore: decorator
@inline
export function unmirrored(x: v128, grad: v128): v128 {
  const negative = f32x4.le(x, f32x4.splat(0));
  return v128.xor(grad, v128.andnot(v128.load32_splat(SIGN), negative));
}
