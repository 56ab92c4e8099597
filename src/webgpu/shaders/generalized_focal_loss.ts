/** `alpha` is yr. With u = (y - yl) / (yr - yl), (yr - yl)^(beta + 1) times the quality focal loss of u. */
export const generalizedFocalLoss = /* wgsl */ `
fn target_of(y: f32) -> f32 { return (y - params.low) * params.inverse; }
fn rest_of(y: f32) -> f32 { return (params.alpha - y) * params.inverse; }
fn value(m: Mirror) -> f32 { return params.scale * (power(m.small - m.t) * m.ce); }
fn gradient(m: Mirror) -> f32 { return params.scale * quality_gradient(m); }
`;
