/** Standard deviation, entropy, highest probability and the last bin's; see assembly/boxes/dfl_statistics.ts. */
export const dflStatistics = /* wgsl */ `
fn item(i: u32) -> vec4f {
  let start = start_of(i);
  let peak = peak_of(start);
  var sum = 0.0;
  var weighted = 0.0;
  var surprise = 0.0;
  var last = 0.0;
  for (var bin = 0u; bin < params.bins; bin++) {
    let gap = gap_of(peak, start, bin);
    last = exp_of_minus(gap);
    sum += last;
    weighted += f32(bin) * last;
    surprise += gap * last;
  }
  let mean = weighted / sum;
  var spread = 0.0;
  for (var bin = 0u; bin < params.bins; bin++) {
    let distance = f32(bin) - mean;
    spread += distance * distance * exp_of_minus(gap_of(peak, start, bin));
  }
  let log2_sum = log2_of(sum);
  let entropy = 0.6931471805599453 * (log2_sum.x + log2_sum.y) + surprise / sum;
  let found = vec4f(sqrt(spread / sum), entropy, 1.0 / sum, last / sum);
  return select(found, vec4f(params.nan), peak.nan);
}
`;
