/**
 * The mirrored pair of a logit and its target, in which nothing cancels; see assembly/losses/mirror.ts.
 *
 * A classification loss is a WGSL text with `target_of(y)`, and with `value(m)` and `gradient(m)` in the mirrored logit.
 */
export const mirror = /* wgsl */ `
struct Mirror {
  y: f32,      // the target as it came
  t: f32,      // the target of the mirrored logit: 1 - y where x >= 0
  small: f32,  // its sigmoid e / (1 + e), with e = exp(-|x|)
  big: f32,    // 1 - small
  ce: f32,     // its cross-entropy log1p(e) + t |x|; not infinite, so that 0 times it is 0
}

fn mirror(x: f32, y: f32) -> Mirror {
  let u = target_of(y);
  let t = select(1.0 - u, u, x < 0.0);
  let a = min(abs(x), 3.4e38);
  let e = exp_of_minus(a);
  let big = 1.0 / (1.0 + e);
  return Mirror(y, t, e * big, big, log1p_of(e) + t * a);
}

// |d|^exponent.
fn power(d: f32) -> f32 {
  if (SQUARED) { return d * d; }
  return power_of(abs(d), params.exponent, params.exponent_high, params.exponent_low);
}

// exponent m^(exponent - 1) for m >= 0, and 0 at m = 0.
fn power_slope(m: f32) -> f32 {
  if (SQUARED) { return m + m; }
  return select(params.exponent * power(m) / m, 0.0, m < 1.2e-38);
}

// Of |d|^exponent ce with d = small - t: sign(d) (|d|^(exponent + 1) + exponent |d|^(exponent - 1) sigmoid (1 - sigmoid) ce).
fn quality_gradient(m: Mirror) -> f32 {
  let d = m.small - m.t;
  let base = abs(d);
  return sign(d) * (power(base) * base + power_slope(base) * (m.small * m.big * m.ce));
}
`;
