/** 1 - IoU, IoU = I / (U + eps). */
export const iouLoss = /* wgsl */ `
fn cost(b: Pair) -> Cost {
  let iou = area(b.overlap) / whole_of(b);
  let zero = vec2f(0.0);
  return Cost(1.0 - iou, corner_gradient(b, iou_by_size(b, iou), zero, iou_by_overlap(b, iou), zero));
}
`;
