/** 1 - IoU + (C - U) / (C + eps), C the enclosing area. */
export const giouLoss = /* wgsl */ `
fn cost(b: Pair) -> Cost {
  let whole = whole_of(b);
  let iou = area(b.overlap) / whole;
  let enclosing = area(b.cover) + b.eps;
  // (C - U) / (C + eps) as 1 - (U + eps) / (C + eps): 0 where one box holds the other.
  let filled = whole / enclosing;
  let through = select(0.0, 1.0 / whole + (iou / whole - 1.0 / enclosing), area(b.overlap) > 0.0);
  // The part of the size that C - U has goes with the edges: on the outer ones it and the cover's all but cancel.
  let side = where_over_0(b.size, b.size.yx);
  let within = -(b.overlap.yx * through + side / enclosing);
  let around = where_over_0(b.cover, (b.cover.yx * filled - side) / enclosing);
  let value = (1.0 - iou) + (1.0 - filled);
  return Cost(value, corner_gradient(b, iou_by_size(b, iou), vec2f(0.0), within, around));
}
`;
