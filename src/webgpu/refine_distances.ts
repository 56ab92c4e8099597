/** distance times delta, or times exp(delta). */
export const refineDistances = /* wgsl */ `
// d exp(x). The power of two comes in two halves behind the distance, so that no step is smaller than the result.
fn times_exp(d: f32, x: f32) -> f32 {
  let near = clamp(x, -104.0, 89.0);
  let k = round(near * 1.4426950408889634);
  let r = (near - k * 0.693359375) + k * 2.12194440e-4;
  let half = i32(k) / 2;
  let product = d * small_exp_of_minus(-r) * power_of_two(half) * power_of_two(i32(k) - half);
  return select(select(product, d * params.infinity, x > 88.72283), d * 0.0, x < -103.972084);
}

fn item(i: u32) -> f32 {
  let distance = distances_at(i);
  let delta = deltas_at(i);
  if (is_nan(distance) || is_nan(delta)) { return params.nan; }
  if (params.exponential == 1u) { return times_exp(distance, delta); }
  return distance * delta;
}
`;
