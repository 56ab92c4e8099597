/** q > 0: q BCE(x, q), or BCE(x, q) where `scale` is 1; else alpha times the quality focal loss of target 0. */
export const varifocalLoss = /* wgsl */ `
fn target_of(y: f32) -> f32 { return y; }

fn value(m: Mirror) -> f32 {
  let negative = params.alpha * power(m.small - m.t);
  return select(negative, max(m.y, params.scale), m.y > 0.0) * m.ce;
}

fn gradient(m: Mirror) -> f32 {
  let positive = max(m.y, params.scale) * (m.small - m.t);
  return select(params.alpha * quality_gradient(m), positive, m.y > 0.0);
}
`;
