// Moves between lanes and the few arithmetic forms that differ by build. No mathematics of any operation.

/** a * b + c: fused where the build has relaxed SIMD, two roundings elsewhere. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** c - a * b, with the same choice. */
// @ts-ignore: decorator
@inline
export function nmadd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}

/** a where the mask is all ones, b where it is all zeros. */
// @ts-ignore: decorator
@inline
export function select(a: v128, b: v128, mask: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_laneselect(a, b, mask);
  return v128.bitselect(a, b, mask);
}

/** Bytes of a by their numbers in b; 255 gives 0. */
// @ts-ignore: decorator
@inline
export function swizzle(a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(a, b);
  return i8x16.swizzle(a, b);
}

/** Sums the lanes of four vectors: lane i of the result is the sum over vector i. */
// @ts-ignore: decorator
@inline
export function sumRows(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(
    v128.shuffle<f32>(a, b, 0, 4, 1, 5),
    v128.shuffle<f32>(a, b, 2, 6, 3, 7),
  );
  const cd = f32x4.add(
    v128.shuffle<f32>(c, d, 0, 4, 1, 5),
    v128.shuffle<f32>(c, d, 2, 6, 3, 7),
  );
  return f32x4.add(
    v128.shuffle<f64>(ab, cd, 0, 2),
    v128.shuffle<f64>(ab, cd, 1, 3),
  );
}

/** The sum of four vectors that stand `stride` bytes apart. */
// @ts-ignore: decorator
@inline
export function sumOfFour(at: usize, stride: usize): v128 {
  const low = f32x4.add(v128.load(at), v128.load(at + stride));
  return f32x4.add(low, f32x4.add(v128.load(at + 2 * stride), v128.load(at + 3 * stride)));
}

/** Writes four vectors as the rows of their transpose: lane j of vector i goes to row j, column i. */
// @ts-ignore: decorator
@inline
export function storeTransposed(dst: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(dst, v128.shuffle<f64>(ab0, cd0, 0, 2));
  v128.store(dst, v128.shuffle<f64>(ab0, cd0, 1, 3), 16);
  v128.store(dst, v128.shuffle<f64>(ab1, cd1, 0, 2), 32);
  v128.store(dst, v128.shuffle<f64>(ab1, cd1, 1, 3), 48);
}

/** Ones in the first `count` lanes (0 to 4), zeros after. */
// @ts-ignore: decorator
@inline
export function laneMask(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
}

/** Stores the first `lanes` lanes 16 bytes apart: one column of a (count, 4) array. */
// @ts-ignore: decorator
@inline
export function storeColumn(dst: usize, v: v128, lanes: i32): void {
  store<f32>(dst, f32x4.extract_lane(v, 0));
  if (lanes > 1) store<f32>(dst, f32x4.extract_lane(v, 1), 16);
  if (lanes > 2) store<f32>(dst, f32x4.extract_lane(v, 2), 32);
  if (lanes > 3) store<f32>(dst, f32x4.extract_lane(v, 3), 48);
}

/** Stores the first one to three lanes. */
// @ts-ignore: decorator
@inline
export function storeFirst(dst: usize, v: v128, lanes: i32): void {
  store<f32>(dst, f32x4.extract_lane(v, 0));
  if (lanes > 1) store<f32>(dst, f32x4.extract_lane(v, 1), 4);
  if (lanes > 2) store<f32>(dst, f32x4.extract_lane(v, 2), 8);
}
