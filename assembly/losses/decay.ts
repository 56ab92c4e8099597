// exp(-x) and 1 - exp(-x) for x >= 0, each with all its digits, on four lanes and in float64; 2^-x, which takes less.

import { madd, nmadd } from "../lanes";
import { one } from "./box_lanes";
import { EXP_TABLE } from "./passes";

/** exp(-x) is 0 long before. */
const REACH = memory.data<f32>([80]);
const LOG2E: f64 = 1.4426950408889634;
const LN2: f64 = 0.6931471805599453;

/** exp(-x) for x >= 0, 0 from 80 on. At most 1 ULP. */
// @ts-ignore: decorator
@inline
export function decayed(x: v128): v128 {
  const near = nearOf(x);
  const t = powerOf(near);
  const scale = i32x4.shl(t, 23);
  return v128.andnot(nmadd(fraction(near, t), scale, scale), f32x4.eq(near, v128.load32_splat(REACH)));
}

/** 1 - exp(-x) for 0 <= x <= 80. */
// @ts-ignore: decorator
@inline
export function gone(x: v128): v128 {
  const t = powerOf(x);
  const scale = i32x4.shl(t, 23);
  return madd(fraction(x, t), scale, f32x4.sub(one(), scale));
}

/** x, at most 80. */
// @ts-ignore: decorator
@inline
export function nearOf(x: v128): v128 {
  return f32x4.pmin(x, v128.load32_splat(REACH));
}

/** The power of two next to exp(-x): its biased exponent is in the low bits. */
// @ts-ignore: decorator
@inline
export function powerOf(x: v128): v128 {
  return nmadd(x, v128.load32_splat(EXP_TABLE), v128.load32_splat(EXP_TABLE + 4));
}

/** 1 - exp(-x) / (that power of two). */
// @ts-ignore: decorator
@inline
export function fraction(x: v128, t: v128): v128 {
  const k = f32x4.sub(v128.load32_splat(EXP_TABLE + 4), t);
  const r = nmadd(k, v128.load32_splat(EXP_TABLE + 12), nmadd(k, v128.load32_splat(EXP_TABLE + 8), x));
  const z = f32x4.mul(r, r);
  const low = madd(v128.load32_splat(EXP_TABLE + 20), r, v128.load32_splat(EXP_TABLE + 16));
  const high = madd(v128.load32_splat(EXP_TABLE + 28), r, v128.load32_splat(EXP_TABLE + 24));
  return nmadd(z, madd(madd(v128.load32_splat(EXP_TABLE + 32), z, high), z, low), r);
}

/** Of powers of two. */
const HALVINGS = memory.data<f32>([
  12583039.0, // 1.5 * 2^23 + 127
  // (2^-r - 1) / r on |r| <= 1/2, minimax in relative error of the power (9.2e-8)
  -0.6931470036506653,
  0.24022242426872253,
  -0.05550733581185341,
  0.009671512991189957,
  -0.001326472731307149,
]);

/** The power of two next to 2^-x, for 0 <= x <= 126: its biased exponent is in the low bits. */
// @ts-ignore: decorator
@inline
export function halvings(x: v128): v128 {
  return f32x4.sub(v128.load32_splat(HALVINGS), x);
}

/** x without the integer that is in t. */
// @ts-ignore: decorator
@inline
export function withoutHalvings(x: v128, t: v128): v128 {
  return f32x4.add(x, f32x4.sub(t, v128.load32_splat(HALVINGS)));
}

/** (2^-r - 1) / r. */
// @ts-ignore: decorator
@inline
export function halvingSlope(r: v128): v128 {
  const z = f32x4.mul(r, r);
  const middle = madd(v128.load32_splat(HALVINGS + 16), r, v128.load32_splat(HALVINGS + 12));
  const low = madd(v128.load32_splat(HALVINGS + 8), r, v128.load32_splat(HALVINGS + 4));
  return madd(z, madd(z, v128.load32_splat(HALVINGS + 20), middle), low);
}

/** exp(-x), or 1 - exp(-x), for x >= 0; to 1e-11. */
export function exactDecay(x: v128, gone: bool): v128 {
  const near = f64x2.pmin(x, f64x2.splat(700));
  const k = f64x2.nearest(f64x2.mul(near, f64x2.splat(LOG2E)));
  const r = f64x2.sub(near, f64x2.mul(k, f64x2.splat(LN2)));
  // The series of 1 - exp(-r).
  let sum = f64x2.splat(1 / 362880.0);
  for (let n = 8, factorial = 40320.0; n > 0; factorial /= n, n--) {
    sum = f64x2.sub(f64x2.splat(1 / factorial), f64x2.mul(sum, r));
  }
  const lost = f64x2.mul(sum, r);
  const exponent = i64x2.extend_low_i32x4_s(i32x4.trunc_sat_f64x2_s_zero(f64x2.neg(k)));
  const scale = i64x2.shl(i64x2.add(exponent, i64x2.splat(1023)), 52);
  const one = f64x2.splat(1);
  return gone
    ? f64x2.add(f64x2.sub(one, scale), f64x2.mul(lost, scale))
    : f64x2.mul(f64x2.sub(one, lost), scale);
}
