import { binValues, distribution } from "./distribution.ts";

/** first + step times the expectation of the softmax, or that over uneven bins. */
export const dflDecode = distribution + binValues + /* wgsl */ `
fn item(i: u32) -> f32 {
  let start = start_of(i);
  let peak = peak_of(start);
  if (peak.nan) { return params.nan; }
  if (params.uneven == 1u) {
    let mean = mean_of(peak, start);
    return mean.origin + mean.offset;
  }
  return params.first + params.step * expectation_of(peak, start).mean;
}
`;
