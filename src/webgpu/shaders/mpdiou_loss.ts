/** 1 - IoU + (d1^2 + d2^2) / (H^2 + W^2 + eps), d1 and d2 the distances of the low and of the high corners. */
export const mpdiouLoss = /* wgsl */ `
fn cost(b: Pair) -> Cost {
  let apart = corner_distances(b, params.inverse);
  let far = largest_of(apart);
  let of_largest = apart / max(far, 1e-37);
  // What float32 does not hold counts as its largest number.
  let near = min(far, 9e18);
  let distances = select(near * near * dot(of_largest, of_largest), 3.4028234663852886e38, far > near);
  let around = apart * (2.0 * params.inverse);
  return Cost((1.0 - iou_in(b)) + distances, finite_box(around + corner_gradient(b, iou_slopes(b))));
}
`;
