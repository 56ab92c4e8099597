/** 1 - IoU, IoU = I / (U + eps). */
export const iouLoss = /* wgsl */ `
fn cost(b: Pair) -> Cost {
  return with_inner(Cost(1.0 - iou_in(b), corner_gradient(b, iou_slopes(b))), b, params.inner_ratio);
}
`;
