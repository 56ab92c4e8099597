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

// The lower of a label's bins, and the share of the upper one; outside of the bins it is no share.
struct Place { left: u32, share: f32 }

fn place_of(goal: f32) -> Place {
  let last = params.columns - 1u;
  if (!HAS_TABLE) {
    let label = (goal - params.first_bin) * params.inverse_step;
    let left = u32(clamp(label, 0.0, f32(last - 1u)));
    return Place(left, label - f32(left));
  }
  var left = 0u;
  for (var bin = 1u; bin < last; bin++) { left += select(0u, 1u, goal >= table_at(bin)); }
  // Halves: the gap of two finite numbers may be twice the largest.
  let low = 0.5 * table_at(left);
  return Place(left, (0.5 * goal - low) / (0.5 * table_at(left + 1u) - low));
}

fn item(row: u32) -> f32 {
  let bins = params.columns;
  let start = row * bins;
  let goal = target_at(row);
  let place = place_of(clamp(goal, -LARGEST, LARGEST));
  // The slack has no end where labels outside count as the ends.
  let strict = !is_infinite(params.slack);
  let wrong = is_nan(goal) || (strict && is_infinite(goal));
  if (strict && (wrong || place.share < -params.slack || place.share > 1.0 + params.slack)) {
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
  let left = place.left;
  let right = clamp(place.share, 0.0, 1.0);
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
