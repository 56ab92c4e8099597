// Rows of pixels resized by neighbours with coefficients of 11 bits: the arithmetic of OpenCV's INTER_LINEAR and INTER_CUBIC on bytes.
//
// Results have four bytes for each pixel: three channels in the order of the result, and one that means nothing. `shuffle` picks the
// channels out of grey, RGB or RGBA, so that one kernel reads all three. Every pixel has its entry in `taps`: the offset of its first
// neighbour in bytes, then two coefficients of 16 bits for each pair of neighbours. One more entry is read where `count` is odd.

import { swizzle } from "../lanes";

/** u8 (count, 4): pairs of neighbours in two rows, whose sums are rounded down twice before they meet, as OpenCV does it. */
export function bilinear_row(
  upper: usize,
  lower: usize,
  upperWeight: i32,
  lowerWeight: i32,
  shuffle: usize,
  taps: usize,
  count: i32,
  dst: usize,
): void {
  const pair = v128.load(shuffle);
  // Sums have 15 bits by then: as words they stand in the low half of a lane, so that a pair's product is that of the low half.
  const above = i32x4.splat(upperWeight);
  const below = i32x4.splat(lowerWeight);
  for (let i = 0; i < count; i += 2) {
    const first = bilinear(upper + load<u32>(taps), lower + load<u32>(taps), load<i32>(taps, 4), pair, above, below);
    const second = bilinear(upper + load<u32>(taps, 8), lower + load<u32>(taps, 8), load<i32>(taps, 12), pair, above, below);
    const words = i16x8.narrow_i32x4_s(first, second);
    v128.store64_lane(dst, i8x16.narrow_i16x8_u(words, words), 0);
    taps += 16;
    dst += 8;
  }
}

// @ts-ignore: decorator
@inline
function bilinear(upper: usize, lower: usize, coefficients: i32, pair: v128, above: v128, below: v128): v128 {
  const weights = i32x4.splat(coefficients);
  const a = i32x4.shr_u(i32x4.dot_i16x8_s(swizzle(v128.load64_zero(upper), pair), weights), 4);
  const b = i32x4.shr_u(i32x4.dot_i16x8_s(swizzle(v128.load64_zero(lower), pair), weights), 4);
  const fromA = i32x4.shr_u(i32x4.dot_i16x8_s(a, above), 16);
  const fromB = i32x4.shr_u(i32x4.dot_i16x8_s(b, below), 16);
  return i32x4.shr_u(i32x4.add(i32x4.add(fromA, fromB), i32x4.splat(2)), 2);
}

/** u8 (count, 4): four neighbours in each of four rows, whose pointers and weights stand in `rows`; one rounding of 22 bits. */
export function bicubic_row(rows: usize, shuffle: usize, taps: usize, count: i32, dst: usize): void {
  const firstPair = v128.load(shuffle);
  const secondPair = v128.load(shuffle, 16);
  for (let i = 0; i < count; i++) {
    const offset = load<u32>(taps);
    const first = v128.load32_splat(taps, 4);
    const second = v128.load32_splat(taps, 8);
    let sum = i32x4.splat(1 << 21);
    for (let row: usize = 0; row < 32; row += 8) {
      const pixels = v128.load(load<u32>(rows + row) + offset);
      const across = i32x4.add(
        i32x4.dot_i16x8_s(swizzle(pixels, firstPair), first),
        i32x4.dot_i16x8_s(swizzle(pixels, secondPair), second),
      );
      sum = i32x4.add(sum, i32x4.mul(across, v128.load32_splat(rows + row, 4)));
    }
    const byte = i32x4.shr_s(sum, 22);
    const words = i16x8.narrow_i32x4_s(byte, byte);
    v128.store32_lane(dst, i8x16.narrow_i16x8_u(words, words), 0);
    taps += 12;
    dst += 4;
  }
}
