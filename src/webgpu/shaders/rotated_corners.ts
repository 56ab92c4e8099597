import { turn } from "./turn.ts";

/** A coordinate of a corner: the centre, and half of each side along its direction. */
export const rotatedCorners = turn + /* wgsl */ `
fn item(i: u32) -> f32 {
  let box = 5u * (i / 8u);
  let corner = i % 8u / 2u;
  let axis = i % 2u;
  var finite = true;
  for (var k = 0u; k < 5u; k++) {
    let value = boxes_at(box + k);
    finite = finite && !is_nan(value) && !is_infinite(value);
  }
  if (!finite) { return params.nan; }
  let half_sides = 0.5 * vec2f(boxes_at(box + 2u), boxes_at(box + 3u));
  let signs = vec2f(select(1.0, -1.0, corner >= 2u), select(1.0, -1.0, corner == 1u || corner == 2u));
  let angle = turn_of(units_of(boxes_at(box + 4u)));
  let parts = signs * half_sides * select(vec2f(angle.x, -angle.y), vec2f(angle.y, angle.x), axis == 1u);
  return boxes_at(box + axis) + (parts.x + parts.y);
}
`;
