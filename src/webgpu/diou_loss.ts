/** 1 - IoU + rho^2 / (c^2 + eps), rho between the centres, c the enclosing diagonal. */
export const diouLoss = /* wgsl */ `
fn cost(b: Pair) -> Cost {
  let iou = area(b.overlap) / whole_of(b);
  let size = iou_by_size(b, iou);
  let gradient = corner_gradient(b, size, distance_by_offset(b), iou_by_overlap(b, iou), distance_by_cover(b));
  return Cost((1.0 - iou) + distance_of(b), gradient);
}
`;
