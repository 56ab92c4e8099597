/**
 * Boxes on a scale on which no area overflows or vanishes: each axis of a pair times a power of two. Ratios of areas have no
 * unit.
 */
export const boxScale = /* wgsl */ `
fn is_nan_box(v: vec4f) -> bool { return is_nan(v.x) || is_nan(v.y) || is_nan(v.z) || is_nan(v.w); }

// An infinite edge counts as the largest number.
fn finite_box(v: vec4f) -> vec4f { return clamp(v, vec4f(-3.4028234663852886e38), vec4f(3.4028234663852886e38)); }

fn binade_of(v: vec4f) -> vec2i {
  let bits = bitcast<vec4u>(v) & vec4u(0x7fffffffu);
  return vec2i(max(bits.xy, bits.zw) >> vec2u(23u));
}

// The powers that bring the largest coordinate of each axis to between 2^20 and 2^21; tiny ones to less.
fn scale_of(p: vec4f, t: vec4f) -> vec2i {
  return vec2i(147) - clamp(max(binade_of(p), binade_of(t)), vec2i(47), vec2i(254));
}

fn powers_of_two(n: vec2i) -> vec2f { return vec2f(power_of_two(n.x), power_of_two(n.y)); }
`;
