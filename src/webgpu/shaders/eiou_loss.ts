/** DIoU loss + (w - w')^2 / (cw^2 + eps) + (h - h')^2 / (ch^2 + eps), times IoU^gamma, which is constant for the gradient. */
export const eiouLoss = /* wgsl */ `
fn focal_weight(iou: f32) -> f32 {
  let g = params.gamma;
  let high = bitcast<f32>(bitcast<u32>(g) & 0xfffff000u);
  return select(power_of(iou, g, high, g - high), 1.0, g == 0.0);
}

fn cost(b: Pair) -> Cost {
  let square = b.cover * b.cover + b.eps_square;
  let share = b.change / square;
  let slope = -2.0 * share;
  // What the cover's growth leaves of the size's slope: cw - w is what the target has outside.
  let kept = (b.cover * (b.missed + b.target_size) + b.eps_square) / square;
  // A size of 0 has no slope; the cover has.
  let outer = slope * select(-b.cover * share, kept, b.size > vec2f(0.0));
  let slopes = add_slopes(add_distance(iou_slopes(b), b), where_over_0(b.size, slope), outer);
  let iou = iou_in(b);
  let focal = focal_weight(iou);
  let value = (1.0 - iou) + distance_of(b) + dot(b.change, share);
  let loss = with_inner(Cost(value, corner_gradient(b, slopes)), b, params.inner_ratio);
  return Cost(loss.value * focal, loss.gradient * focal);
}
`;
