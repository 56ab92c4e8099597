// Overlap of one pair of rotated boxes in float64: the exact IoU of their polygons, and ProbIoU. A box is centre x, y, width,
// height and angle in float32; `prepareRotated` makes of it what both measures read, so that no pair costs trigonometry.
//
// A negative size counts as 0, an infinite number as the largest one, an infinite angle as NaN. A box with NaN overlaps by NaN.

import { turnOf } from "./turn";

/** Bytes of a box as it comes, and prepared. */
export const ROTATED: usize = 20;
export const PREPARED: usize = 64;

// A prepared box: pairs of float64.
export const CENTRE: usize = 0;
export const TURN: usize = 16;
export const HALF: usize = 32;
const RADIUS: usize = 48;
const AREA: usize = 56;

/** Intersections below this share of the boxes' extents are rounding: boxes that touch. */
const NOISE: f64 = 4e-15;

/** ln 2, its first 32 bits and the rest. */
const LN2_HIGH: f64 = 0.6931471803691238;
const LN2_LOW: f64 = 1.9082149292705877e-10;
/** Taylor's coefficients of e^x − 1, the highest first; up to half of ln 2 what is left out is below 5e-18. */
const EXP_SERIES = memory.data<f64>([
  1.6059043836821613e-10, 2.08767569878681e-09, 2.505210838544172e-08, 2.755731922398589e-07,
  2.7557319223985893e-06, 2.48015873015873e-05, 0.0001984126984126984, 0.001388888888888889, 0.008333333333333333,
  0.041666666666666664, 0.16666666666666666, 0.5, 1.0,
], 16);
const EXP_TERMS: usize = 13;

/** Writes centre x, y; cosine, sine; half width, half height; half diagonal, area. With a NaN in the box, centre and area are NaN. */
export function prepareRotated(box: usize, to: usize): void {
  const centre = promoted(box);
  const half = f64x2.mul(f64x2.max(promoted(box + 8), f64x2.splat(0)), f64x2.splat(0.5));
  const turn = turnOf(box + 16);
  const width = f64x2.extract_lane(half, 0);
  const height = f64x2.extract_lane(half, 1);
  const numbers = f64x2.add(f64x2.add(centre, half), turn);
  // 0, or NaN where one of the five numbers is.
  const nothing = (f64x2.extract_lane(numbers, 0) + f64x2.extract_lane(numbers, 1)) * 0;
  v128.store(to, f64x2.add(centre, f64x2.splat(nothing)), CENTRE);
  v128.store(to, turn, TURN);
  v128.store(to, half, HALF);
  store<f64>(to, sqrt(width * width + height * height) + nothing, RADIUS);
  store<f64>(to, 4 * width * height + nothing, AREA);
}

/** Two float32 numbers. */
// @ts-ignore: decorator
@inline
function promoted(at: usize): v128 {
  const most = f64x2.splat(<f64> f32.MAX_VALUE);
  return f64x2.pmin(f64x2.pmax(f64x2.promote_low_f32x4(v128.load64_zero(at)), f64x2.neg(most)), most);
}

/** Half the diagonal: how far the prepared box reaches from its centre. */
// @ts-ignore: decorator
@inline
export function radiusOf(box: usize): f64 {
  return load<f64>(box, RADIUS);
}

// @ts-ignore: decorator
@inline
export function areaOf(box: usize): f64 {
  return load<f64>(box, AREA);
}

/** Area of the intersection over that of the union, 0 where that is; 1 for equal boxes with an area. Of prepared boxes. */
export function polygonIou(a: usize, b: usize): f64 {
  const areaA = areaOf(a);
  const areaB = areaOf(b);
  const inner = equal(a, b) ? areaA : intersection(a, b);
  const whole = areaA + (areaB - inner);
  return whole == 0 ? 0 : inner / whole;
}

/** ProbIoU of two prepared boxes: see `probIous`. */
export function probIou(a: usize, b: usize): f64 {
  return f64x2.extract_lane(probIous(a, b, b), 0);
}

/**
 * ProbIoU of a prepared box with two others: 1 − √(1 − e^(−Bd)), Bd Bhattacharyya's distance of Gaussians with covariances w²/12,
 * h²/12. 1 for equal boxes, else 0 where a box has no area.
 *
 * With D = |Σa + Σb| in units of w²h², e^(−Bd) = e^(−q)/√ρ, where q is the part of the centres and ρ = D/(4√(|Σa||Σb|)) that of the
 * shapes. q is a sum of squares, each in the frame of its box, and so is ρ − 1 = ((wh − w'h')² + cos²Δ(wh' − w'h)² + sin²Δ(ww' − hh')²)
 * /(4wh·w'h'): no terms cancel, and alike boxes keep their digits.
 */
export function probIous(a: usize, b0: usize, b1: usize): v128 {
  const cosA = v128.load64_splat(a, TURN);
  const sinA = v128.load64_splat(a, TURN + 8);
  const w = v128.load64_splat(a, HALF);
  const h = v128.load64_splat(a, HALF + 8);
  const cosB = firstOf(b0, b1, TURN);
  const sinB = secondOf(b0, b1, TURN);
  const wB = firstOf(b0, b1, HALF);
  const hB = secondOf(b0, b1, HALF);
  const x = f64x2.sub(firstOf(b0, b1, CENTRE), v128.load64_splat(a, CENTRE));
  const y = f64x2.sub(secondOf(b0, b1, CENTRE), v128.load64_splat(a, CENTRE + 8));
  // NaN where anything of the box is.
  const own = f64x2.splat(areaOf(a) / 4);
  const other = f64x2(areaOf(b0) / 4, areaOf(b1) / 4);
  const cosine = squared(f64x2.add(f64x2.mul(cosA, cosB), f64x2.mul(sinA, sinB)));
  const sine = squared(f64x2.sub(f64x2.mul(cosA, sinB), f64x2.mul(sinA, cosB)));
  const determinant = f64x2.add(
    f64x2.add(squared(own), squared(other)),
    f64x2.add(
      f64x2.mul(cosine, squares(f64x2.mul(w, hB), f64x2.mul(h, wB))),
      f64x2.mul(sine, squares(f64x2.mul(w, wB), f64x2.mul(h, hB))),
    ),
  );
  const unlike = f64x2.add(
    squared(f64x2.sub(own, other)),
    f64x2.add(
      f64x2.mul(cosine, squared(f64x2.sub(f64x2.mul(w, hB), f64x2.mul(h, wB)))),
      f64x2.mul(sine, squared(f64x2.sub(f64x2.mul(w, wB), f64x2.mul(h, hB)))),
    ),
  );
  const far = f64x2.add(distance(x, y, cosA, sinA, w, h), distance(x, y, cosB, sinB, wB, hB));
  const areas = f64x2.mul(own, other);
  const q = f64x2.div(f64x2.mul(far, f64x2.splat(0.75)), determinant);
  const value = f64x2.sub(f64x2.splat(1), hellinger(q, f64x2.div(unlike, f64x2.mul(areas, f64x2.splat(4)))));
  // Neither is true of NaN.
  const same = f64x2(equal(a, b0) ? 1 : 0, equal(a, b1) ? 1 : 0);
  const decided = v128.or(f64x2.eq(same, f64x2.splat(1)), f64x2.eq(areas, f64x2.splat(0)));
  return v128.bitselect(same, value, decided);
}

/** w²y² + h²x² of the vector in a box's frame. */
// @ts-ignore: decorator
@inline
function distance(x: v128, y: v128, cosine: v128, sine: v128, w: v128, h: v128): v128 {
  const along = f64x2.add(f64x2.mul(x, cosine), f64x2.mul(y, sine));
  const across = f64x2.sub(f64x2.mul(y, cosine), f64x2.mul(x, sine));
  return squares(f64x2.mul(across, w), f64x2.mul(along, h));
}

/** √(1 − e^(−q)/√(1 + excess)), for both from 0 on. */
// @ts-ignore: decorator
@inline
function hellinger(q: v128, excess: v128): v128 {
  const one = f64x2.splat(1);
  // Beyond this nothing is left of 1.
  const shape = f64x2.min(excess, f64x2.splat(1e100));
  const root = f64x2.sqrt(f64x2.add(one, shape));
  const lost = lostBy(q);
  const part = f64x2.div(shape, f64x2.mul(root, f64x2.add(root, one)));
  return f64x2.sqrt(f64x2.add(lost, f64x2.mul(f64x2.sub(one, lost), part)));
}

/** 1 − e^(−x) for x from 0 on. */
// @ts-ignore: decorator
@inline
export function lostBy(x: v128): v128 {
  const one = f64x2.splat(1);
  // e^−50 is nothing beside 1.
  const held = f64x2.min(x, f64x2.splat(50));
  const halvings = f64x2.nearest(f64x2.mul(held, f64x2.splat(1 / (LN2_HIGH + LN2_LOW))));
  const rest = f64x2.add(
    f64x2.sub(f64x2.mul(halvings, f64x2.splat(LN2_HIGH)), held),
    f64x2.mul(halvings, f64x2.splat(LN2_LOW)),
  );
  let grown = f64x2.splat(0);
  for (let term: usize = 0; term < EXP_TERMS; term++) {
    grown = f64x2.mul(f64x2.add(grown, v128.load64_splat(EXP_SERIES + (term << 3))), rest);
  }
  const power = i64x2.shl(i64x2.extend_low_i32x4_s(i32x4.trunc_sat_f64x2_s_zero(f64x2.sub(f64x2.splat(1023), halvings))), 52);
  return f64x2.sub(f64x2.sub(one, power), f64x2.mul(power, grown));
}

// @ts-ignore: decorator
@inline
function firstOf(a: usize, b: usize, pair: usize): v128 {
  return v128.shuffle<f64>(v128.load(a + pair), v128.load(b + pair), 0, 2);
}

// @ts-ignore: decorator
@inline
function secondOf(a: usize, b: usize, pair: usize): v128 {
  return v128.shuffle<f64>(v128.load(a + pair), v128.load(b + pair), 1, 3);
}

// @ts-ignore: decorator
@inline
function squared(v: v128): v128 {
  return f64x2.mul(v, v);
}

// @ts-ignore: decorator
@inline
function squares(a: v128, b: v128): v128 {
  return f64x2.add(squared(a), squared(b));
}

/**
 * Area of the intersection of two prepared boxes. In the frame of a, where a is |x| ≤ w, |y| ≤ h, the area of b inside a is the
 * integral along b's outline of y, held within ±h, over x within ±w: no corners of the intersection are needed. Four edges are two
 * pairs of parallel ones, and a vector has one of each pair.
 */
function intersection(a: usize, b: usize): f64 {
  const half = v128.load(a, HALF);
  const turnA = v128.load(a, TURN);
  const centre = turned(f64x2.sub(v128.load(b, CENTRE), v128.load(a, CENTRE)), turnA);
  const turn = relativeTurn(turnA, v128.load(b, TURN));
  const halfB = v128.load(b, HALF);
  // Half edges: x and y of b's half width and half height.
  const edgeX = f64x2.mul(halfB, f64x2.mul(turn, f64x2(1, -1)));
  const edgeY = f64x2.mul(halfB, v128.shuffle<f64>(turn, turn, 1, 0));
  const reach = f64x2(sum(f64x2.abs(edgeX)), sum(f64x2.abs(edgeY)));
  if (v128.any_true(f64x2.gt(f64x2.abs(centre), f64x2.add(half, reach)))) return 0;
  const width = v128.shuffle<f64>(half, half, 0, 0);
  const height = v128.shuffle<f64>(half, half, 1, 1);
  // From the middle of an edge to its end, against the clock, and the slope of it and its opposite.
  const alongX = f64x2.mul(edgeX, f64x2(-1, 1));
  const alongY = f64x2.mul(edgeY, f64x2(-1, 1));
  const slope = v128.andnot(f64x2.div(alongY, alongX), f64x2.eq(alongX, f64x2.splat(0)));
  const middleX = v128.shuffle<f64>(edgeX, edgeX, 1, 0);
  const middleY = v128.shuffle<f64>(edgeY, edgeY, 1, 0);
  const startX = f64x2.sub(middleX, alongX);
  const startY = f64x2.sub(middleY, alongY);
  const endX = f64x2.add(middleX, alongX);
  const endY = f64x2.add(middleY, alongY);
  const x = v128.shuffle<f64>(centre, centre, 0, 0);
  const y = v128.shuffle<f64>(centre, centre, 1, 1);
  const edges = held(f64x2.add(x, startX), f64x2.add(y, startY), f64x2.add(x, endX), f64x2.add(y, endY), slope, width, height);
  const opposite = held(f64x2.sub(x, startX), f64x2.sub(y, startY), f64x2.sub(x, endX), f64x2.sub(y, endY), slope, width, height);
  const area = min(-sum(f64x2.add(edges, opposite)), min(areaOf(a), areaOf(b)));
  const radiusA = radiusOf(a);
  const radiusB = radiusOf(b);
  return area < NOISE * (radiusA + radiusB) * min(radiusA, radiusB) ? 0 : area;
}

/** The integral of y, held within ±height, over the part of the edges where |x| ≤ width. */
// @ts-ignore: decorator
@inline
function held(x0: v128, y0: v128, x1: v128, y1: v128, slope: v128, width: v128, height: v128): v128 {
  const from = within(x0, width);
  const to = within(x1, width);
  const start = f64x2.add(y0, f64x2.mul(f64x2.sub(from, x0), slope));
  const end = f64x2.add(y1, f64x2.mul(f64x2.sub(to, x1), slope));
  const low = within(start, height);
  const high = within(end, height);
  // The part before it enters, that inside, and that behind, each by its mean.
  const inside = f64x2.mul(f64x2.sub(high, low), f64x2.mul(f64x2.add(high, low), f64x2.splat(0.5)));
  const outside = f64x2.add(f64x2.mul(f64x2.sub(low, start), low), f64x2.mul(f64x2.sub(end, high), high));
  const mean = f64x2.div(f64x2.add(inside, outside), f64x2.sub(end, start));
  // Not divided where an edge is level, or is on one side.
  return f64x2.mul(v128.bitselect(low, mean, f64x2.eq(low, high)), f64x2.sub(to, from));
}

// @ts-ignore: decorator
@inline
function within(v: v128, most: v128): v128 {
  return f64x2.pmin(f64x2.pmax(v, f64x2.neg(most)), most);
}

// @ts-ignore: decorator
@inline
function equal(a: usize, b: usize): bool {
  const centre = f64x2.eq(v128.load(a, CENTRE), v128.load(b, CENTRE));
  const turn = f64x2.eq(v128.load(a, TURN), v128.load(b, TURN));
  const half = f64x2.eq(v128.load(a, HALF), v128.load(b, HALF));
  return v128.all_true<i64>(v128.and(v128.and(centre, turn), half));
}

/** The vector as a frame sees it that is turned so. */
// @ts-ignore: decorator
@inline
export function turned(v: v128, turn: v128): v128 {
  const cosine = v128.shuffle<f64>(turn, turn, 0, 0);
  const sine = v128.shuffle<f64>(turn, turn, 1, 1);
  // (x cos + y sin, y cos − x sin).
  const across = f64x2.mul(v128.shuffle<f64>(v, v, 1, 0), f64x2(1, -1));
  return f64x2.add(f64x2.mul(v, cosine), f64x2.mul(across, sine));
}

/** Cosine and sine of the angle from a to b. */
// @ts-ignore: decorator
@inline
export function relativeTurn(a: v128, b: v128): v128 {
  return turned(b, a);
}

// @ts-ignore: decorator
@inline
function sum(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}
