import { distribution } from "./distribution.ts";

/** Standard deviation, entropy, highest probability, the last bin's, and excess; see assembly/boxes/dfl_statistics.ts. */
export const dflStatistics = distribution + /* wgsl */ `
fn item(i: u32) -> array<f32, 5> {
  let start = start_of(i);
  let peak = peak_of(start);
  let expectation = expectation_of(peak, start);
  let spread = spread_of(peak, start, expectation);
  var surprise = 0.0;
  var last = 0.0;
  for (var bin = 0u; bin < params.bins; bin++) {
    let gap = gap_of(peak, start, bin);
    last = exp_of_minus(gap);
    surprise += gap * last;
  }
  let log2_sum = log2_of(expectation.sum);
  let entropy = 0.6931471805599453 * (log2_sum.x + log2_sum.y) + surprise / expectation.sum;
  if (peak.nan) { return array(params.nan, params.nan, params.nan, params.nan, params.nan); }
  return array(spread.deviation, entropy, 1.0 / expectation.sum, last / expectation.sum, spread.excess);
}
`;
