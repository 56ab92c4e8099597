import { pairAreas } from "./pair_areas.ts";

/** IoU less the share of the box around both that neither covers. */
export const generalizedBoxIou = pairAreas + /* wgsl */ `
fn item(i: u32) -> f32 {
  let areas = areas_of(i / params.boxes, i % params.boxes);
  let value = ratio(areas.inner, areas.whole) - ratio(max(areas.hull - areas.whole, 0.0), areas.hull);
  return select(value, params.nan, areas.nan);
}
`;
