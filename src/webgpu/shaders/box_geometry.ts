/**
 * What the box losses share: both axes of a pair of boxes as vectors. An axis is on a scale of its own, a power of two, on
 * which no square overflows or vanishes; `unit` brings both to that of the larger.
 *
 * A box loss is a WGSL text with `cost(b)`: the value, and the gradient in the prediction's corners. As in
 * assembly/losses/box_pair.ts it is given as slopes of the low edge, of which no terms cancel: of an edge inside the target's
 * extent, outside it, or equal to the target's. Those of the high edge are their negatives, but for that through the centre.
 * Zero extents have zero slope.
 */
import { boxScale } from "./box_scale.ts";

export const boxGeometry = boxScale + /* wgsl */ `
struct Pair {
  low: vec2f,          // edges of the prediction less the target's
  high: vec2f,
  size: vec2f,         // of the prediction
  target_size: vec2f,
  overlap: vec2f,
  cover: vec2f,        // the extent of both together
  offset: vec2f,       // between the centres
  change: vec2f,       // size less the target's
  outside: vec2f,      // the prediction's extent outside the target
  missed: vec2f,       // the target's outside the prediction
  factor: vec2f,       // the scales
  unit: vec2f,
  eps: f32,            // of areas
  eps_square: vec2f,   // of squares of an axis
  eps_size: vec2f,
  eps_diagonal: f32,   // of squares in the common unit
  shape: vec4f,        // sizes of the prediction and the target, each pair over its larger
  turn: f32,           // what a slope by the shape is to one in the original unit
}

struct Slopes { inner: vec2f, outer: vec2f, equal: vec2f, centre: vec2f }

struct Cost { value: f32, gradient: vec4f }

fn extent(low: vec2f, high: vec2f) -> vec2f { return max(high - low, vec2f(0.0)); }

fn area(size: vec2f) -> f32 { return size.x * size.y; }

// Keeps denominators from 0 and products from infinity.
fn eps_of(value: f32) -> f32 { return clamp(value, 1e-30, 1e30); }

// The whole multiples of 2^9 of coordinates up to 2^21, whose sums are exact; sums of what is left lose 2^-35 at most.
fn coarse(v: vec4f) -> vec4f { return trunc(v / 512.0) * 512.0; }

// Width and height over the larger, of an empty box 0 and 1; and the power of two from there.
fn shape_of(v: vec4f) -> vec3f {
  let size = max(v.zw * 0.5 - v.xy * 0.5, vec2f(0.0));
  let largest = max(size.x, size.y);
  let binade = clamp(i32(bitcast<u32>(largest) >> 23u), 28, 253) - 127;
  let scaled = size * power_of_two(-binade);
  return vec3f(scaled.x, select(scaled.y, 1.0, largest == 0.0), power_of_two(clamp(-binade - 1, -126, 127)));
}

fn pair_of(pred: vec4f, target_box: vec4f, eps: f32) -> Pair {
  let scale = scale_of(pred, target_box);
  let larger = min(scale.x, scale.y);
  let factor = powers_of_two(scale);
  let p = finite_box(pred) * factor.xyxy;
  let t = finite_box(target_box) * factor.xyxy;
  let low = p.xy - t.xy;
  let high = p.zw - t.zw;
  let size = extent(p.xy, p.zw);
  let target_size = extent(t.xy, t.zw);
  let p_coarse = coarse(p);
  let t_coarse = coarse(t);
  let p_fine = p - p_coarse;
  let t_fine = t - t_coarse;
  let proper = (p.zw >= p.xy) & (t.zw >= t.xy);
  let change = ((p_coarse.zw - p_coarse.xy) - (t_coarse.zw - t_coarse.xy)) + ((p_fine.zw - p_fine.xy) - (t_fine.zw - t_fine.xy));
  let own = shape_of(finite_box(pred));
  let other = shape_of(finite_box(target_box));
  return Pair(
    low,
    high,
    size,
    target_size,
    extent(max(p.xy, t.xy), min(p.zw, t.zw)),
    extent(min(p.xy, t.xy), max(p.zw, t.zw)),
    (((p_coarse.xy + p_coarse.zw) - (t_coarse.xy + t_coarse.zw)) + ((p_fine.xy + p_fine.zw) - (t_fine.xy + t_fine.zw))) * 0.5,
    select(size - target_size, change, proper),
    max(high, vec2f(0.0)) - min(low, vec2f(0.0)),
    max(low, vec2f(0.0)) - min(high, vec2f(0.0)),
    factor,
    powers_of_two(max(vec2i(larger) - scale, vec2i(-126))),
    eps_of(eps * factor.x * factor.y),
    vec2f(eps_of(eps * factor.x * factor.x), eps_of(eps * factor.y * factor.y)),
    clamp(eps * factor, vec2f(1e-37), vec2f(1e30)),
    eps_of(eps * power_of_two(larger) * power_of_two(larger)),
    vec4f(own.xy, other.xy),
    own.z,
  );
}

// The IoU of two boxes, which no rounding brings over 1; 0 for two empty ones.
fn iou_of(p: vec4f, t: vec4f) -> f32 {
  let factor = powers_of_two(scale_of(p, t)).xyxy;
  let a = finite_box(p) * factor;
  let b = finite_box(t) * factor;
  let inner = area(extent(max(a.xy, b.xy), min(a.zw, b.zw)));
  let whole = area(extent(a.xy, a.zw)) + (area(extent(b.xy, b.zw)) - inner);
  let iou = select(min(inner / whole, 1.0), 0.0, whole == 0.0);
  return select(iou, params.nan, is_nan_box(p) || is_nan_box(t));
}

// The union, with eps. Exactly the area of the prediction and eps where that holds the target.
fn whole_of(b: Pair) -> f32 { return area(b.size) + (area(b.target_size) - area(b.overlap)) + b.eps; }

fn where_over_0(extent: vec2f, slope: vec2f) -> vec2f { return select(vec2f(0.0), slope, extent > vec2f(0.0)); }

fn meets(b: Pair) -> bool { return b.overlap.x > 0.0 && b.overlap.y > 0.0; }

fn iou_in(b: Pair) -> f32 { return area(b.overlap) / whole_of(b); }

// What the boxes do not share of the other's extent and their own, of which no terms cancel.
fn unshared(b: Pair) -> f32 {
  let own = b.size.x * b.outside.y + b.outside.x * b.overlap.y;
  return own + (b.target_size.x * b.missed.y + b.missed.x * b.overlap.y);
}

// 1 - IoU with all its digits.
fn apart_in(b: Pair) -> f32 { return select(1.0 - iou_in(b), (unshared(b) + b.eps) / whole_of(b), meets(b)); }

// Slopes of 1 - IoU. Those of an equal edge are the mean of the others, without what those have in common.
fn iou_slopes(b: Pair) -> Slopes {
  let zero = vec2f(0.0);
  if (!meets(b)) { return Slopes(zero, zero, zero, zero); }
  let whole = whole_of(b);
  let across = b.overlap.yx / whole;
  let beside = b.size.yx * b.outside;
  let inner = across * ((area(b.target_size) + b.eps + beside) / whole);
  let outer = -(b.size.yx / whole) * iou_in(b);
  let even = beside + b.target_size.yx * b.missed + b.eps - b.overlap * b.change.yx;
  return Slopes(inner, outer, 0.5 * across * (even / whole), zero);
}

fn add_slopes(s: Slopes, inner: vec2f, outer: vec2f) -> Slopes {
  return Slopes(s.inner + inner, s.outer + outer, s.equal + 0.5 * (inner + outer), s.centre);
}

// rho^2 / (c^2 + eps), which only inverted boxes bring over 1; bounded, so that its slope is too.
fn distance_of(b: Pair) -> f32 {
  let offset = b.offset * b.unit;
  let cover = b.cover * b.unit;
  return min(dot(offset, offset) / (dot(cover, cover) + b.eps_diagonal), 1e27);
}

fn add_distance(s: Slopes, b: Pair) -> Slopes {
  let cover = b.cover * b.unit;
  let diagonal = dot(cover, cover) + b.eps_diagonal;
  let around = (cover / diagonal) * (2.0 * distance_of(b)) * b.unit;
  let sum = add_slopes(s, vec2f(0.0), around);
  return Slopes(sum.inner, sum.outer, sum.equal, s.centre + (b.offset * b.unit / diagonal) * b.unit);
}

// The distances of the low and the high corner in the original unit, times a factor.
fn corner_distances(b: Pair, factor: f32) -> vec4f {
  // Twice the largest number is none.
  return finite_box((vec4f(b.low, b.high) * 0.5 / b.factor.xyxy) * (2.0 * factor));
}

fn largest_of(v: vec4f) -> f32 {
  let size = abs(v);
  return max(max(size.x, size.y), max(size.z, size.w));
}

// The slopes as those of the corners, in the original unit.
fn corner_gradient(b: Pair, s: Slopes) -> vec4f {
  let low = select(select(s.outer, s.inner, b.low > vec2f(0.0)), s.equal, b.low == vec2f(0.0));
  let high = select(select(s.outer, s.inner, b.high < vec2f(0.0)), s.equal, b.high == vec2f(0.0));
  return finite_box(vec4f(s.centre + low, s.centre - high) * b.factor.xyxy);
}

// The pair scaled about the boxes' centres, as far as IoU reads it.
fn scaled_pair(b: Pair, ratio: f32) -> Pair {
  let zero = vec2f(0.0);
  var s = b;
  s.low = b.offset - 0.5 * ratio * b.change;
  s.high = b.offset + 0.5 * ratio * b.change;
  s.size = ratio * b.size;
  s.target_size = ratio * b.target_size;
  s.change = ratio * b.change;
  s.outside = max(s.high, zero) - min(s.low, zero);
  s.missed = max(s.low, zero) - min(s.high, zero);
  s.overlap = max(select(s.target_size - s.missed, s.size - s.outside, s.outside <= s.missed), zero);
  return s;
}

// The loss with the inner term: IoU - IoU of the scaled pair.
fn with_inner(loss: Cost, b: Pair, ratio: f32) -> Cost {
  if (ratio == 1.0) { return loss; }
  let s = scaled_pair(b, ratio);
  let at = corner_gradient(s, iou_slopes(s));
  let inner = (0.5 + 0.5 * ratio) * at + (0.5 - 0.5 * ratio) * at.zwxy;
  let slopes = inner - corner_gradient(b, iou_slopes(b));
  return Cost(loss.value + (iou_in(b) - iou_in(s)), loss.gradient + slopes);
}
`;
