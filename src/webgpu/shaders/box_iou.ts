import { pairAreas } from "./pair_areas.ts";

/** The intersection over the union, 0 where that is empty. */
export const boxIou = pairAreas + /* wgsl */ `
fn item(i: u32) -> f32 {
  let areas = areas_of(i / params.boxes, i % params.boxes);
  return select(ratio(areas.inner, areas.whole), params.nan, areas.nan);
}
`;
