/**
 * Positives: q BCE(x, q), or BCE(x, q) where `scale` is 1. Others: alpha times the quality focal loss of target 0. Positive
 * is q > 0 and, where that is asked for, a label's own element.
 */
export const varifocalLoss = /* wgsl */ `
fn target_of(y: f32) -> f32 { return y; }
fn rest_of(y: f32) -> f32 { return 1.0 - y; }

fn is_positive(m: Mirror) -> bool { return m.y > 0.0 || (LABELLED && m.own); }

fn value(m: Mirror) -> f32 {
  let negative = params.alpha * power(m.small - m.t);
  return select(negative, max(m.y, params.scale), is_positive(m)) * m.ce;
}

fn gradient(m: Mirror) -> f32 {
  let positive = max(m.y, params.scale) * (m.small - m.t);
  return select(params.alpha * quality_gradient(m), positive, is_positive(m));
}
`;
