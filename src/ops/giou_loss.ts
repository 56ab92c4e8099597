/** Generalized IoU loss. */
import { doc } from "../doc.ts";
import { boxBounds, boxLoss } from "./box_loss.ts";

export const giouLoss = boxLoss({
  stem: "giou_loss",
  summary: doc`generalized IoU loss of boxes, with gradient`,
  bounds: boxBounds(),
  source: doc`Rezatofighi et al. 2019, algorithm 1`,
});
