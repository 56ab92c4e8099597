import { softmax } from "./distribution.ts";

/**
 * -(w_i log S_i + w_{i+1} log S_{i+1}) of a row of bins, with S the softmax and w the label's shares of its two bins. The
 * terms other than the maximum are summed apart, so that a loss near 0 keeps its digits.
 */
export const distributionFocalLoss = softmax + /* wgsl */ `
fn bin_count() -> u32 { return params.columns; }
fn raw_logit(start: u32, bin: u32) -> f32 { return pred_at(start + bin); }

// weight * (peak - x), 0 where either is. The gap alone may overflow where the product does not.
fn share(weight: f32, peak: Peak, x: f32) -> f32 {
  let finite = select(2.0 * (weight * half_gap_of(peak, x)), 0.0, peak.level != 0);
  return select(select(finite, params.infinity, level_of(x) < peak.level), 0.0, weight == 0.0);
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
  let goal = target_at(row);
  let label = (goal - params.first_bin) * params.inverse_step;
  let wrong = is_nan(goal) || is_infinite(goal);
  if (wrong || label < -params.slack || label > f32(bins - 1u) + params.slack) {
    atomicMin(&outside, params.first_row + row);
  }
  let peak = peak_of(start);
  let nan = peak.nan || wrong;
  var peaks = 0.0;
  var others = 0.0;
  for (var k = 0u; k < bins; k++) {
    let gap = gap_of(peak, start, k);
    peaks += select(0.0, 1.0, gap == 0.0);
    others += select(exp_of_minus(gap), 0.0, gap == 0.0);
  }
  let rest = others + (peaks - 1.0);
  let left = u32(clamp(label, 0.0, f32(bins - 2u)));
  let right = clamp(label - f32(left), 0.0, 1.0);
  let near = share(1.0 - right, peak, pred_at(start + left));
  let far = share(right, peak, pred_at(start + left + 1u));
  let weight = weight_at(row);
  if (GRADIENT) {
    let factor = select(params.factor, params.nan, nan) * weight;
    let inverse = 1.0 / (1.0 + rest);
    for (var k = 0u; k < bins; k++) {
      let e = exp_of_minus(gap_of(peak, start, k));
      let own = select(select(0.0, right, k == left + 1u), 1.0 - right, k == left);
      store_grad(start + k, factor * pull(own, e, rest, inverse));
    }
  }
  return weighed(select(near + far + log_of_sum(rest), params.nan, nan), weight);
}
`;
