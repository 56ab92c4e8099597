/**
 * What the box losses share: both axes of a pair of boxes as vectors; see assembly/losses/box_loss.ts.
 *
 * A box loss is a WGSL text with `cost(b)`: the value, and the gradient in the prediction's corners. Zero extents have zero
 * slope.
 */
export const boxGeometry = /* wgsl */ `
struct Pair {
  size: vec2f,         // of the prediction
  target_size: vec2f,
  overlap: vec2f,
  cover: vec2f,        // the extent of both together
  offset: vec2f,       // between the centres
  above_low: vec2f,    // is the prediction's low edge over the target's? 1/2 where they are equal
  above_high: vec2f,
  eps: f32,
}

struct Cost { value: f32, gradient: vec4f }

fn extent(low: vec2f, high: vec2f) -> vec2f { return max(high - low, vec2f(0.0)); }

fn above(a: vec2f, b: vec2f) -> vec2f {
  return select(vec2f(0.0), vec2f(0.5), a >= b) + select(vec2f(0.0), vec2f(0.5), a > b);
}

// Sums of coordinates would lose bits that their differences keep.
fn pair_of(p: vec4f, t: vec4f, eps: f32) -> Pair {
  return Pair(
    extent(p.xy, p.zw),
    extent(t.xy, t.zw),
    extent(max(p.xy, t.xy), min(p.zw, t.zw)),
    extent(min(p.xy, t.xy), max(p.zw, t.zw)),
    ((p.xy - t.xy) + (p.zw - t.zw)) * 0.5,
    above(p.xy, t.xy),
    above(p.zw, t.zw),
    eps,
  );
}

fn area(size: vec2f) -> f32 { return size.x * size.y; }

fn is_nan_box(v: vec4f) -> bool { return is_nan(v.x) || is_nan(v.y) || is_nan(v.z) || is_nan(v.w); }

fn finite_box(v: vec4f) -> vec4f { return clamp(v, vec4f(-3.4e38), vec4f(3.4e38)); }

fn exponent_of(v: vec4f) -> u32 {
  let bits = bitcast<vec4u>(v) & vec4u(0x7fffffffu);
  return max(max(bits.x, bits.y), max(bits.z, bits.w)) >> 23u;
}

// Coordinates over 2^59, whose products leave float32, are brought to 2^40; others stay as they are.
fn factor_of(p: vec4f, t: vec4f) -> f32 {
  let exponent = min(max(exponent_of(p), exponent_of(t)), 254u);
  return select(1.0, bitcast<f32>((127u + 127u + 40u - exponent) << 23u), exponent > 127u + 59u);
}

// The IoU of two boxes, which no rounding brings over 1; 0 for two empty ones.
fn iou_of(p: vec4f, t: vec4f) -> f32 {
  let factor = factor_of(p, t);
  let b = pair_of(finite_box(p) * factor, finite_box(t) * factor, 0.0);
  let whole = whole_of(b);
  let iou = select(min(area(b.overlap) / whole, 1.0), 0.0, whole == 0.0);
  return select(iou, params.nan, is_nan_box(p) || is_nan_box(t));
}

// The union, with eps. Exactly the area of the prediction and eps where that holds the target.
fn whole_of(b: Pair) -> f32 { return area(b.size) + (area(b.target_size) - area(b.overlap)) + b.eps; }

// The diagonal's square, with eps.
fn diagonal_of(b: Pair) -> f32 { return dot(b.cover, b.cover) + b.eps; }

// rho^2 / diagonal, which only inverted boxes bring over 1; bounded, so that its slope is too.
fn distance_of(b: Pair) -> f32 { return min(dot(b.offset, b.offset) / diagonal_of(b), 1e27); }

fn where_over_0(extent: vec2f, slope: vec2f) -> vec2f { return select(vec2f(0.0), slope, extent > vec2f(0.0)); }

// d(1 - IoU) / d size, and / d overlap; 0 where the boxes are apart.
fn iou_by_size(b: Pair, iou: f32) -> vec2f { return b.size.yx * (iou / whole_of(b)); }
fn iou_by_overlap(b: Pair, iou: f32) -> vec2f {
  return select(vec2f(0.0), -b.overlap.yx * ((1.0 + iou) / whole_of(b)), area(b.overlap) > 0.0);
}

// d distance / d offset (of half an edge), and / d cover.
fn distance_by_offset(b: Pair) -> vec2f { return b.offset / diagonal_of(b); }
fn distance_by_cover(b: Pair) -> vec2f { return (b.cover / diagonal_of(b)) * (-2.0 * distance_of(b)); }

// The slopes by size, half an offset, overlap and cover as those of the corners.
fn corner_gradient(b: Pair, size: vec2f, offset: vec2f, overlap: vec2f, cover: vec2f) -> vec4f {
  let low = offset - size - mix(cover, overlap, b.above_low);
  let high = offset + size + mix(overlap, cover, b.above_high);
  return vec4f(low, high);
}
`;
