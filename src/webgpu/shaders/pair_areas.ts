/**
 * What the operations on pairs of boxes share: the areas of a box of `a` and one of `b`, in one unit of their own.
 */
import { boxScale } from "./box_scale.ts";

export const pairAreas = boxScale + /* wgsl */ `
struct Areas {
  inner: f32,
  whole: f32,  // of both together
  hull: f32,   // of the box around both
  nan: bool,
}

fn area(low: vec2f, high: vec2f) -> f32 {
  let size = max(high - low, vec2f(0.0));
  return size.x * size.y;
}

fn areas_of(row: u32, other: u32) -> Areas {
  let j = 4u * row;
  let k = 4u * other;
  let a = vec4f(a_at(j), a_at(j + 1u), a_at(j + 2u), a_at(j + 3u));
  let b = vec4f(b_at(k), b_at(k + 1u), b_at(k + 2u), b_at(k + 3u));
  let factor = powers_of_two(scale_of(a, b)).xyxy;
  let p = finite_box(a) * factor;
  let q = finite_box(b) * factor;
  let inner = area(max(p.xy, q.xy), min(p.zw, q.zw));
  // At least the overlap, whatever is rounded: no IoU is over 1.
  let whole = area(p.xy, p.zw) + (area(q.xy, q.zw) - inner);
  return Areas(inner, whole, area(min(p.xy, q.xy), max(p.zw, q.zw)), is_nan_box(a) || is_nan_box(b));
}

fn ratio(part: f32, whole: f32) -> f32 { return select(min(part / whole, 1.0), 0.0, whole == 0.0); }
`;
