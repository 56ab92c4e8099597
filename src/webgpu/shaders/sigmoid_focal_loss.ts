/** alpha_t (1 - p_t)^gamma BCE(x, t); alpha_t is linear in the target: its lesser end, `low`, is at the target `alpha`. */
export const sigmoidFocalLoss = /* wgsl */ `
fn target_of(y: f32) -> f32 { return y; }
fn rest_of(y: f32) -> f32 { return 1.0 - y; }

fn base(m: Mirror) -> f32 { return m.small + m.t * (m.big - m.small); }  // 1 - p_t
fn class_weight(m: Mirror) -> f32 { return params.low_weight + params.weight_slope * (params.low_target - m.y); }

fn value(m: Mirror) -> f32 { return class_weight(m) * (power(base(m)) * m.ce); }

fn gradient(m: Mirror) -> f32 {
  let b = base(m);
  // 1 - 2 t is the slope of the base over small * big.
  let through = (1.0 - 2.0 * m.t) * sloped_cost(m, b);
  return class_weight(m) * (power(b) * (m.small - m.t) + through);
}
`;
