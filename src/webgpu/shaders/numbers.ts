/**
 * WGSL promises no digits of exp, log and pow, and allows a compiler to take NaN and infinity for absent. So the functions
 * are ours, and NaN and infinity are recognized by their bits; `params.infinity` and `params.nan` hold those.
 */

/** exp(-a), log1p and m^p, to a few ULP each. */
export const numbers = /* wgsl */ `
fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn is_infinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }

// 1 - exp(-r) for |r| <= ln 2 / 2: the polynomial of assembly/losses/passes.ts.
fn small_decay(r: f32) -> f32 {
  var q = 0.001381453987772694 * r - 0.008368745127113008;
  q = q * r + 0.04166839078969793;
  q = q * r - 0.16666520398846657;
  q = q * r + 0.49999993432098916;
  return r - r * r * q;
}
fn small_exp_of_minus(r: f32) -> f32 { return 1.0 - small_decay(r); }

// 2^n for -126 <= n <= 127, and 0 for n = -127.
fn power_of_two(n: i32) -> f32 { return bitcast<f32>(u32(n + 127) << 23u); }

// round(x) for |x| < 2^22, above these bits: a sum rounds in one step what round() takes twenty for without hardware.
const ROUNDED_0 = 0x4b400000;
fn rounded_bits(x: f32) -> i32 { return bitcast<i32>(x + 12582912.0); }
fn rounded_halvings(a: f32) -> i32 { return rounded_bits(a * 1.4426950408889634); }

// exp(-a) for 0 <= a <= 88 of its rounded_halvings, and 0 from 127 of them on.
fn exp_by_halvings(a: f32, rounded: i32) -> f32 {
  let k = rounded - ROUNDED_0;
  let halvings = f32(k);
  let r = (a - halvings * 0.693359375) + halvings * 2.12194440e-4;
  return small_exp_of_minus(r) * power_of_two(-k);
}

// exp(-a) for a >= 0, and 0 from 87.7 on. As whole numbers, because a minimum of floats looks for NaN.
fn exp_of_minus(a: f32) -> f32 {
  let x = bitcast<f32>(min(bitcast<i32>(a), 0x42b00000));
  return exp_by_halvings(x, rounded_halvings(x));
}

// log1p(e) for 0 <= e <= 1: the polynomial of assembly/losses/passes.ts.
fn log1p_of(e: f32) -> f32 {
  let u = e / (2.0 + e);
  let z = u * u;
  var p = 0.2801198637942943 * z + 0.2800180537608591;
  p = p * z + 0.4002152724324359;
  p = p * z + 0.6666641628582458;
  return e - u * (e - p * z);
}

// log2(x) as a whole number and the rest, for normal x > 0; |rest| <= 1/2.
fn log2_of(x: f32) -> vec2f {
  let shifted = bitcast<i32>(x) - 0x3f3504f3;
  let fraction = bitcast<f32>((shifted & 0x7fffff) + 0x3f3504f3) - 1.0;
  let u = fraction / (fraction + 2.0);
  let z = u * u;
  let series = 1.0 + z * (0.333333333 + z * (0.2 + z * (0.142857143 + z * (0.111111111 + z * 0.0909090909))));
  return vec2f(f32(shifted >> 23u), 2.885390081777927 * u * series);
}

// m^p for m >= 0, where 'high' has the leading 12 bits of p and 'low' the rest: whole powers of two stay exact.
fn power_of(m: f32, p: f32, high: f32, low: f32) -> f32 {
  let log2m = log2_of(m);
  let coarse = high * log2m.x;
  let fine = low * log2m.x + p * log2m.y;
  let log2 = coarse + fine;
  let n = rounded_bits(select(-127.0, log2, log2 > -127.0)) - ROUNDED_0;
  let r = (coarse - f32(n)) + fine;
  let result = select(small_exp_of_minus(-r * 0.6931471805599453) * power_of_two(min(n, 127)), 0.0, n < -126);
  return select(result, select(0.0, 1.0, p == 0.0), m < 1.2e-38);
}
`;
