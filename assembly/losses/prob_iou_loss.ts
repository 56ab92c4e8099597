// deno-lint-ignore-file no-unused-vars verbatim-module-syntax -- classes are the shapes of memory
// ProbIoU loss of rotated boxes: √(1 − e^(−Bd)), Bd Bhattacharyya's distance of Gaussians with covariances w²/12, h²/12.
//
// With D = 144 |Σ + Σ'|, e^(−Bd) = e^(−q)/√ρ, where q = 3 far/D is the part of the centres and ρ = D/(4wh·w'h') that of the shapes.
// The target is turned by quarters, its sides exchanged, until the angle Δ between the boxes is at most an eighth of a turn. Then
// differences of the boxes are differences of their numbers, and no terms cancel near equality:
//
//   M = wh − w'h', K = wh' − w'h, both by w − w' and h − h';  E = (w² − h²)(w'² − h'²)
//   D = (w² + w'²)(h² + h'²) + E sin²Δ,  4wh·w'h'(ρ − 1) = M² + K² + E sin²Δ
//
// far = w²X² + h²A² + w'²X'² + h'²A'², with A along a box's width and X across it the vector between the centres. Rotations to the
// predicted box's frame and angles are in float64, all else in float32. What that does not hold goes through `exactPair` in
// float64: thin boxes, sizes far from each other or from 1, boxes all but equal or without area.

import { lostBy } from "../boxes/rotated_pair";
import { EXP, SHIFTED } from "../boxes/softmax_tile";
import { turnOf } from "../boxes/turn";
import { LossBlock } from "../generated/loss_blocks";
import { laneMask, madd, nmadd, select } from "../lanes";
import { VALUES } from "./box_loss";
import { scaleInto, sumOf } from "./classify";
import { halvings, halvingSlope, withoutHalvings } from "./decay";
import { BLOCK } from "./passes";
import { NO_WEIGHT } from "./weights";

/** Bytes of a box. */
const BOX: usize = 20;

/** Angles: what half turns and quarters are, and polynomials of sine and cosine up to a quarter, with errors of 3e-11 and 8e-13. */
const TURNS = memory.data<f64>([
  6755399441055744, // 1.5 · 2^52: adding it rounds to an integer and leaves that in the low bits
  // 1 / π; π in two parts, of which the first has few bits; the same of a quarter.
  0.3183098861837907, 3.1415926534682512, 1.2154201013012384e-10,
  0.6366197723675814, 1.5707963267341256, 6.077100506506192e-11,
  0.9999999999829089, -0.16666666616790812, 0.008333330973271878, -0.00019840861058037127,
  2.752526349541792e-06, -2.3889104032675583e-08,
  0.9999999999992475, -0.4999999999701097, 0.041666666472755555, -0.0013888884168917724,
  2.4801039765553435e-05, -2.752466398948386e-07, 1.9907411285340395e-09,
]);
const SINE: usize = 56;
const COSINE: usize = 104;

/** Of shapes: beyond this nothing is left of 1. */
const MOST_EXCESS: f64 = 1e100;

const NUMBERS = memory.data<f32>([
  1, 0.5, 4.328085122666891, 6, 4, // the third: 3 log2 e
  // Sine and cosine up to an eighth of a turn: 5e-9, 1e-9.
  -0.16666664661714697, 0.008332748154085029, -0.00019587865702101466,
  0.041666664658901405, -0.0013888302919113629, 2.4547916853690606e-05,
  86, // q at most: 2^-86 is nothing beside 1
  1e7, 1e-5, 1e5, // sizes and distances at most, sizes at least, angles at most
  1e3, 64, // the longest side over the shortest at most; squared distances that cancel across the target, over D, at most
  16, 1e-12, // for gradients: the longest side over the shortest at most; the square of the loss at least
  29, // q of which 2^-q is nothing beside 1 in float32
  1.3862943611198906, // 2 ln 2
]);
const ONE: usize = 0;
const HALF: usize = 4;
const THREE: usize = 8;
const SIX: usize = 12;
const FOUR: usize = 16;
const SIN_1: usize = 20;
const SIN_2: usize = 24;
const SIN_3: usize = 28;
const COS_1: usize = 32;
const COS_2: usize = 36;
const COS_3: usize = 40;
const MOST_Q: usize = 44;
const LARGEST: usize = 48;
const SMALLEST: usize = 52;
const MOST_ANGLE: usize = 56;
const THINNEST: usize = 60;
const MOST_SLIP: usize = 64;
const THINNEST_SLOPES: usize = 68;
const LEAST_SQUARE: usize = 72;
const FAR: usize = 76;
const TWICE: usize = 80;

export function prob_iou_loss(call: usize): void {
  const k = changetype<LossBlock>(call);
  const rows = k.count / 5;
  for (let done = 0; done < rows; done += BLOCK) block(k, done, min(BLOCK, rows - done));
}

function block(k: LossBlock, first: i32, count: i32): void {
  const weights: usize = k.weightKind == NO_WEIGHT ? 0 : k.weight + (<usize> first << 2);
  for (let done = 0; done < count; done += TILE) {
    const at = <usize> (first + done) * BOX;
    const line = <usize> done << 2;
    tile(k, at, weights == 0 ? 0 : weights + line, VALUES + line, min(TILE, count - done));
  }
  if (k.values == 0) k.sum += sumOf(VALUES, count);
  else scaleInto(k.values + (<usize> first << 2), VALUES, count, k.factor);
}

/**
 * Pairs from the byte `at` on: their weighted losses to `values`. In passes over the tile, because one chain through all steps would
 * wait for itself.
 */
function tile(k: LossBlock, at: usize, weights: usize, values: usize, count: i32): void {
  const pred = k.pred + at;
  const target = k.target + at;
  const pairs = <usize> (count + 3) & ~3;
  for (let i: usize = 0; i < pairs; i += 2) face(twoAt(i), pred + i * BOX, target + i * BOX);
  for (let i: usize = 0; i < pairs; i += 4) measure(fourAt(i), twoAt(i), twoAt(i + 2), pred + i * BOX, target + i * BOX);
  for (let i: usize = 0; i < pairs; i += 4) finish(fourAt(i), twoAt(i), twoAt(i + 2));
  const to: usize = k.grad == 0 ? 0 : k.grad + at;
  for (let i: usize = 0; i < pairs; i += 4) {
    const four = fourAt(i);
    const weight = weights == 0 ? number(ONE) : v128.load(weights + (i << 2));
    four.scale = f32x4.mul(k.factor4(), weight);
    if (to != 0) storeGradient(four, twoAt(i), twoAt(i + 2), to + i * BOX);
    const hard = to == 0 ? four.hard : v128.or(four.hard, four.hardSlopes);
    const there = laneMask(count - <i32> i);
    if (v128.any_true(v128.and(hard, there))) {
      exactPairs(four, pred + i * BOX, target + i * BOX, to == 0 ? 0 : to + i * BOX, min(4, count - <i32> i));
    }
    v128.store(values + (i << 2), f32x4.mul(four.loss, weight));
  }
}

/** The pairs that need float64. */
function exactPairs(k: Four, pred: usize, target: usize, to: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    const lane = changetype<usize>(k) + (<usize> i << 2);
    const hard = load<i32>(lane, offsetof<Four>("hard")) != 0;
    if (!hard && (to == 0 || load<i32>(lane, offsetof<Four>("hardSlopes")) == 0)) continue;
    const at = <usize> i * BOX;
    const scale = load<f32>(lane, offsetof<Four>("scale"));
    const value = exactPair(pred + at, target + at, to == 0 ? 0 : to + at, scale);
    // The value is the same without a gradient.
    if (hard) store<f32>(lane, value, offsetof<Four>("loss"));
  }
}

/** Pairs of a tile. */
const TILE: i32 = 32;

/** Two pairs in float64, demoted to the low halves. */
@unmanaged
class Two {
  // The vector between the centres in the predicted boxes' frames.
  along!: v128;
  across!: v128;
  /** From the predicted boxes' angles to the targets', without quarters. */
  turn!: v128;
  /** How many quarters, in the low bits of 64. */
  quarters!: v128;
  // Of the predicted boxes' angles.
  sine!: v128;
  cosine!: v128;
  /** The larger of both angles. */
  angles!: v128;
}

/** Four pairs. */
@unmanaged
class Four {
  // The predicted boxes' sides, and the targets' as seen after quarter turns.
  w!: v128;
  h!: v128;
  w1!: v128;
  h1!: v128;
  // The vector between the centres in the predicted boxes' frames, and in the targets'.
  along!: v128;
  across!: v128;
  along1!: v128;
  across1!: v128;
  sin!: v128;
  cos!: v128;
  /** (w'² − h'²) sin²Δ. */
  turned!: v128;
  /** 1 / D. */
  inverse!: v128;
  /** ρ − 1. */
  excess!: v128;
  /** q log2 e. */
  q!: v128;
  /** e^−q. */
  decay!: v128;
  /** √ρ. */
  root!: v128;
  loss!: v128;
  // Ones where the value, and where the gradient needs float64.
  hard!: v128;
  hardSlopes!: v128;
  /** What gradients are multiplied by. */
  scale!: v128;
}

// The tile, in scratch of the distributions' kernels.

// @ts-ignore: decorator
@inline
function twoAt(pair: usize): Two {
  return changetype<Two>(SHIFTED + (pair >> 1) * offsetof<Two>());
}

// @ts-ignore: decorator
@inline
function fourAt(pair: usize): Four {
  return changetype<Four>(EXP + (pair >> 2) * offsetof<Four>());
}

/** Two pairs in float64: how the predicted box sees the target. */
// @ts-ignore: decorator
@inline
function face(k: Two, pred: usize, target: usize): void {
  const first = f64x2.sub(pointAt(pred), pointAt(target));
  const second = f64x2.sub(pointAt(pred + BOX), pointAt(target + BOX));
  const own = anglesAt(pred);
  const other = anglesAt(target);
  k.angles = f32x4.pmax(f32x4.abs(own), f32x4.abs(other));
  const angle = f64x2.promote_low_f32x4(own);
  const turn = f64x2.sub(f64x2.promote_low_f32x4(other), angle);
  const count = f64x2.add(f64x2.mul(turn, turns(32)), turns(0));
  k.turn = f32x4.demote_f64x2_zero(reduced(turn, count, 40));
  k.quarters = count;
  // Half turns change the signs of both, which nothing depends on.
  const rest = reduced(angle, f64x2.add(f64x2.mul(angle, turns(8)), turns(0)), 16);
  const z = f64x2.mul(rest, rest);
  const z2 = f64x2.mul(z, z);
  // In pairs: a chain would wait for itself.
  const sinHigh = f64x2.add(step(z, SINE + 16), f64x2.mul(z2, step(z, SINE + 32)));
  const sine = f64x2.mul(rest, f64x2.add(step(z, SINE), f64x2.mul(z2, sinHigh)));
  k.sine = f32x4.demote_f64x2_zero(sine);
  const cosHigh = f64x2.add(step(z, COSINE + 16), f64x2.mul(z2, f64x2.add(step(z, COSINE + 32), f64x2.mul(z2, turns(COSINE + 48)))));
  const cosine = f64x2.add(step(z, COSINE), f64x2.mul(z2, cosHigh));
  k.cosine = f32x4.demote_f64x2_zero(cosine);
  const x = v128.shuffle<f64>(first, second, 0, 2);
  const y = v128.shuffle<f64>(first, second, 1, 3);
  const along = f64x2.add(f64x2.mul(x, cosine), f64x2.mul(y, sine));
  const across = f64x2.sub(f64x2.mul(y, cosine), f64x2.mul(x, sine));
  k.along = f32x4.demote_f64x2_zero(along);
  k.across = f32x4.demote_f64x2_zero(across);
}

/** Sides, the angle between the boxes, and both parts of Bd. */
// @ts-ignore: decorator
@inline
function measure(k: Four, near: Two, far: Two, pred: usize, target: usize): void {
  const own = v128.shuffle<f64>(sidesAt(pred), sidesAt(pred + 2 * BOX), 0, 2);
  const ownHigh = v128.shuffle<f64>(sidesAt(pred), sidesAt(pred + 2 * BOX), 1, 3);
  const other = v128.shuffle<f64>(sidesAt(target), sidesAt(target + 2 * BOX), 0, 2);
  const otherHigh = v128.shuffle<f64>(sidesAt(target), sidesAt(target + 2 * BOX), 1, 3);
  const odd = i32x4.shr_s(i32x4.shl(v128.shuffle<i32>(near.quarters, far.quarters, 0, 2, 4, 6), 31), 31);
  const w1 = select(otherHigh, other, odd);
  const h1 = select(other, otherHigh, odd);
  k.w = own;
  k.h = ownHigh;
  k.w1 = w1;
  k.h1 = h1;

  const turn = joined(near.turn, far.turn);
  const z = f32x4.mul(turn, turn);
  const sinSeries = madd(madd(number(SIN_3), z, number(SIN_2)), z, number(SIN_1));
  const sin = madd(f32x4.mul(sinSeries, z), turn, turn);
  const cosSeries = madd(madd(number(COS_3), z, number(COS_2)), z, number(COS_1));
  const cos = f32x4.add(nmadd(z, number(HALF), f32x4.mul(f32x4.mul(cosSeries, z), z)), number(ONE));
  k.sin = sin;
  k.cos = cos;

  const w = k.w;
  const h = k.h;
  const dw = f32x4.sub(w, w1);
  const dh = f32x4.sub(h, h1);
  const areas = madd(w, dh, f32x4.mul(h1, dw));
  const crossed = f32x4.sub(f32x4.mul(h, dw), f32x4.mul(w, dh));
  const w2 = f32x4.mul(w, w);
  const h2 = f32x4.mul(h, h);
  const w3 = f32x4.mul(w1, w1);
  const h3 = f32x4.mul(h1, h1);
  const shape = f32x4.mul(f32x4.sub(w, h), f32x4.add(w, h));
  const turned = f32x4.mul(f32x4.mul(f32x4.sub(w1, h1), f32x4.add(w1, h1)), f32x4.mul(sin, sin));
  const joint = f32x4.mul(shape, turned);
  const determinant = madd(f32x4.add(w2, w3), f32x4.add(h2, h3), joint);
  const unlike = f32x4.add(joint, madd(areas, areas, f32x4.mul(crossed, crossed)));
  const excess = f32x4.div(unlike, f32x4.mul(number(FOUR), f32x4.mul(f32x4.mul(w, h), f32x4.mul(w1, h1))));
  const inverse = f32x4.div(number(ONE), determinant);
  k.turned = turned;
  k.inverse = inverse;

  const along = joined(near.along, far.along);
  const across = joined(near.across, far.across);
  k.along = along;
  k.across = across;
  const along1 = madd(along, k.cos, f32x4.mul(across, k.sin));
  const across1 = nmadd(along, k.sin, f32x4.mul(across, k.cos));
  const ownFar = madd(w2, f32x4.mul(across, across), f32x4.mul(h2, f32x4.mul(along, along)));
  const otherFar = madd(w3, f32x4.mul(across1, across1), f32x4.mul(h3, f32x4.mul(along1, along1)));
  const q = f32x4.mul(f32x4.mul(number(THREE), f32x4.add(ownFar, otherFar)), inverse);
  k.along1 = along1;
  k.across1 = across1;
  k.excess = excess;
  k.q = q;
}

/** The loss, and what of it float32 does not hold. */
// @ts-ignore: decorator
@inline
function finish(k: Four, near: Two, far: Two): void {
  // power + part p = e^−q.
  const held = f32x4.pmin(k.q, number(MOST_Q));
  const rounded = halvings(held);
  const rest = withoutHalvings(held, rounded);
  const p = halvingSlope(rest);
  const power = i32x4.shl(rounded, 23);
  const part = f32x4.mul(rest, power);
  const decay = madd(p, part, power);
  const lost = nmadd(p, part, f32x4.sub(number(ONE), power));
  const excess = k.excess;
  const root = f32x4.sqrt(f32x4.add(excess, number(ONE)));
  const squared = madd(decay, f32x4.div(excess, madd(root, root, root)), lost);
  const loss = f32x4.sqrt(squared);
  k.decay = decay;
  k.root = root;
  k.loss = loss;
  const shortest = f32x4.pmin(f32x4.pmin(k.w, k.h), f32x4.pmin(k.w1, k.h1));
  const longest = f32x4.pmax(f32x4.pmax(k.w, k.h), f32x4.pmax(k.w1, k.h1));
  const reach = f32x4.pmax(f32x4.abs(k.along), f32x4.abs(k.across));
  const sizes = v128.and(f32x4.ge(shortest, number(SMALLEST)), f32x4.le(longest, f32x4.mul(shortest, number(THINNEST))));
  // Distances that cancel across the target, as shares of its extent, unless the boxes are so far apart that none matters.
  const slip = f32x4.mul(f32x4.mul(f32x4.pmax(k.w1, k.h1), k.sin), reach);
  const clear = v128.or(f32x4.le(f32x4.mul(slip, f32x4.mul(slip, k.inverse)), number(MOST_SLIP)), f32x4.ge(k.q, number(FAR)));
  const angles = f32x4.le(joined(near.angles, far.angles), number(MOST_ANGLE));
  const extents = v128.and(f32x4.le(f32x4.pmax(longest, reach), number(LARGEST)), angles);
  // Comparisons are false of NaN.
  k.hard = v128.not(v128.and(v128.and(v128.and(sizes, clear), extents), f32x4.eq(loss, loss)));
  const good = v128.and(f32x4.le(longest, f32x4.mul(shortest, number(THINNEST_SLOPES))), f32x4.ge(squared, number(LEAST_SQUARE)));
  k.hardSlopes = v128.not(good);
}

// @ts-ignore: decorator
@inline
function storeGradient(k: Four, near: Two, far: Two, to: usize): void {
  const cosine = joined(near.cosine, far.cosine);
  const sine = joined(near.sine, far.sine);
  // e^−Bd / (2 loss D).
  const all = f32x4.mul(f32x4.div(f32x4.mul(k.decay, number(HALF)), f32x4.mul(k.loss, k.root)), k.inverse);
  const six = f32x4.mul(number(SIX), all);
  const w = k.w;
  const h = k.h;
  const w1 = k.w1;
  const h1 = k.h1;
  const w2 = f32x4.mul(w, w);
  const h2 = f32x4.mul(h, h);
  const w3 = f32x4.mul(w1, w1);
  const h3 = f32x4.mul(h1, h1);
  const byAlong = f32x4.mul(h3, k.along1);
  const byAcross = f32x4.mul(w3, k.across1);
  const slopeAlong = madd(h2, k.along, f32x4.sub(f32x4.mul(byAlong, k.cos), f32x4.mul(byAcross, k.sin)));
  const slopeAcross = madd(w2, k.across, madd(byAlong, k.sin, f32x4.mul(byAcross, k.cos)));
  const x = f32x4.mul(six, f32x4.sub(f32x4.mul(slopeAlong, cosine), f32x4.mul(slopeAcross, sine)));
  const y = f32x4.mul(six, madd(slopeAlong, sine, f32x4.mul(slopeAcross, cosine)));
  const twice = f32x4.mul(k.q, number(TWICE));
  const shape = f32x4.mul(f32x4.sub(w, h), f32x4.add(w, h));
  const otherShape = f32x4.mul(f32x4.sub(w1, h1), f32x4.add(w1, h1));
  const byTurn = f32x4.mul(f32x4.sub(number(ONE), twice), f32x4.mul(f32x4.mul(k.sin, k.cos), otherShape));
  const crosswise = madd(f32x4.mul(number(SIX), k.along), k.across, byTurn);
  const scaled = f32x4.mul(all, k.scale);
  const angle = f32x4.neg(f32x4.mul(f32x4.mul(scaled, shape), crosswise));
  v128.store32_lane(to + 16, angle, 0);
  v128.store32_lane(to + BOX + 16, angle, 1);
  v128.store32_lane(to + 2 * BOX + 16, angle, 2);
  v128.store32_lane(to + 3 * BOX + 16, angle, 3);
  const widths = f32x4.add(w2, w3);
  const heights = f32x4.add(h2, h3);
  const both = f32x4.mul(k.turned, f32x4.add(w2, h2));
  const wide = madd(heights, f32x4.mul(f32x4.sub(w, w1), f32x4.add(w, w1)), both);
  const high = f32x4.sub(f32x4.mul(widths, f32x4.mul(f32x4.sub(h, h1), f32x4.add(h, h1))), both);
  const farWide = f32x4.sub(
    f32x4.mul(number(SIX), f32x4.mul(k.across, k.across)),
    f32x4.mul(twice, f32x4.add(heights, k.turned)),
  );
  const farHigh = f32x4.sub(
    f32x4.mul(number(SIX), f32x4.mul(k.along, k.along)),
    f32x4.mul(twice, f32x4.sub(widths, k.turned)),
  );
  const slopeW = f32x4.mul(scaled, madd(w, farWide, f32x4.div(f32x4.mul(number(HALF), wide), w)));
  const slopeH = f32x4.mul(scaled, madd(h, farHigh, f32x4.div(f32x4.mul(number(HALF), high), h)));
  const xy = f32x4.mul(x, k.scale);
  const yx = f32x4.mul(y, k.scale);
  const xy0 = v128.shuffle<f32>(xy, yx, 0, 4, 1, 5);
  const xy1 = v128.shuffle<f32>(xy, yx, 2, 6, 3, 7);
  const wh0 = v128.shuffle<f32>(slopeW, slopeH, 0, 4, 1, 5);
  const wh1 = v128.shuffle<f32>(slopeW, slopeH, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f64>(xy0, wh0, 0, 2));
  v128.store(to + BOX, v128.shuffle<f64>(xy0, wh0, 1, 3));
  v128.store(to + 2 * BOX, v128.shuffle<f64>(xy1, wh1, 0, 2));
  v128.store(to + 3 * BOX, v128.shuffle<f64>(xy1, wh1, 1, 3));
}

// @ts-ignore: decorator
@inline
function number(at: usize): v128 {
  return v128.load32_splat(NUMBERS + at);
}

// @ts-ignore: decorator
@inline
function turns(at: usize): v128 {
  return v128.load64_splat(TURNS + at);
}

// @ts-ignore: decorator
@inline
function joined(near: v128, far: v128): v128 {
  return v128.shuffle<f64>(near, far, 0, 2);
}

/** x and y of a box. */
// @ts-ignore: decorator
@inline
function pointAt(box: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(box));
}

/** w, w, h, h of two boxes. */
// @ts-ignore: decorator
@inline
function sidesAt(box: usize): v128 {
  return v128.shuffle<f32>(v128.load64_zero(box + 8), v128.load64_zero(box + BOX + 8), 0, 4, 1, 5);
}

/** The angles of two boxes. */
// @ts-ignore: decorator
@inline
function anglesAt(box: usize): v128 {
  return v128.load32_lane(box + BOX + 16, v128.load32_zero(box + 16), 1);
}

/** The angle without so many half turns or quarters, whose size is at `unit`. */
// @ts-ignore: decorator
@inline
function reduced(angle: v128, count: v128, unit: usize): v128 {
  const whole = f64x2.sub(count, turns(0));
  return f64x2.sub(f64x2.sub(angle, f64x2.mul(whole, turns(unit))), f64x2.mul(whole, turns(unit + 8)));
}

/** Two terms of a polynomial. */
// @ts-ignore: decorator
@inline
function step(z: v128, at: usize): v128 {
  return f64x2.add(turns(at), f64x2.mul(z, turns(at + 8)));
}

/** A side: a negative one counts as 0, an infinite one as the largest number. */
// @ts-ignore: decorator
@inline
function sideOf(at: usize): f64 {
  const side = numberAt(at);
  return side < 0 ? 0 : side;
}

/** An infinite number counts as the largest one; NaN stays. */
// @ts-ignore: decorator
@inline
function numberAt(at: usize): f64 {
  const found = <f64> load<f32>(at);
  return found > f32.MAX_VALUE ? f32.MAX_VALUE : found < -f32.MAX_VALUE ? -f32.MAX_VALUE : found;
}

// @ts-ignore: decorator
@inline
function storeScaled(to: usize, slope: f64, scale: f32): void {
  const most = <f64> f32.MAX_VALUE;
  store<f32>(to, <f32> (slope > most ? most : slope < -most ? -most : slope) * scale);
}

/** All five members. */
function fill(to: usize, value: f32): void {
  if (to == 0) return;
  for (let i: usize = 0; i < BOX; i += 4) store<f32>(to + i, value);
}

/** One pair in float64: its loss, and its gradient times `scale` to `to`, if that is not 0. */
function exactPair(pred: usize, target: usize, to: usize, scale: f32): f32 {
  const turn = turnOf(pred + 16);
  const otherTurn = turnOf(target + 16);
  const c = f64x2.extract_lane(turn, 0);
  const s = f64x2.extract_lane(turn, 1);
  const c1 = f64x2.extract_lane(otherTurn, 0);
  const s1 = f64x2.extract_lane(otherTurn, 1);
  const x = numberAt(pred) - numberAt(target);
  const y = numberAt(pred + 4) - numberAt(target + 4);
  const w = sideOf(pred + 8);
  const h = sideOf(pred + 12);
  let w1 = sideOf(target + 8);
  let h1 = sideOf(target + 12);
  const sum = x + y + w + h + w1 + h1 + c + c1;
  if (sum != sum) {
    fill(to, NaN);
    return NaN;
  }
  if (w * h == 0 || w1 * h1 == 0) {
    fill(to, 0);
    return x == 0 && y == 0 && w == w1 && h == h1 && c == c1 && s == s1 ? 0 : 1;
  }
  let sin = c * s1 - s * c1;
  let cos = c * c1 + s * s1;
  if (abs(sin) > abs(cos)) {
    const side = w1;
    w1 = h1;
    h1 = side;
    const turned = -cos;
    cos = sin;
    sin = turned;
  }
  const along = x * c + y * s;
  const across = y * c - x * s;
  const otherAlong = along * cos + across * sin;
  const otherAcross = across * cos - along * sin;
  const dw = w - w1;
  const dh = h - h1;
  const areas = w * dh + h1 * dw;
  const crossed = h * dw - w * dh;
  const widths = w * w + w1 * w1;
  const heights = h * h + h1 * h1;
  const shape = (w - h) * (w + h);
  const otherShape = (w1 - h1) * (w1 + h1);
  const turned = otherShape * sin * sin;
  const determinant = widths * heights + shape * turned;
  const unlike = areas * areas + crossed * crossed + shape * turned;
  const byAlong = h1 * (h1 * otherAlong);
  const byAcross = w1 * (w1 * otherAcross);
  const far = w * (w * across) * across + h * (h * along) * along + byAcross * otherAcross + byAlong * otherAlong;
  const q = 3 * far / determinant;
  const excess = min(unlike / (4 * (w * h) * (w1 * h1)), MOST_EXCESS);
  const lost = f64x2.extract_lane(lostBy(f64x2.splat(q)), 0);
  const root = sqrt(1 + excess);
  const loss = sqrt(lost + (1 - lost) * (excess / (root * (root + 1))));
  if (to == 0) return <f32> loss;
  if (loss == 0) {
    fill(to, 0);
    return 0;
  }
  const all = (1 - lost) / (2 * root * loss) / determinant;
  const slopeAlong = h * h * along + byAlong * cos - byAcross * sin;
  const slopeAcross = w * w * across + byAlong * sin + byAcross * cos;
  const both = turned * (w * w + h * h);
  const wide = heights * (dw * (w + w1)) + both;
  const high = widths * (dh * (h + h1)) - both;
  storeScaled(to, 6 * all * (slopeAlong * c - slopeAcross * s), scale);
  storeScaled(to + 4, 6 * all * (slopeAlong * s + slopeAcross * c), scale);
  storeScaled(to + 8, all * (w * (6 * across * across - 2 * q * (heights + turned)) + wide / (2 * w)), scale);
  storeScaled(to + 12, all * (h * (6 * along * along - 2 * q * (widths - turned)) + high / (2 * h)), scale);
  storeScaled(to + 16, -all * shape * (6 * along * across + (1 - 2 * q) * sin * cos * otherShape), scale);
  return <f32> loss;
}
