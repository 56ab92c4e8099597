/**
 * The registry: every operation of an engine. The engine's faces, the tests and the README's table walk it.
 */
import { detect } from "../detect/detect.ts";
import { batchedNms } from "./batched_nms.ts";
import { bbox2distance } from "./bbox2distance.ts";
import { boxIou } from "./box_iou.ts";
import { dflDecode } from "./dfl_decode.ts";
import { dflStatistics } from "./dfl_statistics.ts";
import { distance2bbox } from "./distance2bbox.ts";
import { generalizedBoxIou } from "./generalized_box_iou.ts";
import { nms } from "./nms.ts";
import { softNms } from "./soft_nms.ts";

export const operations = {
  detect,
  dflDecode,
  dflStatistics,
  distance2bbox,
  bbox2distance,
  boxIou,
  generalizedBoxIou,
  nms,
  batchedNms,
  softNms,
} as const;
