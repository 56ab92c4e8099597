/** The mean of 1 - exp(-d² / (8 σ² area)) over the visible keypoints of a row, and its slopes. */
export const oksLoss = /* wgsl */ `
const FAR: f32 = 80.0;

// d² / (8 σ² area), and the vector between the points; the rate is behind them.
fn apart(row: u32, k: u32, inverse: f32) -> vec4f {
  let points = params.columns / 2u;
  let at = row * points + k;
  let between = vec2f(pred_at(2u * at) - target_at(3u * at), pred_at(2u * at + 1u) - target_at(3u * at + 1u));
  let rate = table_at(k) * inverse;
  return vec4f(rate * dot(between, between), between, rate);
}

fn item(row: u32) -> f32 {
  let points = params.columns / 2u;
  let area = areas_at(row);
  let weight = weight_at(row);
  let inverse = select(1e30, 1.0 / area, area > 1e-30);
  var count = 0.0;
  var sum = 0.0;
  var nan = false;
  for (var k = 0u; k < points; k++) {
    let visibility = target_at(3u * (row * points + k) + 2u);
    if (visibility <= 0.0 && !is_nan(visibility)) { continue; }
    let found = apart(row, k, inverse);
    let e = min(found.x, FAR);
    nan = nan || is_nan(visibility) || is_nan(found.x);
    count += 1.0;
    sum += select(1.0 - exp_of_minus(e), small_decay(e), e < 0.34);
  }
  if (count > 0.0 && (is_nan(area) || !(area > 0.0))) { atomicMin(&outside, params.first_row + row); }
  if (GRADIENT) {
    let factor = params.factor * weight / max(count, 1.0);
    for (var k = 0u; k < points; k++) {
      let visibility = target_at(3u * (row * points + k) + 2u);
      let own_nan = is_nan(visibility);
      let hidden = visibility <= 0.0 && !own_nan;
      let found = apart(row, k, inverse);
      let far = is_infinite(found.x) || found.x >= FAR;
      let slope = 2.0 * found.w * exp_of_minus(min(found.x, FAR)) * found.yz * factor;
      let at = 2u * (row * points + k);
      let lost = hidden || (far && !is_nan(found.x) && !own_nan);
      let bad = own_nan || is_nan(found.x);
      store_grad(at, select(select(slope.x, params.nan, bad), 0.0, lost));
      store_grad(at + 1u, select(select(slope.y, params.nan, bad), 0.0, lost));
    }
  }
  return select(select(sum / count, params.nan, nan) * weight, 0.0, count == 0.0);
}
`;
