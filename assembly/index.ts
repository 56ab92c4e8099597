export * from "./generated/kernels";
export * from "./convert";

/** First byte that belongs to the caller. */
export function heap_base(): usize {
  return __heap_base;
}

/** 1 in the build whose products may be fused into sums. */
export function relaxed_simd(): i32 {
  return ASC_FEATURE_RELAXED_SIMD ? 1 : 0;
}
