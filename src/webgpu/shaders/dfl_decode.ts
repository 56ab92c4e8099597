import { distribution } from "./distribution.ts";

/** first + step times the expectation of the softmax. */
export const dflDecode = distribution + /* wgsl */ `
fn item(i: u32) -> f32 {
  let start = start_of(i);
  let peak = peak_of(start);
  return select(params.first + params.step * expectation_of(peak, start).mean, params.nan, peak.nan);
}
`;
