/** Complete IoU loss. */
import { doc } from "../doc.ts";
import { boxBounds, boxLoss, innerRatio } from "./box_loss.ts";

export const ciouLoss = boxLoss({
  stem: "ciou_loss",
  summary: doc`complete IoU loss of boxes, with gradient`,
  params: { innerRatio },
  ...boxBounds(),
  source: doc`Zheng et al. 2020 (Distance-IoU Loss), equations 8 to 11`,
});
