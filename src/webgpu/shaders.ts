/**
 * The mathematics and the family of every operation that has a shader.
 */
import type { LossKernel } from "../ops/loss_call.ts";
import type { RowStem } from "../ops/row_call.ts";
import { bbox2distance } from "./bbox2distance.ts";
import { binaryCrossEntropyWithLogits } from "./binary_cross_entropy_with_logits.ts";
import { boxIou } from "./box_iou.ts";
import { ciouLoss } from "./ciou_loss.ts";
import { dflDecode } from "./dfl_decode.ts";
import { dflStatistics } from "./dfl_statistics.ts";
import { diouLoss } from "./diou_loss.ts";
import { distance2bbox } from "./distance2bbox.ts";
import { distribution, softmax } from "./distribution.ts";
import { distributionFocalLoss } from "./distribution_focal_loss.ts";
import { eiouLoss } from "./eiou_loss.ts";
import { boxwise, elementwise, type Family, rowwise } from "./families.ts";
import { generalizedBoxIou } from "./generalized_box_iou.ts";
import { generalizedFocalLoss } from "./generalized_focal_loss.ts";
import { giouLoss } from "./giou_loss.ts";
import { iouLoss } from "./iou_loss.ts";
import { pairAreas } from "./pair_areas.ts";
import { qualityFocalLoss } from "./quality_focal_loss.ts";
import { refineDistances } from "./refine_distances.ts";
import { sigmoidFocalLoss } from "./sigmoid_focal_loss.ts";
import { siouLoss } from "./siou_loss.ts";
import { starDeformOffsets } from "./star_deform_offsets.ts";
import { starPoints } from "./star_points.ts";
import { varifocalLoss } from "./varifocal_loss.ts";

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
