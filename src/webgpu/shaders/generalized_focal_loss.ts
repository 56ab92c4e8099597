/** `alpha` is yr. With u = (y - yl) / (yr - yl), (yr - yl)^(beta + 1) times the quality focal loss of u. */
export const generalizedFocalLoss = /* wgsl */ `
fn target_of(y: f32) -> f32 { return (y - params.y_left) * params.inverse_range; }
fn rest_of(y: f32) -> f32 { return (params.y_right - y) * params.inverse_range; }
fn value(m: Mirror) -> f32 { return params.range_power * (power(m.small - m.t) * m.ce); }
fn gradient(m: Mirror) -> f32 { return params.range_power * quality_gradient(m); }
`;
