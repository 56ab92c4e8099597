/**
 * What the GFL criterion does around its losses, positive by positive: the box that the distributions make, its quality and
 * its weight; and the way of the gradients back to the distributions.
 */

/** Item i: the box of positive i, the highest probability of its classes, and the IoU with its object. */
export const gflCriterion = /* wgsl */ `
@group(0) @binding(1) var<storage, read> positives: array<Positive>;
@group(0) @binding(2) var<storage, read> cls: array<f32>;   // (P, classes)
@group(0) @binding(3) var<storage, read> dist: array<f32>;  // (P, 4, bins)
@group(0) @binding(4) var<storage, read_write> pred: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> confidences: array<f32>;
@group(0) @binding(6) var<storage, read_write> side_weights: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> scores: array<f32>;  // of all anchors

fn dist_at(k: u32) -> f32 { return dist[k]; }

fn expected_side(i: u32) -> f32 {
  let start = start_of(i);
  let peak = peak_of(start);
  return select(expectation_of(peak, start).mean, params.nan, peak.nan);
}

fn confidence_of(i: u32) -> f32 {
  var top = cls[i * params.classes];
  var nan = is_nan(top);
  for (var k = 1u; k < params.classes; k++) {
    let x = cls[i * params.classes + k];
    top = max(top, x);
    nan = nan || is_nan(x);
  }
  let e = exp_of_minus(abs(top));
  return select(select(1.0, e, top < 0.0) / (1.0 + e), params.nan, nan);
}

fn item(i: u32) {
  let positive = positives[i];
  let sides = vec4f(expected_side(4u * i), expected_side(4u * i + 1u), expected_side(4u * i + 2u), expected_side(4u * i + 3u));
  let own = vec4f(-sides.xy, sides.zw) * positive.stride;
  let confidence = confidence_of(i);
  pred[i] = own;
  confidences[i] = confidence;
  side_weights[i] = vec4f(confidence);
  scores[positive.row] = iou_of(own, positive.box);
}
`;

/** Item i: side i of the positives, whose gradient takes what comes through its box, S_b (b - E) times the slope. */
export const gflSlopes = /* wgsl */ `
@group(0) @binding(1) var<storage, read> positives: array<Positive>;
@group(0) @binding(2) var<storage, read> dist: array<f32>;      // (P, 4, bins)
@group(0) @binding(3) var<storage, read> box_grad: array<f32>;  // (P, 4), to the corners
@group(0) @binding(4) var<storage, read> total: array<f32>;
@group(0) @binding(5) var<storage, read_write> grad: array<f32>;  // of DFL, becomes that of both

fn dist_at(k: u32) -> f32 { return dist[k]; }

fn item(i: u32) {
  let start = start_of(i);
  let peak = peak_of(start);
  let expectation = expectation_of(peak, start);
  let divisor = divisor_of(total[0]);
  let outwards = select(1.0, -1.0, i % 4u < 2u);
  let slope = outwards * box_grad[i] * positives[i / 4u].stride * params.box_factor / divisor;
  for (var bin = 0u; bin < params.bins; bin++) {
    let share = exp_of_minus(gap_of(peak, start, bin)) / expectation.sum;
    let through = slope * share * (f32(bin) - expectation.mean);
    let at = start + bin;
    grad[at] = grad[at] * (params.dfl_factor / divisor) + select(through, params.nan, peak.nan);
  }
}
`;
