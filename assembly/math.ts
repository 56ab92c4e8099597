// exp and log on four lanes, and exp on two float64. Every function states its range and its worst error.
//
// Constants come from a table in memory and are loaded once before each loop: V8 rebuilds a splat at every use
// (measured: 2.2 against 1.4 ns per element). Four vectors advance side by side because one chain of twenty dependent
// operations leaves the units idle (1.5 against 1.15 ns).

import { madd, nmadd } from "./lanes";

const SOFTMAX = memory.data<f32>([
  1.4426950408889634, // log2 e
  // 1.5 * 2^23 + 127: adding it rounds to an integer and leaves the biased exponent in the low bits.
  12583039.0,
  // ln 2 in two parts; the first has few bits, so its product with an exponent is exact.
  0.693359375,
  -2.12194440e-4,
  // e^r on |r| <= ln 2 / 2, minimax in relative error (9.2e-8) with e^0 = 1, so that equal logits give equal shares exactly.
  1,
  0.9999997066639624,
  0.4999914851715582,
  0.16667637354243292,
  0.04189806748619973,
  0.008290289136036594,
]);

/** Where arguments of `softmaxExp` end: it gives 0. */
export const EXP_MIN: f32 = -88;

/**
 * dst = exp(src) over `rows` rows of `columns` floats, a multiple of 16 (what lies in the padding does not matter).
 * Relative error at most 1.9e-7, made for sums of many terms. NaN stays NaN. Returns false if a value may have been
 * outside -88 to 88 or was NaN: its result is then meaningless.
 */
export function softmaxExp(
  src: usize,
  srcStride: usize,
  dst: usize,
  dstStride: usize,
  rows: i32,
  columns: i32,
): bool {
  const log2e = v128.load32_splat(SOFTMAX);
  const round = v128.load32_splat(SOFTMAX + 4);
  const ln2High = v128.load32_splat(SOFTMAX + 8);
  const ln2Low = v128.load32_splat(SOFTMAX + 12);
  const c0 = v128.load32_splat(SOFTMAX + 16);
  const c1 = v128.load32_splat(SOFTMAX + 20);
  const c2 = v128.load32_splat(SOFTMAX + 24);
  const c3 = v128.load32_splat(SOFTMAX + 28);
  const c4 = v128.load32_splat(SOFTMAX + 32);
  const c5 = v128.load32_splat(SOFTMAX + 36);
  let seen = round;
  for (let row = 0; row < rows; row++) {
    let s = src;
    let d = dst;
    for (let i = 0; i < columns; i += 16) {
      const x0 = v128.load(s);
      const x1 = v128.load(s, 16);
      const x2 = v128.load(s, 32);
      const x3 = v128.load(s, 48);
      const t0 = madd(x0, log2e, round);
      const t1 = madd(x1, log2e, round);
      const t2 = madd(x2, log2e, round);
      const t3 = madd(x3, log2e, round);
      seen = v128.or(v128.or(v128.or(seen, t0), v128.or(t1, t2)), t3);
      const k0 = f32x4.sub(t0, round);
      const k1 = f32x4.sub(t1, round);
      const k2 = f32x4.sub(t2, round);
      const k3 = f32x4.sub(t3, round);
      const h0 = nmadd(k0, ln2High, x0);
      const h1 = nmadd(k1, ln2High, x1);
      const h2 = nmadd(k2, ln2High, x2);
      const h3 = nmadd(k3, ln2High, x3);
      const r0 = nmadd(k0, ln2Low, h0);
      const r1 = nmadd(k1, ln2Low, h1);
      const r2 = nmadd(k2, ln2Low, h2);
      const r3 = nmadd(k3, ln2Low, h3);
      let p0 = madd(c5, r0, c4);
      let p1 = madd(c5, r1, c4);
      let p2 = madd(c5, r2, c4);
      let p3 = madd(c5, r3, c4);
      p0 = madd(p0, r0, c3);
      p1 = madd(p1, r1, c3);
      p2 = madd(p2, r2, c3);
      p3 = madd(p3, r3, c3);
      p0 = madd(p0, r0, c2);
      p1 = madd(p1, r1, c2);
      p2 = madd(p2, r2, c2);
      p3 = madd(p3, r3, c2);
      p0 = madd(p0, r0, c1);
      p1 = madd(p1, r1, c1);
      p2 = madd(p2, r2, c1);
      p3 = madd(p3, r3, c1);
      p0 = madd(p0, r0, c0);
      p1 = madd(p1, r1, c0);
      p2 = madd(p2, r2, c0);
      p3 = madd(p3, r3, c0);
      v128.store(d, f32x4.mul(p0, i32x4.shl(t0, 23)));
      v128.store(d, f32x4.mul(p1, i32x4.shl(t1, 23)), 16);
      v128.store(d, f32x4.mul(p2, i32x4.shl(t2, 23)), 32);
      v128.store(d, f32x4.mul(p3, i32x4.shl(t3, 23)), 48);
      s += 64;
      d += 64;
    }
    src += srcStride;
    dst += dstStride;
  }
  return v128.all_true<i32>(hasSmallExponent(seen));
}

/** While biased exponents are in 0 to 255, no bit above the low eight differs from those of the rounding constant. */
// @ts-ignore: decorator
@inline
function hasSmallExponent(rounded: v128): v128 {
  const high = v128.andnot(v128.xor(rounded, v128.load32_splat(SOFTMAX + 4)), i32x4.splat(255));
  return i32x4.eq(high, i32x4.splat(0));
}

/** The lanes for which `softmaxExp` gives a result that means something; false for NaN. */
// @ts-ignore: decorator
@inline
export function inSoftmaxRange(x: v128): v128 {
  return hasSmallExponent(madd(x, v128.load32_splat(SOFTMAX), v128.load32_splat(SOFTMAX + 4)));
}

/**
 * x - peak for the largest logit of x's distribution, as `softmaxExp` takes it. Infinite logits have their limit: shares of the
 * largest. NaN stays.
 */
// @ts-ignore: decorator
@inline
export function underPeak(x: v128, peak: v128): v128 {
  const gap = v128.andnot(f32x4.sub(x, peak), f32x4.eq(x, peak));
  return f32x4.max(gap, f32x4.splat(EXP_MIN));
}

/**
 * Ones where the sum of a softmax can be trusted: its terms neither overflow, weighted by up to 64 bins too, nor all vanish.
 */
// @ts-ignore: decorator
@inline
export function isSoundSum(sum: v128): v128 {
  return v128.and(f32x4.lt(sum, f32x4.splat(f32.MAX_VALUE / 64)), f32x4.gt(sum, f32x4.splat(1e-30)));
}

export const EXP_TABLE = memory.data<f32>([
  1.4426950408889634, // log2 e
  12583039.0, // 1.5 * 2^23 + 127
  0.693359375, // ln 2 in two parts, the first of few bits
  -2.12194440e-4,
  // (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2, minimax in relative error (3.1e-9)
  0.49999993432098916,
  0.16666520398846657,
  0.04166839078969793,
  0.008368745127113008,
  0.001381453987772694,
  1,
]);

/**
 * d exp(x). Relative error at most 3e-7 where the product is a normal number, wherever exp(x) is; 0 and Infinity past the
 * ends of float32. NaN stays; 0 exp(Infinity) and Infinity exp(-Infinity) are NaN.
 */
// @ts-ignore: decorator
@inline
export function timesExp4(d: v128, x: v128): v128 {
  const round = v128.load32_splat(EXP_TABLE + 4);
  // From the least number to the largest it is e^192.
  const near = f32x4.pmax(f32x4.pmin(x, f32x4.splat(200)), f32x4.splat(-200));
  const t = madd(near, v128.load32_splat(EXP_TABLE), round);
  const k = f32x4.sub(t, round);
  const r = nmadd(k, v128.load32_splat(EXP_TABLE + 12), nmadd(k, v128.load32_splat(EXP_TABLE + 8), near));
  let q = madd(v128.load32_splat(EXP_TABLE + 32), r, v128.load32_splat(EXP_TABLE + 28));
  q = madd(q, r, v128.load32_splat(EXP_TABLE + 24));
  q = madd(q, r, v128.load32_splat(EXP_TABLE + 20));
  q = madd(q, r, v128.load32_splat(EXP_TABLE + 16));
  q = madd(f32x4.mul(r, r), q, r);
  const p = f32x4.add(q, v128.load32_splat(EXP_TABLE + 36));
  // The power of two in halves of halves, the lower before the mantissa: no step leaves float32 unless the product does.
  const exponent = i32x4.sub(t, round);
  const lower = i32x4.shr_s(exponent, 1);
  const product = timesPower(f32x4.mul(timesPower(d, lower), p), i32x4.sub(exponent, lower));
  const end = f32x4.mul(d, f32x4.pmax(x, f32x4.splat(0)));
  return v128.bitselect(end, product, f32x4.eq(f32x4.abs(x), f32x4.splat(Infinity)));
}

/** e^x for x up to 88; under -87 it is e^-87. Relative error at most 2e-7. NaN stays. */
// @ts-ignore: decorator
@inline
export function shortExp4(x: v128): v128 {
  const round = v128.load32_splat(EXP_TABLE + 4);
  const near = f32x4.pmax(x, f32x4.splat(-87));
  const t = madd(near, v128.load32_splat(EXP_TABLE), round);
  const k = f32x4.sub(t, round);
  const r = nmadd(k, v128.load32_splat(EXP_TABLE + 12), nmadd(k, v128.load32_splat(EXP_TABLE + 8), near));
  const z = f32x4.mul(r, r);
  const low = madd(v128.load32_splat(EXP_TABLE + 20), r, v128.load32_splat(EXP_TABLE + 16));
  const high = madd(v128.load32_splat(EXP_TABLE + 28), r, v128.load32_splat(EXP_TABLE + 24));
  const p = madd(z, madd(madd(v128.load32_splat(EXP_TABLE + 32), z, high), z, low), r);
  const power = i32x4.shl(t, 23);
  return madd(p, power, power);
}

/** d 2^k for integers from -252 to 254. */
// @ts-ignore: decorator
@inline
function timesPower(d: v128, k: v128): v128 {
  const half = i32x4.shr_s(k, 1);
  return f32x4.mul(f32x4.mul(d, powerOfTwo(half)), powerOfTwo(i32x4.sub(k, half)));
}

/** 2^k for integers from -126 to 127. */
// @ts-ignore: decorator
@inline
function powerOfTwo(k: v128): v128 {
  return i32x4.shl(i32x4.add(k, i32x4.splat(127)), 23);
}

/**
 * ln(x) for normal x > 0, by x = m * 2^k with m in [0.707, 1.414) and a polynomial in m - 1. At most 1e-7 absolute for
 * x in [0.5, 64].
 */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  // Subtracting sqrt(1/2) from the bits makes the exponent field count from there.
  const shifted = i32x4.sub(x, i32x4.splat(0x3f3504f3));
  const k = f32x4.convert_i32x4_s(i32x4.shr_s(shifted, 23));
  const fraction = v128.and(shifted, i32x4.splat(0x007fffff));
  const f = f32x4.sub(i32x4.add(fraction, i32x4.splat(0x3f3504f3)), f32x4.splat(1));
  const z = f32x4.mul(f, f);
  let p = madd(f32x4.splat(0.07037683), f, f32x4.splat(-0.11514610));
  p = madd(p, f, f32x4.splat(0.11676998));
  p = madd(p, f, f32x4.splat(-0.12420141));
  p = madd(p, f, f32x4.splat(0.14249323));
  p = madd(p, f, f32x4.splat(-0.16668057));
  p = madd(p, f, f32x4.splat(0.20000714));
  p = madd(p, f, f32x4.splat(-0.24999994));
  p = madd(p, f, f32x4.splat(0.33333331));
  let tail = madd(f32x4.mul(p, z), f, f32x4.mul(k, f32x4.splat(-2.12194440e-4)));
  tail = nmadd(f32x4.splat(0.5), z, tail);
  return madd(k, f32x4.splat(0.693359375), f32x4.add(f, tail));
}

const EXP_F64 = memory.data<f64>([
  1.4426950408889634, // log2 e
  6755399441055744, // 1.5 * 2^52: adding it rounds to an integer and leaves that in the low bits
  // ln 2 in two parts, the first of few bits
  6.93147180369123816490e-1,
  1.90821492927058770002e-10,
  // (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2, minimax in relative error of e^r (3.7e-18)
  0.5000000000000011,
  0.16666666666666413,
  0.041666666666530267,
  0.008333333333494333,
  0.0013888888943597712,
  0.00019841269506779702,
  2.4801493136177504e-5,
  2.755758626635183e-6,
  2.7630233921259343e-7,
  2.500007231554546e-8,
  1,
  -750, // exp(x) is 0 long before
]);

/**
 * exp(x) on two float64 for x <= 0, also where the result is a denormal; NaN stays. Under 1 ULP, as in JavaScript engines.
 * AssemblyScript's Math.exp brings a table of 2 KB and takes one number at a time.
 */
// @ts-ignore: decorator
@inline
export function expF64x2(x: v128): v128 {
  const round = v128.load64_splat(EXP_F64 + 8);
  const near = f64x2.pmax(x, v128.load64_splat(EXP_F64 + 120));
  const t = f64x2.add(f64x2.mul(near, v128.load64_splat(EXP_F64)), round);
  const k = f64x2.sub(t, round);
  const high = f64x2.sub(near, f64x2.mul(k, v128.load64_splat(EXP_F64 + 16)));
  const low = f64x2.mul(k, v128.load64_splat(EXP_F64 + 24));
  const r = f64x2.sub(high, low);
  const z = f64x2.mul(r, r);
  const z2 = f64x2.mul(z, z);
  // In pairs: one chain of ten steps would wait for itself.
  const p01 = f64x2.add(f64x2.mul(r, v128.load64_splat(EXP_F64 + 40)), v128.load64_splat(EXP_F64 + 32));
  const p23 = f64x2.add(f64x2.mul(r, v128.load64_splat(EXP_F64 + 56)), v128.load64_splat(EXP_F64 + 48));
  const p45 = f64x2.add(f64x2.mul(r, v128.load64_splat(EXP_F64 + 72)), v128.load64_splat(EXP_F64 + 64));
  const p67 = f64x2.add(f64x2.mul(r, v128.load64_splat(EXP_F64 + 88)), v128.load64_splat(EXP_F64 + 80));
  const p89 = f64x2.add(f64x2.mul(r, v128.load64_splat(EXP_F64 + 104)), v128.load64_splat(EXP_F64 + 96));
  const p03 = f64x2.add(p01, f64x2.mul(z, p23));
  const p47 = f64x2.add(p45, f64x2.mul(z, p67));
  const p = f64x2.add(p03, f64x2.mul(z2, f64x2.add(p47, f64x2.mul(z2, p89))));
  const one = v128.load64_splat(EXP_F64 + 112);
  const mantissa = f64x2.add(one, f64x2.add(f64x2.sub(f64x2.mul(z, p), low), high));
  // The power of two in halves: the whole of a denormal's is no number.
  const exponent = i64x2.sub(t, round);
  const half = i64x2.shr_s(exponent, 1);
  const powers = f64x2.mul(mantissa, i64x2.add(one, i64x2.shl(half, 52)));
  return f64x2.mul(powers, i64x2.add(one, i64x2.shl(i64x2.sub(exponent, half), 52)));
}
