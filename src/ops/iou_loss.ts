/** IoU loss. */
import { doc } from "../doc.ts";
import { boxBounds, boxLoss, innerRatio } from "./box_loss.ts";

export const iouLoss = boxLoss({
  stem: "iou_loss",
  summary: doc`IoU loss of boxes, with gradient`,
  params: { innerRatio },
  ...boxBounds(1e-6, doc`. Both hold for boxes of any size and shape`),
  source: doc`Yu et al. 2016 (UnitBox), with 1 − IoU in place of −ln IoU`,
});
