/**
 * Cosine and sine of angles of any size, which WGSL promises digits of only up to π. An angle is kept as whole numbers: right
 * angles in units of 2^-30, without whole turns. So are differences of angles, which are exact then.
 */
export const turn = /* wgsl */ `
// The first bits of 2/π behind 64 of zero.
const TWO_OVER_PI = array<u32, 9>(
  0u, 0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu,
);

// 32 bits of it from bit 'first' on.
fn two_over_pi_from(first: u32) -> u32 {
  let word = first >> 5u;
  let shift = first & 31u;
  return (TWO_OVER_PI[word] << shift) | ((TWO_OVER_PI[word + 1u] >> 1u) >> (31u - shift));
}

// The upper 32 bits of a product.
fn high_product(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u);
}

// The angle in units of 2^-30 right angles; 4 of these are 2^32 units, so that whole turns fall away. Of a finite angle.
fn units_of(angle: f32) -> u32 {
  let bits = bitcast<u32>(angle);
  // Angles below 2^-37 are 0.
  let exponent = max((bits >> 23u) & 0xffu, 90u);
  let mantissa = select((bits & 0x7fffffu) | 0x800000u, 0u, ((bits >> 23u) & 0xffu) < 90u);
  let first = exponent - 88u;
  let units = mantissa * two_over_pi_from(first) + high_product(mantissa, two_over_pi_from(first + 32u));
  return select(units, 0u - units, bits >= 0x80000000u);
}

// (cos, sin).
fn turn_of(units: u32) -> vec2f {
  let nearest = (units + 0x20000000u) >> 30u;
  let r = f32(bitcast<i32>(units - (nearest << 30u))) * 1.4629180792671596e-9;
  let z = r * r;
  var c = 2.48015873015873e-05 - z * 2.755731922398589e-07;
  c = 0.041666666666666664 + z * (-0.001388888888888889 + z * c);
  var s = -0.0001984126984126984 + z * 2.7557319223985893e-06;
  s = -0.16666666666666666 + z * (0.008333333333333333 + z * s);
  let cosine = 1.0 + z * (-0.5 + z * c);
  let sine = r + r * z * s;
  let quarter = select(vec2f(cosine, sine), vec2f(-sine, cosine), (nearest & 1u) == 1u);
  return select(quarter, -quarter, (nearest & 2u) == 2u);
}
`;
