/** x - l, y - t, x + r, y + b, clamped to the image unless max_x is negative. */
export const distance2bbox = /* wgsl */ `
fn item(i: u32) -> f32 {
  let side = i % 4u;
  let axis = side % 2u;
  let point = points_at(i / 4u * 2u + axis);
  let distance = distances_at(i);
  let edge = point + select(distance, -distance, side < 2u);
  let limit = select(params.max_x, params.max_y, axis == 1u);
  let inside = select(edge, clamp(edge, 0.0, limit), params.max_x >= 0.0);
  return select(inside, params.nan, is_nan(point) || is_nan(distance) || is_nan(edge));
}
`;
