// Reads the storage kinds that are not float32: half bits and quantised bytes become float32, a chunk at a time.

/** float32: `count` IEEE-754 half bits at `src`. Exact; subnormals, infinities and NaN included. */
export function convert_f16(src: usize, dst: usize, count: i32): void {
  const magnitudeMask = i32x4.splat(0x7fff);
  const infinity = i32x4.splat(0x7c00);
  const smallestNormal = i32x4.splat(0x0400);
  const bias = i32x4.splat(112 << 23);
  for (let i = 0; i < count; i += 4) {
    const half = v128.load_ext<u16>(src);
    const magnitude = v128.and(half, magnitudeMask);
    const sign = i32x4.shl(v128.andnot(half, magnitudeMask), 16);
    const special = i32x4.ge_s(magnitude, infinity);
    const normal = i32x4.add(
      i32x4.add(i32x4.shl(magnitude, 13), bias),
      v128.and(special, bias),
    );
    // Subnormals through an integer conversion: as float32 denormals they would cost a trap of the CPU each.
    const subnormal = f32x4.mul(f32x4.convert_i32x4_s(magnitude), f32x4.splat(5.960464477539063e-8));
    const value = v128.bitselect(subnormal, normal, i32x4.lt_s(magnitude, smallestNormal));
    v128.store(dst, v128.or(value, sign));
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
