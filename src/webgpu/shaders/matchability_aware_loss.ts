/**
 * Positives: BCE(x, q^gamma). Others: alpha sigmoid^gamma BCE(x, 0), the power a constant of the gradient. Positive is q > 0 and,
 * where `own_is_positive` is 1, a label's own element.
 */
export const matchabilityAwareLoss = /* wgsl */ `
// By the bits: a denormal number is over 0 too, and its power may be large.
fn is_over_0(y: f32) -> bool { return bitcast<i32>(y) > 0; }
fn target_of(y: f32) -> f32 { return select(0.0, power(max(y, 1.2e-38)), is_over_0(y)); }
fn rest_of(y: f32) -> f32 { return 1.0 - target_of(y); }

fn weight_of(m: Mirror) -> f32 {
  let positive = is_over_0(m.y) || (m.own && params.own_is_positive > 0.0);
  return select(params.alpha * power(m.small - m.t), 1.0, positive);
}

fn value(m: Mirror) -> f32 { return weight_of(m) * m.ce; }
fn gradient(m: Mirror) -> f32 { return weight_of(m) * (m.small - m.t); }
`;
