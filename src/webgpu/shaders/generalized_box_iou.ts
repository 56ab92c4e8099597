import { pairAreas } from "./pair_areas.ts";

/** IoU less the share of the box around both that neither covers. */
export const generalizedBoxIou = pairAreas + /* wgsl */ `
fn item(i: u32) -> f32 {
  let found = areas_of(i);
  let value = ratio(found.inner, found.whole) - ratio(max(found.hull - found.whole, 0.0), found.hull);
  return select(value, params.nan, found.nan);
}
`;
