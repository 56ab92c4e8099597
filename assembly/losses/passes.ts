// The passes that the classification losses share, over one block in the first-level cache.
//
// Constants come from tables in memory and four vectors advance side by side; see math.ts for why.

import { madd, nmadd } from "../lanes";

/** Elements of a block. */
export const BLOCK: i32 = 512;

/** Of exp(-x); decay.ts takes it too. */
export const EXP_TABLE = memory.data<f32>([
  1.4426950408889634, // log2 e
  12583039.0, // 1.5 * 2^23 + 127
  0.693359375, // ln 2 in two parts, the first of few bits
  -2.12194440e-4,
  // (e^-r - 1 + r) / r^2 on |r| <= ln 2 / 2, minimax in relative error (3.1e-9)
  0.49999993432098916,
  -0.16666520398846657,
  0.04166839078969793,
  -0.008368745127113008,
  0.001381453987772694,
  1e-18,
  1,
]);
/** All bits but the sign. */
export const MAGNITUDE = memory.data<u32>([0x7fffffff]);
export const SIGN = memory.data<u32>([0x80000000]);

/**
 * a = |x|, at least 1e-18, and e = exp(-a) for `count` floats rounded up to 16. At most 1 ULP; NaN stays. Returns whether
 * every a is at most `near`; where one is over 87, its e is meaningless.
 */
export function expPass(x: usize, a: usize, e: usize, count: i32, near: f32): bool {
  const log2e = v128.load32_splat(EXP_TABLE);
  const round = v128.load32_splat(EXP_TABLE + 4);
  const ln2High = v128.load32_splat(EXP_TABLE + 8);
  const ln2Low = v128.load32_splat(EXP_TABLE + 12);
  const c2 = v128.load32_splat(EXP_TABLE + 16);
  const c3 = v128.load32_splat(EXP_TABLE + 20);
  const c4 = v128.load32_splat(EXP_TABLE + 24);
  const c5 = v128.load32_splat(EXP_TABLE + 28);
  const c6 = v128.load32_splat(EXP_TABLE + 32);
  const magnitude = v128.load32_splat(MAGNITUDE);
  // Squares of what is less would be denormals, which cost a trap of the CPU.
  const least = v128.load32_splat(EXP_TABLE + 36);
  const one = v128.load32_splat(EXP_TABLE + 40);
  let most = least;
  for (let i = 0; i < count; i += 16) {
    const a0 = i32x4.max_s(v128.and(v128.load(x), magnitude), least);
    const a1 = i32x4.max_s(v128.and(v128.load(x, 16), magnitude), least);
    const a2 = i32x4.max_s(v128.and(v128.load(x, 32), magnitude), least);
    const a3 = i32x4.max_s(v128.and(v128.load(x, 48), magnitude), least);
    most = i32x4.max_s(i32x4.max_s(i32x4.max_s(i32x4.max_s(most, a0), a1), a2), a3);
    v128.store(a, a0);
    const t0 = nmadd(a0, log2e, round);
    v128.store(a, a1, 16);
    const t1 = nmadd(a1, log2e, round);
    v128.store(a, a2, 32);
    const t2 = nmadd(a2, log2e, round);
    v128.store(a, a3, 48);
    const t3 = nmadd(a3, log2e, round);
    const k0 = f32x4.sub(round, t0);
    const k1 = f32x4.sub(round, t1);
    const k2 = f32x4.sub(round, t2);
    const k3 = f32x4.sub(round, t3);
    const r0 = nmadd(k0, ln2Low, nmadd(k0, ln2High, a0));
    const r1 = nmadd(k1, ln2Low, nmadd(k1, ln2High, a1));
    const r2 = nmadd(k2, ln2Low, nmadd(k2, ln2High, a2));
    const r3 = nmadd(k3, ln2Low, nmadd(k3, ln2High, a3));
    const z0 = f32x4.mul(r0, r0);
    const z1 = f32x4.mul(r1, r1);
    const z2 = f32x4.mul(r2, r2);
    const z3 = f32x4.mul(r3, r3);
    // In pairs of terms: one chain of four would wait for itself.
    let p0 = madd(c6, z0, madd(c5, r0, c4));
    let p1 = madd(c6, z1, madd(c5, r1, c4));
    let p2 = madd(c6, z2, madd(c5, r2, c4));
    let p3 = madd(c6, z3, madd(c5, r3, c4));
    p0 = madd(p0, z0, madd(c3, r0, c2));
    p1 = madd(p1, z1, madd(c3, r1, c2));
    p2 = madd(p2, z2, madd(c3, r2, c2));
    p3 = madd(p3, z3, madd(c3, r3, c2));
    p0 = nmadd(p0, z0, r0);
    p1 = nmadd(p1, z1, r1);
    p2 = nmadd(p2, z2, r2);
    p3 = nmadd(p3, z3, r3);
    v128.store(e, rest(p0, i32x4.shl(t0, 23), one));
    v128.store(e, rest(p1, i32x4.shl(t1, 23), one), 16);
    v128.store(e, rest(p2, i32x4.shl(t2, 23), one), 32);
    v128.store(e, rest(p3, i32x4.shl(t3, 23), one), 48);
    x += 64;
    a += 64;
    e += 64;
  }
  return !v128.any_true(i32x4.gt_s(most, f32x4.splat(near)));
}

/** (1 - q) s. Not s - q s where that is not fused: near the least numbers q s is a denormal. */
// @ts-ignore: decorator
@inline
function rest(q: v128, s: v128, one: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return nmadd(q, s, s);
  return f32x4.mul(f32x4.sub(one, q), s);
}

const LOG_TABLE = memory.data<f32>([
  1,
  // l / (2 sinh l) in y = 2 cosh l - 2 on 0 <= y <= 1/2, minimax in relative error (1.9e-8) after the first.
  0.5,
  -0.08333273765861607,
  0.016654913142853955,
  -0.003498382232921034,
  0.0006090778141964003,
  // Up to here log1p(e) is e; the products of what is less would be denormals, which cost a trap of the CPU.
  1e-17,
  // Where half of exp(-|x|) stops being a normal number.
  86.5,
]);

/**
 * l = log1p(e) and, in the place of e, s = e / (1 + e), for 1e-18 <= e <= 1: with one division for both, because e + s is
 * 2 sinh l and e s is 2 cosh l - 2. Each at most 2 ULP; NaN stays.
 */
export function logisticPass(e: usize, l: usize, count: i32): void {
  logisticLoop(0, e, l, count, false);
}

/** With e = 0 where half of it is no normal number; the same bits as `logisticPass` in the range of that. */
export function guardedLogisticPass(x: usize, e: usize, l: usize, count: i32): void {
  logisticLoop(x, e, l, count, true);
}

// @ts-ignore: decorator
@inline
function logisticLoop(x: usize, e: usize, l: usize, count: i32, far: bool): void {
  const one = v128.load32_splat(LOG_TABLE);
  const c0 = v128.load32_splat(LOG_TABLE + 4);
  const c1 = v128.load32_splat(LOG_TABLE + 8);
  const c2 = v128.load32_splat(LOG_TABLE + 12);
  const c3 = v128.load32_splat(LOG_TABLE + 16);
  const c4 = v128.load32_splat(LOG_TABLE + 20);
  const farthest = v128.load32_splat(LOG_TABLE + 28);
  const magnitude = v128.load32_splat(MAGNITUDE);
  for (let i = 0; i < count; i += 16) {
    if (far) cut(x, e, farthest, magnitude);
    const e0 = v128.load(e);
    const e1 = v128.load(e, 16);
    const e2 = v128.load(e, 32);
    const e3 = v128.load(e, 48);
    const s0 = f32x4.mul(e0, f32x4.div(one, f32x4.add(one, e0)));
    const s1 = f32x4.mul(e1, f32x4.div(one, f32x4.add(one, e1)));
    const s2 = f32x4.mul(e2, f32x4.div(one, f32x4.add(one, e2)));
    const s3 = f32x4.mul(e3, f32x4.div(one, f32x4.add(one, e3)));
    const y0 = far ? f32x4.mul(counted(e0), counted(s0)) : f32x4.mul(e0, s0);
    const y1 = far ? f32x4.mul(counted(e1), counted(s1)) : f32x4.mul(e1, s1);
    const y2 = far ? f32x4.mul(counted(e2), counted(s2)) : f32x4.mul(e2, s2);
    const y3 = far ? f32x4.mul(counted(e3), counted(s3)) : f32x4.mul(e3, s3);
    v128.store(e, s0);
    v128.store(e, s1, 16);
    v128.store(e, s2, 32);
    v128.store(e, s3, 48);
    let p0 = madd(c4, y0, c3);
    let p1 = madd(c4, y1, c3);
    let p2 = madd(c4, y2, c3);
    let p3 = madd(c4, y3, c3);
    p0 = madd(p0, y0, c2);
    p1 = madd(p1, y1, c2);
    p2 = madd(p2, y2, c2);
    p3 = madd(p3, y3, c2);
    p0 = madd(p0, y0, c1);
    p1 = madd(p1, y1, c1);
    p2 = madd(p2, y2, c1);
    p3 = madd(p3, y3, c1);
    p0 = madd(p0, y0, c0);
    p1 = madd(p1, y1, c0);
    p2 = madd(p2, y2, c0);
    p3 = madd(p3, y3, c0);
    v128.store(l, f32x4.mul(p0, f32x4.add(e0, s0)));
    v128.store(l, f32x4.mul(p1, f32x4.add(e1, s1)), 16);
    v128.store(l, f32x4.mul(p2, f32x4.add(e2, s2)), 32);
    v128.store(l, f32x4.mul(p3, f32x4.add(e3, s3)), 48);
    e += 64;
    l += 64;
    if (far) x += 64;
  }
}

/** Four vectors of e, 0 where |x| is farther. */
// @ts-ignore: decorator
@inline
function cut(x: usize, e: usize, farthest: v128, magnitude: v128): void {
  v128.store(e, v128.andnot(v128.load(e), f32x4.gt(v128.and(v128.load(x), magnitude), farthest)));
  v128.store(e, v128.andnot(v128.load(e, 16), f32x4.gt(v128.and(v128.load(x, 16), magnitude), farthest)), 16);
  v128.store(e, v128.andnot(v128.load(e, 32), f32x4.gt(v128.and(v128.load(x, 32), magnitude), farthest)), 32);
  v128.store(e, v128.andnot(v128.load(e, 48), f32x4.gt(v128.and(v128.load(x, 48), magnitude), farthest)), 48);
}

// @ts-ignore: decorator
@inline
function counted(e: v128): v128 {
  return f32x4.pmax(e, v128.load32_splat(LOG_TABLE + 24));
}

/** p = m^exponent for m in [0, 1] and exponent > 0, in place, through float64: relative error 1e-7. NaN stays. */
export function powerPass(m: usize, count: i32, exponent: f64): void {
  for (let i = 0; i < count; i += 4) {
    const x = v128.load(m);
    // Side by side: in a loop over two floats each would wait for its own chain, which takes 15 % longer.
    const low = powerOfTwo(f64x2.promote_low_f32x4(x), exponent);
    const high = powerOfTwo(f64x2.promote_low_f32x4(v128.shuffle<f64>(x, x, 1, 1)), exponent);
    const p = v128.shuffle<f64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
    // No denormal leaves: the products that follow would trap.
    const zero = v128.or(f32x4.le(x, f32x4.splat(0)), f32x4.lt(p, f32x4.splat(1.18e-38)));
    v128.store(m, f32x4.add(v128.andnot(p, zero), f32x4.mul(x, f32x4.splat(0))));
    m += 16;
  }
}

const POWER_TABLE = memory.data<f64>([
  // artanh(u) / u in u^2 by its series
  1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5, 1.0 / 3, 1,
  // e^r by its series
  1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5,
  6755399441055744, // 1.5 * 2^52: adding it turns an integer's bits into its value
  6755399441055744 + 1023,
  0.6931471805599453, // ln 2
  1.4426950408889634, // log2 e
  -700, // the power is 0 long before
]);

/** x^exponent on two lanes: exp(exponent ln x), both to about 1e-10. */
// @ts-ignore: decorator
@inline
export function powerOfTwo(x: v128, exponent: f64): v128 {
  const k = i64x2.shr_s(i64x2.sub(x, i64x2.splat(0x3fe6a09e667f3bcd)), 52);
  const mantissa = i64x2.sub(x, i64x2.shl(k, 52));
  const one = v128.load64_splat(POWER_TABLE + 48);
  const u = f64x2.div(f64x2.sub(mantissa, one), f64x2.add(mantissa, one));
  const z = f64x2.mul(u, u);
  let s = v128.load64_splat(POWER_TABLE);
  s = f64x2.add(f64x2.mul(s, z), v128.load64_splat(POWER_TABLE + 8));
  s = f64x2.add(f64x2.mul(s, z), v128.load64_splat(POWER_TABLE + 16));
  s = f64x2.add(f64x2.mul(s, z), v128.load64_splat(POWER_TABLE + 24));
  s = f64x2.add(f64x2.mul(s, z), v128.load64_splat(POWER_TABLE + 32));
  s = f64x2.add(f64x2.mul(s, z), v128.load64_splat(POWER_TABLE + 40));
  s = f64x2.add(f64x2.mul(s, z), one);
  const magic = v128.load64_splat(POWER_TABLE + 112);
  const kFloat = f64x2.sub(i64x2.add(k, magic), magic);
  const ln2 = v128.load64_splat(POWER_TABLE + 128);
  const ln = f64x2.add(f64x2.mul(kFloat, ln2), f64x2.mul(f64x2.add(u, u), s));
  return expOfTwo(f64x2.mul(ln, f64x2.splat(exponent)));
}

/** exp(y) on two lanes, for y up to 700, to about 1e-10. */
// @ts-ignore: decorator
@inline
export function expOfTwo(exponents: v128): v128 {
  const one = v128.load64_splat(POWER_TABLE + 48);
  const ln2 = v128.load64_splat(POWER_TABLE + 128);
  const y = f64x2.pmax(exponents, v128.load64_splat(POWER_TABLE + 144));
  const round = v128.load64_splat(POWER_TABLE + 120);
  const t = f64x2.add(f64x2.mul(y, v128.load64_splat(POWER_TABLE + 136)), round);
  const n = f64x2.sub(t, round);
  const r = f64x2.sub(y, f64x2.mul(n, ln2));
  let e = v128.load64_splat(POWER_TABLE + 56);
  e = f64x2.add(f64x2.mul(e, r), v128.load64_splat(POWER_TABLE + 64));
  e = f64x2.add(f64x2.mul(e, r), v128.load64_splat(POWER_TABLE + 72));
  e = f64x2.add(f64x2.mul(e, r), v128.load64_splat(POWER_TABLE + 80));
  e = f64x2.add(f64x2.mul(e, r), v128.load64_splat(POWER_TABLE + 88));
  e = f64x2.add(f64x2.mul(e, r), v128.load64_splat(POWER_TABLE + 96));
  e = f64x2.add(f64x2.mul(e, r), v128.load64_splat(POWER_TABLE + 104));
  e = f64x2.add(f64x2.mul(e, r), one);
  e = f64x2.add(f64x2.mul(e, r), one);
  return f64x2.mul(e, i64x2.shl(t, 52));
}
