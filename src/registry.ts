/**
 * The registry: every operation of an engine. The engine's faces, the tests and the README's table walk it.
 */
import { atssAssign } from "./criteria/atss_assign.ts";
import { taskAlignedAssign } from "./criteria/task_aligned_assign.ts";
import { gflCriterion } from "./criteria/gfl_criterion.ts";
import { vfnetCriterion } from "./criteria/vfnet_criterion.ts";
import { detect } from "./detect/detect.ts";
import { batchedNms } from "./ops/batched_nms.ts";
import { bbox2distance } from "./ops/bbox2distance.ts";
import { binaryCrossEntropyWithLogits } from "./ops/binary_cross_entropy_with_logits.ts";
import { boxIou } from "./ops/box_iou.ts";
import { ciouLoss } from "./ops/ciou_loss.ts";
import { dflDecode } from "./ops/dfl_decode.ts";
import { dflStatistics } from "./ops/dfl_statistics.ts";
import { diouLoss } from "./ops/diou_loss.ts";
import { distance2bbox } from "./ops/distance2bbox.ts";
import { distributionFocalLoss } from "./ops/distribution_focal_loss.ts";
import { eiouLoss } from "./ops/eiou_loss.ts";
import { generalizedBoxIou } from "./ops/generalized_box_iou.ts";
import { generalizedFocalLoss } from "./ops/generalized_focal_loss.ts";
import { giouLoss } from "./ops/giou_loss.ts";
import { iouLoss } from "./ops/iou_loss.ts";
import { nms } from "./ops/nms.ts";
import { qualityFocalLoss } from "./ops/quality_focal_loss.ts";
import { refineDistances } from "./ops/refine_distances.ts";
import { sigmoidFocalLoss } from "./ops/sigmoid_focal_loss.ts";
import { siouLoss } from "./ops/siou_loss.ts";
import { softNms } from "./ops/soft_nms.ts";
import { starDeformOffsets } from "./ops/star_deform_offsets.ts";
import { starPoints } from "./ops/star_points.ts";
import { varifocalLoss } from "./ops/varifocal_loss.ts";

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
