/**
 * The mirrored pair of a logit and its target, in which nothing cancels but small - t; see assembly/losses/mirror.ts.
 *
 * A classification loss is a WGSL text with `target_of(y)` and `rest_of(y)`, which is 1 less the target, and with `value(m)`
 * and `gradient(m)` in the mirrored logit.
 */
export const mirror = /* wgsl */ `
struct Mirror {
  y: f32,      // the target as it came
  own: bool,   // is it that of the row's label?
  t: f32,      // the target of the mirrored logit: 1 - y where x > 0
  small: f32,  // its sigmoid e / (1 + e), with e = exp(-|x|)
  big: f32,    // 1 - small
  ce: f32,     // its cross-entropy log1p(e) + t |x|; not infinite, so that 0 times it is 0
}

fn mirror(x: f32, y: f32, own: bool) -> Mirror {
  let a = min(abs(x), 3.4e38);
  return mirror_of(x, y, own, a, exp_of_minus(a));
}

fn mirror_of(x: f32, y: f32, own: bool, a: f32, e: f32) -> Mirror {
  let t = select(rest_of(y), target_of(y), x <= 0.0);
  let big = 1.0 / (1.0 + e);
  return Mirror(y, own, t, e * big, big, log1p_of(e) + t * a);
}

// Bits of all logits and targets so far: the logits' as rounded_halvings has them.
struct Seen { logits: i32, targets: i32 }

// Whether all were near: |x| under 88, and 0 <= y < 2. NaN and infinity are not, nor is -0.
fn all_near(seen: Seen) -> bool { return ((seen.logits & ~0x4b40007f) | (seen.targets & ~0x3fffffff)) == 0; }

// The mirrored pair of a near logit and a near target.
fn near_mirror(x: f32, y: f32, own: bool, seen: ptr<function, Seen>) -> Mirror {
  let a = abs(x);
  let rounded = rounded_halvings(a);
  (*seen).logits |= rounded;
  (*seen).targets |= bitcast<i32>(y);
  return mirror_of(x, y, own, a, exp_by_halvings(a, rounded));
}

// |d|^exponent.
fn power(d: f32) -> f32 {
  if (SQUARED) { return d * d; }
  return power_of(abs(d), params.exponent, params.exponent_high, params.exponent_low);
}

// exponent base^(exponent - 1) small big ce for base >= 0, and 0 at base = 0.
fn sloped_cost(m: Mirror, base: f32) -> f32 {
  if (SQUARED) { return (base + base) * (m.small * m.big * m.ce); }
  // small * ce is no normal number long before the power times it is.
  let share = select(m.small / base, 0.0, base < 1.2e-38);
  return params.exponent * power(base) * share * (m.big * m.ce);
}

// Of |d|^exponent ce with d = small - t: sign(d) (|d|^(exponent + 1) + exponent |d|^(exponent - 1) sigmoid (1 - sigmoid) ce).
fn quality_gradient(m: Mirror) -> f32 {
  let d = m.small - m.t;
  let base = abs(d);
  return sign(d) * (power(base) * base + sloped_cost(m, base));
}
`;
