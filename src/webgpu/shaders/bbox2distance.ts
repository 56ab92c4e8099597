/** x - x1, y - y1, x2 - x, y2 - y, clamped to the limit unless that is negative. */
export const bbox2distance = /* wgsl */ `
fn item(i: u32) -> f32 {
  let side = i % 4u;
  let point = points_at(i / 4u * 2u + side % 2u);
  let edge = boxes_at(i);
  let distance = select(edge - point, point - edge, side < 2u);
  let near = select(distance, clamp(distance, 0.0, params.limit), params.limit >= 0.0);
  return select(near, params.nan, is_nan(point) || is_nan(edge) || is_nan(distance));
}
`;
