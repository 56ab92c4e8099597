/** distance times delta, or times exp(delta). */
export const refineDistances = /* wgsl */ `
// d 2^k for -252 <= k <= 254.
fn times_power(d: f32, k: i32) -> f32 {
  let half = k >> 1u;
  return d * power_of_two(half) * power_of_two(k - half);
}

// d exp(x). The power of two comes in halves of halves, the lower before the mantissa: no step leaves float32 unless the
// product does.
fn times_exp(d: f32, x: f32) -> f32 {
  // From the least number to the largest it is e^192.
  let near = clamp(x, -200.0, 200.0);
  let k = round(near * 1.4426950408889634);
  let r = (near - k * 0.693359375) + k * 2.12194440e-4;
  let lower = i32(k) >> 1u;
  let product = times_power(times_power(d, lower) * small_exp_of_minus(-r), i32(k) - lower);
  return select(product, d * select(0.0, params.infinity, x > 0.0), is_infinite(x));
}

fn item(i: u32) -> f32 {
  let distance = distances_at(i);
  let delta = deltas_at(i);
  if (is_nan(distance) || is_nan(delta)) { return params.nan; }
  if (params.exponential == 1u) { return times_exp(distance, delta); }
  return distance * delta;
}
`;
