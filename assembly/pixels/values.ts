// Bytes of pixels to the values of a network's input.

import { laneMask, swizzle } from "../lanes";

/** Bytes of one of the three vectors of `lanes`. */
const LANES: usize = 96;

/**
 * f32 values of a row of `count` pixels, `step` bytes apart. Four pixels make three vectors, `apart` bytes apart, and `advance` bytes
 * after those of the four before. `lanes` has for each vector which bytes of the four pixels it takes (as words of 32 bits; a
 * pixel has four bytes there), then its factors. Nothing past the last pixel's values is changed.
 *
 * `wide`: twice the scale, four means and four factors in float64, for (byte * scale - mean) * factor, which is rounded once.
 * Otherwise two factors in float32 for each lane, whose products are added.
 */
export function pixel_floats(
  src: usize,
  step: usize,
  lanes: usize,
  wide: i32,
  count: i32,
  dst: usize,
  apart: usize,
  advance: usize,
): void {
  if (wide != 0) floats(src, step, lanes, true, count, dst, apart, advance);
  else floats(src, step, lanes, false, count, dst, apart, advance);
}

// @ts-ignore: decorator
@inline
function floats(
  src: usize,
  step: usize,
  lanes: usize,
  wide: bool,
  count: i32,
  dst: usize,
  apart: usize,
  advance: usize,
): void {
  // Vectors side by side hold the pixels' three channels in turns.
  const together = advance == 48;
  for (; count >= 4; count -= 4) {
    const pixels = fourPixels(src, step);
    v128.store(dst, valuesOf(pixels, lanes, wide));
    v128.store(dst + apart, valuesOf(pixels, lanes + LANES, wide));
    v128.store(dst + 2 * apart, valuesOf(pixels, lanes + 2 * LANES, wide));
    src += 4 * step;
    dst += advance;
  }
  if (count == 0) return;
  const pixels = fourPixels(src, step);
  for (let vector = 0; vector < 3; vector++) {
    const left = together ? 3 * count - 4 * vector : count;
    v128.store(dst, v128.bitselect(valuesOf(pixels, lanes, wide), v128.load(dst), laneMask(left)));
    lanes += LANES;
    dst += apart;
  }
}

// @ts-ignore: decorator
@inline
function fourPixels(src: usize, step: usize): v128 {
  const one = v128.load32_zero(src);
  const two = v128.load32_lane(src + step, one, 1);
  const three = v128.load32_lane(src + 2 * step, two, 2);
  return v128.load32_lane(src + 3 * step, three, 3);
}

// @ts-ignore: decorator
@inline
function valuesOf(pixels: v128, lane: usize, wide: bool): v128 {
  const bytes = swizzle(pixels, v128.load(lane));
  if (!wide) {
    const value = f32x4.convert_i32x4_s(bytes);
    return f32x4.add(f32x4.mul(value, v128.load(lane, 16)), f32x4.mul(value, v128.load(lane, 32)));
  }
  const low = f64x2.convert_low_i32x4_s(bytes);
  const high = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(bytes, bytes, 2, 3, 2, 3));
  const scale = v128.load(lane, 16);
  return v128.shuffle<f64>(
    f32x4.demote_f64x2_zero(f64x2.mul(f64x2.sub(f64x2.mul(low, scale), v128.load(lane, 32)), v128.load(lane, 64))),
    f32x4.demote_f64x2_zero(f64x2.mul(f64x2.sub(f64x2.mul(high, scale), v128.load(lane, 48)), v128.load(lane, 80))),
    0,
    2,
  );
}

/**
 * Values of a row of `count` pixels, `step` bytes apart, from tables of 256 for each channel, one after the other. `channels` has the
 * place of each channel in a pixel, a byte each. `pixel` and `plane` are the bytes from one pixel and from one channel to the next.
 */
export function pixel_table(
  src: usize,
  step: usize,
  channels: i32,
  table: usize,
  bytesEach: i32,
  count: i32,
  dst: usize,
  pixel: usize,
  plane: usize,
): void {
  for (let channel = 0; channel < 3; channel++) {
    const from = src + <usize>(channels & 255);
    if (bytesEach == 2) look<u16>(from, step, table, count, dst, pixel);
    else look<u8>(from, step, table, count, dst, pixel);
    channels >>= 8;
    table += 256 * bytesEach;
    dst += plane;
  }
}

// @ts-ignore: decorator
@inline
function look<T>(src: usize, step: usize, table: usize, count: i32, dst: usize, pixel: usize): void {
  for (let i = 0; i < count; i++) {
    store<T>(dst, load<T>(table + load<u8>(src) * sizeof<T>()));
    src += step;
    dst += pixel;
  }
}
