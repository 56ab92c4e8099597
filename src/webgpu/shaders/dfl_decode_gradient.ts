import { binValues, distribution } from "./distribution.ts";

/** The side's gradient times S (W - mean), S the softmax at the logit and W the value of its bin. */
export const dflDecodeGradient = distribution + binValues + /* wgsl */ `
fn item(i: u32) -> f32 {
  let row = i / params.anchors;
  let bin = row % params.bins;
  let image = row / (4u * params.bins);
  let anchor = i % params.anchors;
  let side = 4u * (image * params.anchors + anchor) + row / params.bins % 4u;
  let start = start_of(side);
  let peak = peak_of(start);
  let slope = grad_at(side);
  if (peak.nan || is_nan(slope)) { return params.nan; }
  let mean = mean_of(peak, start);
  let share = exp_of_minus(gap_of(peak, start, bin)) / mean.sum;
  return slope * (share * ((values_at(bin) - mean.origin) - mean.offset));
}
`;
