/**
 * Positives: q BCE(x, q), or BCE(x, q) where `least_weight` is 1. Others: alpha times the quality focal loss of target 0.
 * With `slope` 0 its power is a constant of the gradient. Positive is q > 0 and, where `own_is_positive` is 1, a label's own element.
 */
export const varifocalLoss = /* wgsl */ `
fn target_of(y: f32) -> f32 { return y; }
fn rest_of(y: f32) -> f32 { return 1.0 - y; }

fn is_positive(m: Mirror) -> bool { return m.y > 0.0 || (m.own && params.own_is_positive > 0.0); }

fn value(m: Mirror) -> f32 {
  let negative = params.alpha * power(m.small - m.t);
  return select(negative, max(m.y, params.least_weight), is_positive(m)) * m.ce;
}

fn gradient(m: Mirror) -> f32 {
  let positive = max(m.y, params.least_weight) * (m.small - m.t);
  let base = abs(m.small - m.t);
  let through = select(0.0, sloped_cost(m, base), params.slope > 0.0);
  let negative = sign(m.small - m.t) * (power(base) * base + through);
  return select(params.alpha * negative, positive, is_positive(m));
}
`;
