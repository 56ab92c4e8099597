/** The nine points that VarifocalNet samples, x and y of each. */
export const starPoints = /* wgsl */ `
// Bit k is set where point k is on that edge of the box: left and top, right and bottom.
const LOW = vec2u(0x0a2u, 0x064u);
const HIGH = vec2u(0x148u, 0x190u);

fn item(i: u32) -> f32 {
  let row = i / 18u;
  let k = i % 18u / 2u;
  let axis = i % 2u;
  let low = (select(LOW.x, LOW.y, axis == 1u) >> k) & 1u;
  let high = (select(HIGH.x, HIGH.y, axis == 1u) >> k) & 1u;
  let point = points_at(2u * row + axis);
  let distance = distances_at(4u * row + axis + 2u * high);
  let edge = point + select(distance, -distance, low == 1u);
  let moves = (low | high) == 1u;
  return select(select(point, edge, moves), params.nan, is_nan(point) || (moves && is_nan(distance)));
}
`;
