/** Efficient IoU loss. */
import { doc } from "../doc.ts";
import { numberParam } from "../params.ts";
import { boxBounds, boxLoss, innerRatio } from "./box_loss.ts";

export const eiouLoss = boxLoss({
  stem: "eiou_loss",
  summary: doc`efficient IoU loss of boxes, with gradient`,
  params: {
    gamma: numberParam(doc`exponent of the focal weight IoU^γ, as a float32 number; 0: none`, 0, { min: 0, max: 4 }),
    innerRatio,
  },
  ...boxBounds(
    2e-6,
    doc`, because gamma multiplies the rounding of IoU, and ≤ 1e-6 without; on WebGPU also of the largest member of its terms (of IoU, distance and size), which may cancel`,
  ),
  source:
    doc`Zhang et al. 2021 (Focal and Efficient IOU), equation 7, and 10 for the focal weight, without the mean over the batch of 11`,
});
