/** first + step times the expectation of the softmax. */
export const dflDecode = /* wgsl */ `
fn item(i: u32) -> f32 {
  let start = start_of(i);
  let peak = peak_of(start);
  var sum = 0.0;
  var weighted = 0.0;
  for (var bin = 0u; bin < params.bins; bin++) {
    let e = exp_of_minus(gap_of(peak, start, bin));
    sum += e;
    weighted += f32(bin) * e;
  }
  return select(params.first + params.step * (weighted / sum), params.nan, peak.nan);
}
`;
