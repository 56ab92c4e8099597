/** 1 - IoU + (C - U) / (C + eps), C the enclosing area. */
export const giouLoss = /* wgsl */ `
// Slopes of (C - U) / (C + eps), without what C and U have in common.
fn add_empty_share(s: Slopes, b: Pair) -> Slopes {
  let enclosing = area(b.cover) + b.eps;
  let cover = b.cover.yx;
  let side = where_over_0(b.size, b.size.yx);
  let meeting = meets(b);
  let beside = select(side, b.outside.yx, meeting);
  let target_beside = select(b.target_size.yx, b.missed.yx, meeting);
  let change = select(select(-b.target_size.yx, b.change.yx, b.size > vec2f(0.0)), b.change.yx, meeting);
  let grown = beside * b.missed - b.target_size * target_beside;
  let other_missed = select(cover, b.missed.yx, side > vec2f(0.0));
  let outer = ((cover / enclosing) * grown - (b.eps / enclosing) * other_missed) / enclosing;
  // Of an equal edge: their mean, without what they have in common.
  let span = (b.cover - b.target_size) + b.missed;
  let left = select(side - other_missed, change, meeting);
  let equal = ((cover / enclosing) * (b.target_size * change + beside * span) + (b.eps / enclosing) * left) / enclosing;
  return Slopes(
    s.inner + beside / enclosing,
    s.outer + where_over_0(b.cover, outer),
    s.equal + 0.5 * where_over_0(b.cover, equal),
    s.centre,
  );
}

fn cost(b: Pair) -> Cost {
  // (C - U) / (C + eps) as 1 - (U + eps) / (C + eps): 0 where one box holds the other.
  let filled = whole_of(b) / (area(b.cover) + b.eps);
  let value = (1.0 - iou_in(b)) + (1.0 - filled);
  return with_inner(Cost(value, corner_gradient(b, add_empty_share(iou_slopes(b), b))), b, params.inner_ratio);
}
`;
