/** Distance IoU loss. */
import { doc } from "../doc.ts";
import { boxBounds, boxLoss } from "./box_loss.ts";

export const diouLoss = boxLoss({
  stem: "diou_loss",
  summary: doc`distance IoU loss of boxes, with gradient`,
  ...boxBounds(),
  source: doc`Zheng et al. 2020 (Distance-IoU Loss), equation 7`,
});
