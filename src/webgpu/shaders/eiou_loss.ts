/** DIoU loss + (w - w')^2 / (cw^2 + eps) + (h - h')^2 / (ch^2 + eps). */
export const eiouLoss = /* wgsl */ `
fn cost(b: Pair) -> Cost {
  let square = b.cover * b.cover + b.eps_square;
  let share = b.change / square;
  let slope = -2.0 * share;
  // What the cover's growth leaves of the size's slope: cw - w is what the target has outside.
  let kept = (b.cover * (b.missed + b.target_size) + b.eps_square) / square;
  // A size of 0 has no slope; the cover has.
  let outer = slope * select(-b.cover * share, kept, b.size > vec2f(0.0));
  let slopes = add_slopes(add_distance(iou_slopes(b), b), where_over_0(b.size, slope), outer);
  return Cost((1.0 - iou_in(b)) + distance_of(b) + dot(b.change, share), corner_gradient(b, slopes));
}
`;
