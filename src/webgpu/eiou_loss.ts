/** DIoU loss + (w - w')^2 / (cw^2 + eps) + (h - h')^2 / (ch^2 + eps). */
export const eiouLoss = /* wgsl */ `
fn cost(b: Pair) -> Cost {
  let iou = area(b.overlap) / whole_of(b);
  let change = b.size - b.target_size;
  let slope = change / (b.cover * b.cover + b.eps);
  let size = where_over_0(b.size, iou_by_size(b, iou) + 2.0 * slope);
  let cover = distance_by_cover(b) - 2.0 * b.cover * (slope * slope);
  let gradient = corner_gradient(b, size, distance_by_offset(b), iou_by_overlap(b, iou), cover);
  return Cost((1.0 - iou) + distance_of(b) + dot(change, slope), gradient);
}
`;
