// Pixels to the values of a network's input: resizing on bytes as OpenCV does it, then a table of values.
//
// A row of pixels in work has four lanes for each pixel, of which the fourth means nothing: three channels in the order of the
// result. So one kernel reads grey, RGB and RGBA, by the shuffle that `order` makes.

/** i16 (count, 4): a row resized by pairs of neighbours, in sixteenths of 11 bits. `taps` has an offset and two coefficients each. */
export function bilinear_row(src: usize, channels: i32, swap: i32, taps: usize, count: i32, dst: usize): void {
  const pairs = pairShuffle(channels, swap);
  for (let i = 0; i < count; i++) {
    const both = v128.swizzle(v128.load64_zero(src + load<u32>(taps)), pairs);
    const sum = i32x4.dot_i16x8_s(both, v128.load32_splat(taps, 4));
    const row = i32x4.shr_s(sum, 4);
    v128.store64_lane(dst, i16x8.narrow_i32x4_s(row, row), 0);
    taps += 8;
    dst += 8;
  }
}

/** Bytes of both neighbours as words, channel by channel: lane 2c is the first's, lane 2c + 1 the second's. */
function pairShuffle(channels: i32, swap: i32): v128 {
  // A byte of 255 gives 0.
  let shuffle = i16x8.splat(-1);
  const grey = channels == 1;
  const first = grey ? 0 : swap ? 2 : 0;
  const second = grey ? 0 : 1;
  const third = grey ? 0 : swap ? 0 : 2;
  shuffle = i8x16.replace_lane(shuffle, 0, <i8>first);
  shuffle = i8x16.replace_lane(shuffle, 2, <i8>(first + channels));
  shuffle = i8x16.replace_lane(shuffle, 4, <i8>second);
  shuffle = i8x16.replace_lane(shuffle, 6, <i8>(second + channels));
  shuffle = i8x16.replace_lane(shuffle, 8, <i8>third);
  return i8x16.replace_lane(shuffle, 10, <i8>(third + channels));
}

/** u8 (count, 4): two rows of `bilinear_row` weighed, each rounded down to a quarter before they meet, as OpenCV does it. */
export function bilinear_blend(a: usize, b: usize, weightA: i32, weightB: i32, count: i32, dst: usize): void {
  const pairA = i32x4.splat(weightA);
  const pairB = i32x4.splat(weightB);
  for (let i = 0; i < count; i++) {
    const fromA = i32x4.shr_s(i32x4.dot_i16x8_s(v128.load_ext<u16>(a), pairA), 16);
    const fromB = i32x4.shr_s(i32x4.dot_i16x8_s(v128.load_ext<u16>(b), pairB), 16);
    const sum = i32x4.shr_s(i32x4.add(i32x4.add(fromA, fromB), i32x4.splat(2)), 2);
    const words = i16x8.narrow_i32x4_s(sum, sum);
    v128.store32_lane(dst, i8x16.narrow_i16x8_u(words, words), 0);
    a += 8;
    b += 8;
    dst += 4;
  }
}

/** The values of a row of bytes (count, 4), of `bytesEach`; `pixel` and `plane` are the bytes from one pixel and channel to the next. */
export function pixel_values(
  src: usize,
  table: usize,
  bytesEach: i32,
  count: i32,
  dst: usize,
  pixel: usize,
  plane: usize,
): void {
  if (bytesEach == 4) look<u32>(src, table, count, dst, pixel, plane);
  else if (bytesEach == 2) look<u16>(src, table, count, dst, pixel, plane);
  else look<u8>(src, table, count, dst, pixel, plane);
}

// @ts-ignore: decorator
@inline
function look<T>(src: usize, table: usize, count: i32, dst: usize, pixel: usize, plane: usize): void {
  const second = table + 256 * sizeof<T>();
  const third = second + 256 * sizeof<T>();
  for (let i = 0; i < count; i++) {
    store<T>(dst, load<T>(table + load<u8>(src) * sizeof<T>()));
    store<T>(dst + plane, load<T>(second + load<u8>(src, 1) * sizeof<T>()));
    store<T>(dst + 2 * plane, load<T>(third + load<u8>(src, 2) * sizeof<T>()));
    src += 4;
    dst += pixel;
  }
}
