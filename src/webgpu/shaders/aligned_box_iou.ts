import { pairAreas } from "./pair_areas.ts";

/** The intersection over the union of the boxes of a row, 0 where that is empty. */
export const alignedBoxIou = pairAreas + /* wgsl */ `
fn item(i: u32) -> f32 {
  let areas = areas_of(i, i);
  return select(ratio(areas.inner, areas.whole), params.nan, areas.nan);
}
`;
