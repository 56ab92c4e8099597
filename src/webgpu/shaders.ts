/**
 * The mathematics and the family of every operation that has a shader.
 */
import type { LossKernel } from "../ops/loss_call.ts";
import { binaryCrossEntropyWithLogits } from "./binary_cross_entropy_with_logits.ts";
import { ciouLoss } from "./ciou_loss.ts";
import { diouLoss } from "./diou_loss.ts";
import { distributionFocalLoss } from "./distribution_focal_loss.ts";
import { eiouLoss } from "./eiou_loss.ts";
import { boxwise, elementwise, type Family, rowwise } from "./families.ts";
import { generalizedFocalLoss } from "./generalized_focal_loss.ts";
import { giouLoss } from "./giou_loss.ts";
import { iouLoss } from "./iou_loss.ts";
import { qualityFocalLoss } from "./quality_focal_loss.ts";
import { sigmoidFocalLoss } from "./sigmoid_focal_loss.ts";
import { siouLoss } from "./siou_loss.ts";
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
  distribution_focal_loss: { family: rowwise, body: distributionFocalLoss },
  iou_loss: { family: boxwise, body: iouLoss },
  giou_loss: { family: boxwise, body: giouLoss },
  diou_loss: { family: boxwise, body: diouLoss },
  ciou_loss: { family: boxwise, body: ciouLoss },
  eiou_loss: { family: boxwise, body: eiouLoss },
  siou_loss: { family: boxwise, body: siouLoss },
};
