/** |y - sigmoid|^beta BCE(x, y). */
export const qualityFocalLoss = /* wgsl */ `
fn target_of(y: f32) -> f32 { return y; }
fn rest_of(y: f32) -> f32 { return 1.0 - y; }
fn value(m: Mirror) -> f32 { return power(m.small - m.t) * m.ce; }
fn gradient(m: Mirror) -> f32 { return quality_gradient(m); }
`;
