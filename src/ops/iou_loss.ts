/** IoU loss. */
import { doc } from "../doc.ts";
import { boxBounds, boxLoss } from "./box_loss.ts";

export const iouLoss = boxLoss({
  stem: "iou_loss",
  summary: doc`IoU loss of boxes, with gradient`,
  bounds: boxBounds(),
  source: doc`Yu et al. 2016 (UnitBox), with 1 − IoU in the place of −ln IoU`,
});
