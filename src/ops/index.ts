/**
 * The registry: every operation of an engine. The engine's faces, the tests and the README's table walk it.
 */
import { atssAssign } from "../criteria/atss_assign.ts";
import { taskAlignedAssign } from "../criteria/task_aligned_assign.ts";
import { gflCriterion } from "../criteria/gfl_criterion.ts";
import { vfnetCriterion } from "../criteria/vfnet_criterion.ts";
import { detect } from "../detect/detect.ts";
import { batchedNms } from "./batched_nms.ts";
import { bbox2distance } from "./bbox2distance.ts";
import { binaryCrossEntropyWithLogits } from "./binary_cross_entropy_with_logits.ts";
import { boxIou } from "./box_iou.ts";
import { ciouLoss } from "./ciou_loss.ts";
import { dflDecode } from "./dfl_decode.ts";
import { dflStatistics } from "./dfl_statistics.ts";
import { diouLoss } from "./diou_loss.ts";
import { distance2bbox } from "./distance2bbox.ts";
import { distributionFocalLoss } from "./distribution_focal_loss.ts";
import { eiouLoss } from "./eiou_loss.ts";
import { generalizedBoxIou } from "./generalized_box_iou.ts";
import { generalizedFocalLoss } from "./generalized_focal_loss.ts";
import { giouLoss } from "./giou_loss.ts";
import { iouLoss } from "./iou_loss.ts";
import { nms } from "./nms.ts";
import { qualityFocalLoss } from "./quality_focal_loss.ts";
import { refineDistances } from "./refine_distances.ts";
import { sigmoidFocalLoss } from "./sigmoid_focal_loss.ts";
import { siouLoss } from "./siou_loss.ts";
import { softNms } from "./soft_nms.ts";
import { starDeformOffsets } from "./star_deform_offsets.ts";
import { starPoints } from "./star_points.ts";
import { varifocalLoss } from "./varifocal_loss.ts";

export const operations = {
  detect,
  atssAssign,
  taskAlignedAssign,
  gflCriterion,
  vfnetCriterion,
  binaryCrossEntropyWithLogits,
  sigmoidFocalLoss,
  qualityFocalLoss,
  varifocalLoss,
  generalizedFocalLoss,
  distributionFocalLoss,
  iouLoss,
  giouLoss,
  diouLoss,
  ciouLoss,
  eiouLoss,
  siouLoss,
  dflDecode,
  dflStatistics,
  distance2bbox,
  bbox2distance,
  starPoints,
  starDeformOffsets,
  refineDistances,
  boxIou,
  generalizedBoxIou,
  nms,
  batchedNms,
  softNms,
} as const;
