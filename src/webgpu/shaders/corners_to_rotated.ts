import { quarterAngle } from "./quarter_angle.ts";

/** Centre, sizes and angle of the rectangle with these corners; see assembly/boxes/corners_to_rotated.ts. */
export const cornersToRotated = quarterAngle + /* wgsl */ `
// The least float32 that is not under -π/4, and the largest under 3π/4.
const LEAST = -0.7853981256484985;
const MOST = 2.356194257736206;

fn point_at(i: u32) -> vec2f { return vec2f(corners_at(2u * i), corners_at(2u * i + 1u)); }

fn length_of(v: vec2f) -> f32 {
  let longest = max(abs(v.x), abs(v.y));
  let shape = v / max(longest, 1.2e-38);
  return longest * sqrt(dot(shape, shape));
}

// The angle of the line along the vector, in [-π/4, 3π/4).
fn regular_angle(v: vec2f) -> f32 {
  let flips = v.x < -v.y || (v.x == -v.y && v.y > 0.0);
  let along = select(v, -v, flips);
  let angle = quarter_angle(abs(along.y), abs(along.x));
  if (abs(along.y) > abs(along.x)) { return select(angle, 3.141592653589793 - angle, along.x < 0.0); }
  return select(angle, -angle, along.y < 0.0);
}

fn item(i: u32) -> f32 {
  let first = 4u * (i / 5u);
  let member = i % 5u;
  for (var k = 0u; k < 8u; k++) {
    let value = corners_at(2u * first + k);
    if (is_nan(value) || is_infinite(value)) { return params.nan; }
  }
  let p0 = point_at(first);
  let p1 = point_at(first + 1u);
  let p2 = point_at(first + 2u);
  let p3 = point_at(first + 3u);
  if (member < 2u) {
    let centre = 0.25 * (p0 + p2) + 0.25 * (p1 + p3);
    return centre[member];
  }
  let v1 = (p0 - p3) + (p1 - p2);
  let v2 = (p0 - p1) + (p3 - p2);
  if (member == 2u) { return 0.5 * length_of(v1); }
  if (member == 3u) { return 0.5 * length_of(v2); }
  let mirrored = v1.x * v2.y < v1.y * v2.x;
  let angle = regular_angle(v1 + select(vec2f(v2.y, -v2.x), vec2f(-v2.y, v2.x), mirrored));
  return clamp(angle, LEAST, MOST);
}
`;
