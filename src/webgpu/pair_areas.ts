/**
 * What the pairwise operations share: the areas of pair i, row by row of `a`.
 */
export const pairAreas = /* wgsl */ `
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

fn has_nan(v: vec4f) -> bool { return is_nan(v.x) || is_nan(v.y) || is_nan(v.z) || is_nan(v.w); }

fn areas_of(i: u32) -> Areas {
  let j = 4u * (i / params.boxes);
  let k = 4u * (i % params.boxes);
  let p = vec4f(a_at(j), a_at(j + 1u), a_at(j + 2u), a_at(j + 3u));
  let q = vec4f(b_at(k), b_at(k + 1u), b_at(k + 2u), b_at(k + 3u));
  let inner = area(max(p.xy, q.xy), min(p.zw, q.zw));
  let whole = area(p.xy, p.zw) + area(q.xy, q.zw) - inner;
  return Areas(inner, whole, area(min(p.xy, q.xy), max(p.zw, q.zw)), has_nan(p) || has_nan(q));
}

fn ratio(part: f32, whole: f32) -> f32 { return select(part / whole, 0.0, whole == 0.0); }
`;
