/**
 * The mathematics and the family of every operation that has a shader.
 */
import type { LossKernel } from "../ops/checked_loss.ts";
import type { RowStem } from "../ops/row_call.ts";
import { boxwise, elementwise, type Family, rowwise } from "./families.ts";
import { bbox2distance } from "./shaders/bbox2distance.ts";
import { binaryCrossEntropyWithLogits } from "./shaders/binary_cross_entropy_with_logits.ts";
import { boxIou } from "./shaders/box_iou.ts";
import { ciouLoss } from "./shaders/ciou_loss.ts";
import { dflDecode } from "./shaders/dfl_decode.ts";
import { dflStatistics } from "./shaders/dfl_statistics.ts";
import { diouLoss } from "./shaders/diou_loss.ts";
import { distance2bbox } from "./shaders/distance2bbox.ts";
import { distribution, softmax } from "./shaders/distribution.ts";
import { distributionFocalLoss } from "./shaders/distribution_focal_loss.ts";
import { eiouLoss } from "./shaders/eiou_loss.ts";
import { generalizedBoxIou } from "./shaders/generalized_box_iou.ts";
import { generalizedFocalLoss } from "./shaders/generalized_focal_loss.ts";
import { giouLoss } from "./shaders/giou_loss.ts";
import { iouLoss } from "./shaders/iou_loss.ts";
import { pairAreas } from "./shaders/pair_areas.ts";
import { qualityFocalLoss } from "./shaders/quality_focal_loss.ts";
import { refineDistances } from "./shaders/refine_distances.ts";
import { sigmoidFocalLoss } from "./shaders/sigmoid_focal_loss.ts";
import { siouLoss } from "./shaders/siou_loss.ts";
import { starDeformOffsets } from "./shaders/star_deform_offsets.ts";
import { starPoints } from "./shaders/star_points.ts";
import { varifocalLoss } from "./shaders/varifocal_loss.ts";

export interface LossShader {
  readonly family: Family;
  readonly body: string;
}

export const shaders: Readonly<Record<LossKernel, LossShader>> = {
  binary_cross_entropy_with_logits: { family: elementwise, body: binaryCrossEntropyWithLogits },
  sigmoid_focal_loss: { family: elementwise, body: sigmoidFocalLoss },
  quality_focal_loss: { family: elementwise, body: qualityFocalLoss },
  varifocal_loss: { family: elementwise, body: varifocalLoss },
  generalized_focal_loss: { family: elementwise, body: generalizedFocalLoss },
  distribution_focal_loss: { family: rowwise, body: softmax + distributionFocalLoss },
  iou_loss: { family: boxwise, body: iouLoss },
  giou_loss: { family: boxwise, body: giouLoss },
  diou_loss: { family: boxwise, body: diouLoss },
  ciou_loss: { family: boxwise, body: ciouLoss },
  eiou_loss: { family: boxwise, body: eiouLoss },
  siou_loss: { family: boxwise, body: siouLoss },
};

export const rowShaders: Readonly<Record<RowStem, string>> = {
  dfl_decode: distribution + dflDecode,
  dfl_statistics: distribution + dflStatistics,
  distance2bbox,
  bbox2distance,
  star_points: starPoints,
  star_deform_offsets: starDeformOffsets,
  refine_distances: refineDistances,
  box_iou: pairAreas + boxIou,
  generalized_box_iou: pairAreas + generalizedBoxIou,
};
