/** Efficient IoU loss. */
import { doc } from "../doc.ts";
import { boxBounds, boxLoss } from "./box_loss.ts";

export const eiouLoss = boxLoss({
  stem: "eiou_loss",
  summary: doc`efficient IoU loss of boxes, with gradient`,
  ...boxBounds(
    1e-6,
    doc`, on WebGPU also of the largest member of its terms (of IoU, distance and size), which may cancel`,
  ),
  source: doc`Zhang et al. 2021 (Focal and Efficient IOU), section 3.2, without the focal weight`,
});
