// Rotated boxes in float32: what suppression reads of every box, and by which it decides all pairs that are clear. Where that leaves
// a doubt, float64 decides (rotated_exceeds.ts). With float64 for all boxes and pairs, suppression took half as long again.

import { ROTATED } from "./rotated_pair";
import { turnOf } from "./turn";

/** Bytes of a sketch. */
export const SKETCH: usize = 32;

// Pairs of float32 numbers, the area, and whether the box is prepared in float64, too.
export const CENTRE: usize = 0;
export const TURN: usize = 8;
export const HALF: usize = 16;
const AREA: usize = 24;
const READY: usize = 28;

/** Cosine and sine of a sketch are off by less than half of this: at most 1.02e-7 was measured. */
export const TURN_ERROR: f64 = 1e-6;
/** Up to here an angle less some right angles is exact. */
const FEW_TURNS: f32 = 8;
/** A right angle: eight bits, and the rest. */
const RIGHT_HIGH: f32 = 1.5703125;
const RIGHT_LOW: f32 = 0.00048382679;

/** Cosines and sines of four boxes. */
const TURNS = memory.data(32, 16);

/** Writes the sketches of boxes of five numbers. */
export function sketchBoxes(boxes: usize, count: i32, sketches: usize): void {
  for (let i = 0; i < count; i += 4) {
    const four = min(4, count - i);
    sketchTurns(boxes, four);
    for (let k = 0; k < four; k++) {
      sketchBox(boxes, v128.load64_zero(TURNS + (<usize> k << 3)), sketches);
      boxes += ROTATED;
      sketches += SKETCH;
    }
  }
}

/** Writes the sketch of a box, of which the first two lanes are cosine and sine. */
// @ts-ignore: decorator
@inline
export function sketchBox(box: usize, turn: v128, sketch: usize): void {
  const half = f32x4.mul(v128.load64_zero(box, 8), f32x4.splat(0.5));
  v128.store(sketch, v128.shuffle<f64>(v128.load64_zero(box), turn, 0, 2));
  v128.store(sketch, f32x4.replace_lane(half, 2, load<f32>(box, 8) * load<f32>(box, 12)), HALF);
}

/** Writes the turns of one to four boxes. */
function sketchTurns(boxes: usize, count: i32): void {
  const second = boxes + (count > 1 ? ROTATED : 0);
  const third = boxes + (count > 2 ? 2 * ROTATED : 0);
  const fourth = boxes + (count > 3 ? 3 * ROTATED : 0);
  const angles = f32x4(load<f32>(boxes, 16), load<f32>(second, 16), load<f32>(third, 16), load<f32>(fourth, 16));
  if (!v128.all_true<i32>(f32x4.le(f32x4.abs(angles), f32x4.splat(FEW_TURNS)))) {
    for (let k: usize = 0; k < <usize> count; k++) {
      v128.store64_lane(TURNS + (k << 3), f32x4.demote_f64x2_zero(turnOf(boxes + k * ROTATED + 16)), 0);
    }
    return;
  }
  const quarters = f32x4.nearest(f32x4.mul(angles, f32x4.splat(0.63661975)));
  const rest = f32x4.sub(
    f32x4.sub(angles, f32x4.mul(quarters, f32x4.splat(RIGHT_HIGH))),
    f32x4.mul(quarters, f32x4.splat(RIGHT_LOW)),
  );
  const square = f32x4.mul(rest, rest);
  const sine = f32x4.mul(rest, series(square, 2.7557319e-6, -1.9841270e-4, 8.3333333e-3, -0.16666667));
  const cosine = series(square, 2.4801587e-5, -1.3888889e-3, 4.1666667e-2, -0.5);
  const turns = i32x4.trunc_sat_f32x4_s(quarters);
  const isOdd = i32x4.ne(v128.and(turns, i32x4.splat(1)), i32x4.splat(0));
  const cosines = v128.xor(v128.bitselect(sine, cosine, isOdd), signOf(i32x4.add(turns, i32x4.splat(1))));
  const sines = v128.xor(v128.bitselect(cosine, sine, isOdd), signOf(turns));
  v128.store(TURNS, v128.shuffle<f32>(cosines, sines, 0, 4, 1, 5));
  v128.store(TURNS, v128.shuffle<f32>(cosines, sines, 2, 6, 3, 7), 16);
}

/** 1 + x (c1 + x (c2 + x (c3 + x c4))): Taylor's series up to an eighth of a turn. */
// @ts-ignore: decorator
@inline
function series(x: v128, c4: f32, c3: f32, c2: f32, c1: f32): v128 {
  let sum = f32x4.add(f32x4.mul(x, f32x4.splat(c4)), f32x4.splat(c3));
  sum = f32x4.add(f32x4.mul(x, sum), f32x4.splat(c2));
  sum = f32x4.add(f32x4.mul(x, sum), f32x4.splat(c1));
  return f32x4.add(f32x4.mul(x, sum), f32x4.splat(1));
}

/** The sign bit where the second bit is set. */
// @ts-ignore: decorator
@inline
function signOf(turns: v128): v128 {
  return i32x4.shl(v128.and(turns, i32x4.splat(2)), 30);
}

// @ts-ignore: decorator
@inline
export function areaOf(sketch: usize): f32 {
  return load<f32>(sketch, AREA);
}

// @ts-ignore: decorator
@inline
export function isReady(sketch: usize): bool {
  return load<i32>(sketch, READY) != 0;
}

// @ts-ignore: decorator
@inline
export function makeReady(sketch: usize): void {
  store<i32>(sketch, 1, READY);
}

const SIGN: i32 = 0x80000000;

/**
 * The area of the intersection less that share of the sum of both areas: the integral of `intersection` of rotated_pair.ts, with the
 * four edges in a vector. `doubtOf` has how far it may be off. To bound the intersection by what the sides cut off took as long, and
 * left one pair in twenty in doubt.
 */
export function surplus(a: usize, b: usize, share: f32): f32 {
  const first = v128.load(a);
  const second = v128.load(b);
  const halfA = v128.load(a, HALF);
  const halfB = v128.load(b, HALF);
  // Centre and turn of b in the frame of a: (x cos + y sin, y cos − x sin) of the vector between, and of (cos, sin).
  const own = v128.shuffle<f32>(f32x4.sub(second, first), second, 0, 1, 6, 7);
  const across = v128.xor(v128.shuffle<f32>(own, own, 1, 0, 3, 2), i32x4(0, SIGN, 0, SIGN));
  const cosine = v128.shuffle<f32>(first, first, 2, 2, 2, 2);
  const sine = v128.shuffle<f32>(first, first, 3, 3, 3, 3);
  const placed = f32x4.add(f32x4.mul(own, cosine), f32x4.mul(across, sine));
  // Half edges of b and their opposites: half a width, half a height.
  const halves = v128.shuffle<f32>(halfB, halfB, 0, 1, 0, 1);
  const edgeX = f32x4.mul(halves, v128.xor(v128.shuffle<f32>(placed, placed, 2, 3, 2, 3), i32x4(0, SIGN, SIGN, 0)));
  const edgeY = f32x4.mul(halves, v128.xor(v128.shuffle<f32>(placed, placed, 3, 2, 3, 2), i32x4(0, 0, SIGN, SIGN)));
  // From the middle of an edge to its end, against the clock.
  const alongX = v128.xor(edgeX, i32x4(SIGN, 0, SIGN, 0));
  const alongY = v128.xor(edgeY, i32x4(SIGN, 0, SIGN, 0));
  const slope = v128.andnot(f32x4.div(alongY, alongX), f32x4.eq(alongX, f32x4.splat(0)));
  const middleX = f32x4.add(v128.shuffle<f32>(placed, placed, 0, 0, 0, 0), v128.shuffle<f32>(edgeX, edgeX, 1, 0, 3, 2));
  const middleY = f32x4.add(v128.shuffle<f32>(placed, placed, 1, 1, 1, 1), v128.shuffle<f32>(edgeY, edgeY, 1, 0, 3, 2));
  const x0 = f32x4.sub(middleX, alongX);
  const x1 = f32x4.add(middleX, alongX);
  const width = v128.shuffle<f32>(halfA, halfA, 0, 0, 0, 0);
  const height = v128.shuffle<f32>(halfA, halfA, 1, 1, 1, 1);
  const from = within(x0, width);
  const to = within(x1, width);
  const start = f32x4.add(f32x4.sub(middleY, alongY), f32x4.mul(f32x4.sub(from, x0), slope));
  const end = f32x4.add(f32x4.add(middleY, alongY), f32x4.mul(f32x4.sub(to, x1), slope));
  const low = within(start, height);
  const high = within(end, height);
  const inside = f32x4.mul(f32x4.sub(high, low), f32x4.mul(f32x4.add(high, low), f32x4.splat(0.5)));
  const outside = f32x4.add(f32x4.mul(f32x4.sub(low, start), low), f32x4.mul(f32x4.sub(end, high), high));
  const mean = f32x4.div(f32x4.add(inside, outside), f32x4.sub(end, start));
  const areas = f32x4.mul(v128.bitselect(low, mean, f32x4.eq(low, high)), f32x4.sub(from, to));
  const pairs = f32x4.add(areas, v128.shuffle<f32>(areas, areas, 2, 3, 0, 1));
  const area = f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
  return area - share * (areaOf(a) + areaOf(b));
}

// @ts-ignore: decorator
@inline
function within(v: v128, most: v128): v128 {
  return f32x4.pmin(f32x4.pmax(v, f32x4.neg(most)), most);
}

/** Of a square whose side is half of all four sides of both boxes: over two million pairs of all shapes, 9e-8 was the worst. */
const DOUBT: f32 = 1e-5;
/** Products of smaller numbers lose digits. */
const LEAST_DOUBT: f32 = 1e-30;

// @ts-ignore: decorator
@inline
export function doubtOf(a: usize, b: usize): f32 {
  const size = load<f32>(a, HALF) + load<f32>(a, HALF + 4) + load<f32>(b, HALF) + load<f32>(b, HALF + 4);
  return size * size * DOUBT + LEAST_DOUBT;
}
