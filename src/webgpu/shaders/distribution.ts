/**
 * What the operations on distributions share: the softmax over the bins of a value, its moments, and where the bins lie.
 */

/** Needs `raw_logit(start, bin)`, the logit of a bin of the value whose bins begin at `start`, and `bin_count()`. */
export const softmax = /* wgsl */ `
const LARGEST = 0x1.fffffep+127f;

// Infinite logits are over or under all finite ones: 1 or -1, and those are 0.
fn level_of(x: f32) -> i32 {
  return select(0, select(1, -1, bitcast<u32>(x) > 0x80000000u), is_infinite(x));
}

// The largest logit of a value. Where it is infinite only its level counts.
struct Peak { logit: f32, level: i32, nan: bool }

fn peak_of(start: u32) -> Peak {
  var peak = Peak(-LARGEST, -1, false);
  for (var bin = 0u; bin < bin_count(); bin++) {
    let x = raw_logit(start, bin);
    peak.logit = max(peak.logit, clamp(x, -LARGEST, LARGEST));
    peak.level = max(peak.level, level_of(x));
    peak.nan = peak.nan || is_nan(x);
  }
  return peak;
}

// Half of how far a finite logit is under a finite peak: of halves, because the gap itself may overflow.
fn half_gap_of(peak: Peak, x: f32) -> f32 { return 0.5 * peak.logit - 0.5 * x; }

// How far a bin is under the peak, at most 100. Infinite logits have their limit: shares of the largest.
fn gap_of(peak: Peak, start: u32, bin: u32) -> f32 {
  let x = raw_logit(start, bin);
  let finite = select(2.0 * min(half_gap_of(peak, x), 50.0), 0.0, peak.level != 0);
  return select(finite, 100.0, level_of(x) < peak.level);
}
`;

/** Needs `softmax`. */
export const moments = /* wgsl */ `
// The mean bin, and what the bins' terms are divided by; the peak's term is 1.
struct Expectation { mean: f32, sum: f32 }

fn expectation_of(peak: Peak, start: u32) -> Expectation {
  var sum = 0.0;
  var weighted = 0.0;
  for (var bin = 0u; bin < bin_count(); bin++) {
    let e = exp_of_minus(gap_of(peak, start, bin));
    sum += e;
    weighted += f32(bin) * e;
  }
  return Expectation(weighted / sum, sum);
}

// Standard deviation, and what it has beyond that of the same mean on two bins: see assembly/boxes/dfl_statistics.ts.
struct Spread { deviation: f32, excess: f32 }

fn spread_of(peak: Peak, start: u32, expectation: Expectation) -> Spread {
  let near = round(expectation.mean);
  var above = 0.0;
  var below = 0.0;
  for (var bin = 0u; bin < bin_count(); bin++) {
    let d = f32(bin) - near;
    let e = exp_of_minus(gap_of(peak, start, bin));
    above += e * (d * (d - 1.0));
    below += e * (d * (d + 1.0));
  }
  let square = 0.5 * (below + above) / expectation.sum;
  let offset = 0.5 * (below - above) / expectation.sum;
  return Spread(sqrt(max(square - offset * offset, 0.0)), sqrt(min(above, below) / expectation.sum));
}
`;

/** Needs `softmax`, and the values of the bins as `values_at`. */
export const binValues = /* wgsl */ `
// The mean value as that of the bin next to it and an offset, which keeps the digits of a certain distribution.
struct Mean { origin: f32, offset: f32, sum: f32 }

fn mean_of(peak: Peak, start: u32) -> Mean {
  var sum = 0.0;
  var weighted = 0.0;
  for (var bin = 0u; bin < bin_count(); bin++) {
    let e = exp_of_minus(gap_of(peak, start, bin));
    sum += e;
    weighted += e * values_at(bin);
  }
  let mean = weighted / sum;
  var origin = values_at(0u);
  for (var bin = 1u; bin < bin_count(); bin++) {
    let value = values_at(bin);
    origin = select(origin, value, abs(value - mean) < abs(origin - mean));
  }
  var offset = 0.0;
  for (var bin = 0u; bin < bin_count(); bin++) {
    offset += exp_of_minus(gap_of(peak, start, bin)) * (values_at(bin) - origin);
  }
  return Mean(origin, offset / sum, sum);
}
`;

/** The distributions of a tensor `dist`. */
export const distribution = softmax + moments + /* wgsl */ `
// The first bin of value i, (image, anchor, side) in dist (image, side, bin, anchor). Rows are images of one anchor.
fn start_of(i: u32) -> u32 {
  let image = i / 4u / params.anchors;
  let anchor = i / 4u - image * params.anchors;
  return (4u * image + i % 4u) * params.bins * params.anchors + anchor;
}

fn bin_count() -> u32 { return params.bins; }
fn raw_logit(start: u32, bin: u32) -> f32 { return dist_at(start + bin * params.anchors); }
`;
