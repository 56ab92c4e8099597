// Rows of pixels resized by neighbours with coefficients of 11 bits: the arithmetic of OpenCV's INTER_LINEAR and INTER_CUBIC on bytes,
// first across each row of the source, then down the resized rows.
//
// A resized row has four values for each pixel: three channels in the order of the result, and one that means nothing. `shuffle` picks
// the channels out of grey, RGB or RGBA, so that one kernel reads all three. Every pixel has its entry in `taps`: the offset of its
// first neighbour in bytes, then two coefficients of 16 bits for each pair of neighbours. Where two pixels are made at once, one more
// entry is read and one more pixel is written.

import { swizzle } from "../lanes";

/** i16 (count, 4): sums of two neighbours, of which OpenCV keeps 15 bits. */
export function bilinear_across(src: usize, shuffle: usize, taps: usize, count: i32, dst: usize): void {
  const pair = v128.load(shuffle);
  for (let i = 0; i < count; i += 2) {
    const first = pairSum(v128.load64_zero(src + load<u32>(taps)), pair, v128.load32_splat(taps, 4));
    const second = pairSum(v128.load64_zero(src + load<u32>(taps, 8)), pair, v128.load32_splat(taps, 12));
    v128.store(dst, i16x8.narrow_i32x4_s(i32x4.shr_u(first, 4), i32x4.shr_u(second, 4)));
    taps += 16;
    dst += 16;
  }
}

// @ts-ignore: decorator
@inline
function pairSum(pixels: v128, pair: v128, coefficients: v128): v128 {
  return i32x4.dot_i16x8_s(swizzle(pixels, pair), coefficients);
}

/** u8 (count, 4): two rows of `bilinear_across` weighed, each product rounded down before they meet, as OpenCV does it. */
export function bilinear_down(upper: usize, lower: usize, upperWeight: i32, lowerWeight: i32, count: i32, dst: usize): void {
  // Two pixels are eight words. A pair's product with one weight and a 0 is that of its even, or of its odd word.
  const upperEven = i32x4.splat(upperWeight);
  const lowerEven = i32x4.splat(lowerWeight);
  const upperOdd = i32x4.shl(upperEven, 16);
  const lowerOdd = i32x4.shl(lowerEven, 16);
  for (let i = 0; i < count; i += 2) {
    const above = v128.load(upper);
    const below = v128.load(lower);
    const even = weighed(above, below, upperEven, lowerEven);
    const odd = weighed(above, below, upperOdd, lowerOdd);
    const words = v128.or(even, i32x4.shl(odd, 16));
    v128.store64_lane(dst, i8x16.narrow_i16x8_u(words, words), 0);
    upper += 16;
    lower += 16;
    dst += 8;
  }
}

// @ts-ignore: decorator
@inline
function weighed(above: v128, below: v128, upper: v128, lower: v128): v128 {
  const fromAbove = i32x4.shr_u(i32x4.dot_i16x8_s(above, upper), 16);
  const fromBelow = i32x4.shr_u(i32x4.dot_i16x8_s(below, lower), 16);
  return i32x4.shr_u(i32x4.add(i32x4.add(fromAbove, fromBelow), i32x4.splat(2)), 2);
}

/**
 * u8 (count, 4): means of two neighbours in each of two rows, halves up, of pixels that stand `step` bytes apart: what `bilinear_across`
 * and `bilinear_down` make where both sides are halved.
 */
export function half_row(upper: usize, lower: usize, shuffle: usize, step: usize, count: i32, dst: usize): void {
  const pair = v128.load(shuffle);
  for (let i = 0; i < count; i += 2) {
    const first = squareMean(upper, lower, pair);
    const second = squareMean(upper + step, lower + step, pair);
    const words = i16x8.narrow_i32x4_s(first, second);
    v128.store64_lane(dst, i8x16.narrow_i16x8_u(words, words), 0);
    upper += 2 * step;
    lower += 2 * step;
    dst += 8;
  }
}

// @ts-ignore: decorator
@inline
function squareMean(upper: usize, lower: usize, pair: v128): v128 {
  const columns = i16x8.add(swizzle(v128.load64_zero(upper), pair), swizzle(v128.load64_zero(lower), pair));
  return i32x4.shr_u(i32x4.add(i32x4.dot_i16x8_s(columns, i16x8.splat(1)), i32x4.splat(2)), 2);
}

/** i32 (count, 4): sums of four neighbours. */
export function bicubic_across(src: usize, shuffle: usize, taps: usize, count: i32, dst: usize): void {
  const first = v128.load(shuffle);
  const second = v128.load(shuffle, 16);
  for (let i = 0; i < count; i++) {
    const pixels = v128.load(src + load<u32>(taps));
    const left = pairSum(pixels, first, v128.load32_splat(taps, 4));
    v128.store(dst, i32x4.add(left, pairSum(pixels, second, v128.load32_splat(taps, 8))));
    taps += 12;
    dst += 16;
  }
}

/** u8 (count, 4): four rows of `bicubic_across` weighed, and rounded once. `rows` has their pointers, each with its weight. */
export function bicubic_down(rows: usize, count: i32, dst: usize): void {
  const one: usize = load<u32>(rows);
  const two: usize = load<u32>(rows, 8);
  const three: usize = load<u32>(rows, 16);
  const four: usize = load<u32>(rows, 24);
  const weightOne = v128.load32_splat(rows, 4);
  const weightTwo = v128.load32_splat(rows, 12);
  const weightThree = v128.load32_splat(rows, 20);
  const weightFour = v128.load32_splat(rows, 28);
  const half = i32x4.splat(1 << 21);
  const end = <usize>count * 16;
  for (let at: usize = 0; at < end; at += 16) {
    const outer = i32x4.add(i32x4.mul(v128.load(one + at), weightOne), i32x4.mul(v128.load(four + at), weightFour));
    const inner = i32x4.add(i32x4.mul(v128.load(two + at), weightTwo), i32x4.mul(v128.load(three + at), weightThree));
    const byte = i32x4.shr_s(i32x4.add(i32x4.add(outer, inner), half), 22);
    const words = i16x8.narrow_i32x4_s(byte, byte);
    v128.store32_lane(dst, i8x16.narrow_i16x8_u(words, words), 0);
    dst += 4;
  }
}
