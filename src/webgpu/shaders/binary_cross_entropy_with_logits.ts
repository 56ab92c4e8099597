/** t softplus(-x) + (1 - t) softplus(x). */
export const binaryCrossEntropyWithLogits = /* wgsl */ `
fn target_of(y: f32) -> f32 { return y; }
fn rest_of(y: f32) -> f32 { return 1.0 - y; }
fn value(m: Mirror) -> f32 { return m.ce; }
fn gradient(m: Mirror) -> f32 { return m.small - m.t; }
`;
