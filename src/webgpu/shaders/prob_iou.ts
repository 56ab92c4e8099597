import { boxScale } from "./box_scale.ts";
import { turn } from "./turn.ts";

/**
 * 1 - sqrt(1 - exp(-q) / sqrt(1 + excess)): the sums of squares of assembly/boxes/rotated_pair.ts, on a scale on which the
 * longest side is between 1 and 2. Angles are subtracted as whole numbers.
 */
export const probIou = boxScale + turn + /* wgsl */ `
// w²y² + h²x² of the vector in a box's frame.
fn distance_in(apart: vec2f, turn: vec2f, size: vec2f) -> f32 {
  let place = vec2f(dot(apart, turn), apart.y * turn.x - apart.x * turn.y);
  let crossed = place * size.yx;
  return dot(crossed, crossed);
}

// 1 - exp(-x) for x from 0 on.
fn lost_by(x: f32) -> f32 {
  return select(1.0 - exp_of_minus(x), small_decay(x), x < 0.34);
}

fn item(i: u32) -> f32 {
  let j = 5u * (i / params.boxes);
  let k = 5u * (i % params.boxes);
  let a = vec4f(a_at(j), a_at(j + 1u), a_at(j + 2u), a_at(j + 3u));
  let b = vec4f(b_at(k), b_at(k + 1u), b_at(k + 2u), b_at(k + 3u));
  let angle_a = a_at(j + 4u);
  let angle_b = b_at(k + 4u);
  if (is_nan_box(a) || is_nan_box(b) || is_nan(angle_a) || is_nan(angle_b) || is_infinite(angle_a) || is_infinite(angle_b)) {
    return params.nan;
  }
  let p = finite_box(a);
  let q = finite_box(b);
  let sides = max(vec4f(p.zw, q.zw), vec4f(0.0));
  if (all(p.xy == q.xy) && all(sides.xy == sides.zw) && angle_a == angle_b) { return 1.0; }
  let longest = max(max(sides.x, sides.y), max(sides.z, sides.w));
  let factor = power_of_two(127 - clamp(i32(bitcast<u32>(longest) >> 23u), 1, 253));
  let scaled = sides * factor;
  let own = vec2f(scaled.x * scaled.y, scaled.z * scaled.w);
  let areas = own.x * own.y;
  if (!(areas > 0.0)) { return 0.0; }
  let units_a = units_of(angle_a);
  let units_b = units_of(angle_b);
  let turned = turn_of(units_b - units_a);
  let weights = turned * turned;
  let across = scaled.xy * scaled.wz;
  let along = scaled.xy * scaled.zw;
  let unlike = vec2f(across.x - across.y, along.x - along.y);
  let like = vec2f(dot(across, across), dot(along, along));
  let determinant = dot(own, own) + dot(weights, like);
  let excess = ((own.x - own.y) * (own.x - own.y) + dot(weights, unlike * unlike)) / (4.0 * areas);
  let apart = clamp((q.xy - p.xy) * factor, vec2f(-1e4), vec2f(1e4));
  let far = distance_in(apart, turn_of(units_a), scaled.xy) + distance_in(apart, turn_of(units_b), scaled.zw);
  let lost = lost_by(min(3.0 * far / determinant, 1e4));
  let unshaped = min(excess, 1e18);
  let root = sqrt(1.0 + unshaped);
  return max(1.0 - sqrt(lost + (1.0 - lost) * (unshaped / (root * (root + 1.0)))), 0.0);
}
`;
