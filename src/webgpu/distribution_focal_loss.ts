/**
 * -(w_i log S_i + w_{i+1} log S_{i+1}) of a row of bins, with S the softmax and w the label's shares of its two bins. The
 * terms other than the maximum are summed apart, so that a loss near 0 keeps its digits.
 */
export const distributionFocalLoss = /* wgsl */ `
// Infinite logits as far ones, whose gaps do not overflow.
const FAR = 1.7e38;
fn logit(i: u32) -> f32 { return clamp(pred_at(i), -FAR, FAR); }

// weight * (peak - x), 0 where either is; infinite for an infinite gap, which only a row with infinite logits has.
fn share(weight: f32, gap: f32, infinite: bool) -> f32 {
  let cost = weight * select(gap, params.infinity, infinite && gap > 0.5 * FAR);
  return select(cost, 0.0, weight == 0.0 || gap == 0.0);
}

// log(1 + rest) for a sum of terms of at most 1.
fn log_of_sum(rest: f32) -> f32 {
  let parts = log2_of(1.0 + rest);
  return select(0.6931471805599453 * (parts.x + parts.y), log1p_of(rest), rest <= 1.0);
}

// (1 - w) S - w (1 - S) for a term e of a sum 1 + rest.
fn pull(weight: f32, e: f32, rest: f32, inverse: f32) -> f32 {
  let others = select((1.0 - e) + rest, rest, e == 1.0);
  return ((1.0 - weight) * e - weight * others) * inverse;
}

fn item(row: u32) -> f32 {
  let bins = params.columns;
  let start = row * bins;
  let label = (target_at(row) - params.low) * params.inverse;
  var nan = is_nan(label);
  if (!nan && (label < -params.scale || label > f32(bins - 1u) + params.scale)) {
    atomicMin(&outside, params.first_row + row);
  }
  var infinite = false;
  var peak = -FAR;
  for (var k = 0u; k < bins; k++) {
    nan = nan || is_nan(pred_at(start + k));
    infinite = infinite || is_infinite(pred_at(start + k));
    peak = max(peak, logit(start + k));
  }
  var peaks = 0.0;
  var others = 0.0;
  for (var k = 0u; k < bins; k++) {
    let gap = peak - logit(start + k);
    peaks += select(0.0, 1.0, gap == 0.0);
    others += select(exp_of_minus(gap), 0.0, gap == 0.0);
  }
  let rest = others + (peaks - 1.0);
  let left = u32(clamp(label, 0.0, f32(bins - 2u)));
  let right = clamp(label - f32(left), 0.0, 1.0);
  let near = share(1.0 - right, peak - logit(start + left), infinite);
  let far = share(right, peak - logit(start + left + 1u), infinite);
  let weight = weight_at(row);
  if (GRADIENT) {
    let factor = select(params.grad_factor, params.nan, nan) * weight;
    let inverse = 1.0 / (1.0 + rest);
    for (var k = 0u; k < bins; k++) {
      let e = exp_of_minus(peak - logit(start + k));
      let own = select(select(0.0, right, k == left + 1u), 1.0 - right, k == left);
      store_grad(start + k, factor * pull(own, e, rest, inverse));
    }
  }
  return select(near + far + log_of_sum(rest), params.nan, nan) * weight;
}
`;
