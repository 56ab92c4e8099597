/**
 * float16 elements, two to a word.
 */

/** WGSL leaves open what unpacking makes of NaN and infinity. */
export const half = /* wgsl */ `
fn half_of(word: u32, odd: u32) -> f32 {
  let bits = (word >> (16u * odd)) & 0xffffu;
  let special = bitcast<f32>(((bits & 0x8000u) << 16u) | 0x7f800000u | ((bits & 0x3ffu) << 13u));
  return select(unpack2x16float(bits).x, special, (bits & 0x7c00u) == 0x7c00u);
}
fn halves_of(words: vec2u) -> vec4f {
  return vec4f(half_of(words.x, 0u), half_of(words.x, 1u), half_of(words.y, 0u), half_of(words.y, 1u));
}`;
