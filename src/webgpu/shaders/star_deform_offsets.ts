/** dy, dx of the nine taps of a 3 x 3 kernel to the points of a box. */
export const starDeformOffsets = /* wgsl */ `
fn item(i: u32) -> f32 {
  let tap = i % 18u / 2u;
  let axis = 1u - i % 2u;
  // On the box's low edge, in the middle or on its high edge.
  let place = select(tap % 3u, tap / 3u, axis == 1u);
  let distance = distances_at(i / 18u * 4u + axis + select(0u, 2u, place == 2u));
  // The stride is a mantissa times two powers of two, so that its inverse is a number whatever it is.
  let beyond = distance * params.inverse * params.power * params.power_left - 1.0;
  let offset = select(beyond, -beyond, place == 0u);
  return select(select(offset, params.nan, is_nan(distance)), 0.0, place == 1u);
}
`;
