// Rows of pixels resized by the mean over each pixel's cell. Weights are whole numbers: a source pixel has `1 << shift`, one that a
// cell has a part of has that part of it. So sums are exact, and only the quotient is rounded.

import { swizzle } from "../lanes";

/**
 * i32 (values): weighed sums of the rows in `list`, pairs of them: two pointers, and two weights of 16 bits. `more` adds to the sums that
 * are there. Up to 15 values past the end are read and written.
 */
export function area_rows(list: usize, pairs: i32, values: i32, sums: usize, more: i32): void {
  const end = list + 12 * <usize>pairs;
  for (let at: usize = 0; at < <usize>values; at += 16) {
    let first = i32x4.splat(0);
    let second = first;
    let third = first;
    let fourth = first;
    if (more != 0) {
      first = v128.load(sums);
      second = v128.load(sums, 16);
      third = v128.load(sums, 32);
      fourth = v128.load(sums, 48);
    }
    for (let pair = list; pair < end; pair += 12) {
      const a = v128.load(load<u32>(pair) + at);
      const b = v128.load(load<u32>(pair, 4) + at);
      const weights = v128.load32_splat(pair, 8);
      const low = v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const high = v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      first = i32x4.add(first, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(low), weights));
      second = i32x4.add(second, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(low), weights));
      third = i32x4.add(third, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(high), weights));
      fourth = i32x4.add(fourth, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(high), weights));
    }
    v128.store(sums, first);
    v128.store(sums, second, 16);
    v128.store(sums, third, 32);
    v128.store(sums, fourth, 48);
    sums += 64;
  }
}

/**
 * u8 (count, 4): means over cells of `area_rows`' sums; halves to even. `rowsPart` is the reciprocal of the rows' weights together. A cell's
 * entry in `cells`: offset of its first whole pixel in bytes, how many whole pixels, the weights of the pixels before and after these,
 * and the reciprocal of all its weights.
 */
export function area_row(
  sums: usize,
  channels: i32,
  cells: usize,
  shift: i32,
  rowsPart: f64,
  order: usize,
  count: i32,
  dst: usize,
): void {
  const step = <usize>channels * 4;
  const pick = v128.load(order);
  for (let i = 0; i < count; i++) {
    let at = sums + load<u32>(cells);
    const whole = load<i32>(cells, 4);
    let total = i32x4.mul(v128.load(at - step), v128.load32_splat(cells, 8));
    let inner = i32x4.splat(0);
    for (let k = 0; k < whole; k++) {
      inner = i32x4.add(inner, v128.load(at));
      at += step;
    }
    total = i32x4.add(total, i32x4.shl(inner, shift));
    total = i32x4.add(total, i32x4.mul(v128.load(at), v128.load32_splat(cells, 12)));
    const part = f64x2.splat(rowsPart * load<f64>(cells, 16));
    const low = nearest(total, part);
    const high = nearest(v128.shuffle<i32>(total, total, 2, 3, 2, 3), part);
    const bytes = v128.shuffle<u8>(low, high, 0, 4, 16, 20, 0, 4, 16, 20, 0, 4, 16, 20, 0, 4, 16, 20);
    v128.store32_lane(dst, swizzle(bytes, pick), 0);
    cells += 24;
    dst += 4;
  }
}

/** 1.5 · 2^22: sums with it are rounded to multiples of 2^−30. */
const GRID: f64 = 6291456;

/**
 * The nearest whole numbers of quotients, halves to even. A quotient of a sum of 32 bits by a weight of 24 is a half, or no nearer to one
 * than 2^−25; its product with the reciprocal is off by less than 2^−42. So the multiples of 2^−30 tell which it is.
 */
// @ts-ignore: decorator
@inline
function nearest(totals: v128, part: v128): v128 {
  const grid = f64x2.splat(GRID);
  const quotient = f64x2.mul(f64x2.convert_low_i32x4_u(totals), part);
  return i32x4.trunc_sat_f64x2_s_zero(f64x2.nearest(f64x2.sub(f64x2.add(quotient, grid), grid)));
}
