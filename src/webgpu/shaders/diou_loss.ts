/** 1 - IoU + rho^2 / (c^2 + eps), rho between the centres, c the enclosing diagonal. */
export const diouLoss = /* wgsl */ `
fn cost(b: Pair) -> Cost {
  let loss = Cost((1.0 - iou_in(b)) + distance_of(b), corner_gradient(b, add_distance(iou_slopes(b), b)));
  return with_inner(loss, b, params.inner_ratio);
}
`;
