/** SIoU loss. */
import { doc } from "../doc.ts";
import { boxBounds, boxLoss, innerRatio } from "./box_loss.ts";

export const siouLoss = boxLoss({
  stem: "siou_loss",
  summary: doc`SIoU loss of boxes, with gradient`,
  params: { innerRatio },
  ...boxBounds(
    2e-6,
    doc`, because the exponential doubles the rounding of ρ; on WebGPU also of the largest member of its terms (of IoU, distance and shape), which may cancel`,
  ),
  source: doc`Gevorgyan 2022 (SIoU Loss), with θ = 4`,
});
