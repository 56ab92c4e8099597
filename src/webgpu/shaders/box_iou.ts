import { pairAreas } from "./pair_areas.ts";

/** The intersection over the union, 0 where that is empty. */
export const boxIou = pairAreas + /* wgsl */ `
fn item(i: u32) -> f32 {
  let found = areas_of(i);
  return select(ratio(found.inner, found.whole), params.nan, found.nan);
}
`;
