/** Distance IoU loss. */
import { doc } from "../doc.ts";
import { boxBounds, boxLoss, innerRatio } from "./box_loss.ts";

export const diouLoss = boxLoss({
  stem: "diou_loss",
  summary: doc`distance IoU loss of boxes, with gradient`,
  params: { innerRatio },
  ...boxBounds(),
  source: doc`Zheng et al. 2020 (Distance-IoU Loss), equation 7`,
});
