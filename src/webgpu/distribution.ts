/**
 * What the operations on distributions share: where the bins of a value lie, and the softmax over them.
 */
export const distribution = /* wgsl */ `
// The first bin of value i, (image, anchor, side) in dist (image, side, bin, anchor). Rows are images of one anchor.
fn start_of(i: u32) -> u32 {
  let image = i / 4u / params.anchors;
  let anchor = i / 4u - image * params.anchors;
  return (4u * image + i % 4u) * params.bins * params.anchors + anchor;
}

fn raw_logit(start: u32, bin: u32) -> f32 { return dist_at(start + bin * params.anchors); }

// Infinite logits have their limit: shares of the largest.
fn logit(start: u32, bin: u32) -> f32 { return clamp(raw_logit(start, bin), -3.4e38, 3.4e38); }

struct Peak { logit: f32, nan: bool }

fn peak_of(start: u32) -> Peak {
  var peak = Peak(-3.4e38, false);
  for (var bin = 0u; bin < params.bins; bin++) {
    peak.logit = max(peak.logit, logit(start, bin));
    peak.nan = peak.nan || is_nan(raw_logit(start, bin));
  }
  return peak;
}

// How far a bin is under the peak, at most 100; the difference of halves does not overflow.
fn gap_of(peak: Peak, start: u32, bin: u32) -> f32 {
  return 2.0 * min(0.5 * peak.logit - 0.5 * logit(start, bin), 50.0);
}

// The mean bin, and what the bins' terms are divided by; the peak's term is 1.
struct Expectation { mean: f32, sum: f32 }

fn expectation_of(peak: Peak, start: u32) -> Expectation {
  var sum = 0.0;
  var weighted = 0.0;
  for (var bin = 0u; bin < params.bins; bin++) {
    let e = exp_of_minus(gap_of(peak, start, bin));
    sum += e;
    weighted += f32(bin) * e;
  }
  return Expectation(weighted / sum, sum);
}
`;
