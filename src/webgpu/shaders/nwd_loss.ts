/** 1 - exp(-d / c), d^2 half the sum of the squared distances of both corners. */
export const nwdLoss = /* wgsl */ `
// 1 - exp(-x) with all its digits however small x is.
fn gone_by(x: f32) -> f32 { return select(1.0 - exp_of_minus(x), small_decay(x), x < 0.34); }

fn cost(b: Pair) -> Cost {
  let apart = corner_distances(b, params.rate);
  let far = largest_of(apart);
  let of_largest = apart / max(far, 1e-37);
  let length = sqrt(0.5 * dot(of_largest, of_largest));
  let power = min(far, 1e30) * length;
  let steep = exp_of_minus(power) * params.rate;
  // No direction is that of equal boxes.
  let slope = select(0.5 * steep / length, 0.0, length == 0.0);
  return Cost(gone_by(power), finite_box(of_largest * slope));
}
`;
