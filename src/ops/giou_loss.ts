/** Generalized IoU loss. */
import { doc } from "../doc.ts";
import { boxBounds, boxLoss, innerRatio } from "./box_loss.ts";

export const giouLoss = boxLoss({
  stem: "giou_loss",
  summary: doc`generalized IoU loss of boxes, with gradient`,
  params: { innerRatio },
  ...boxBounds(1e-6, doc`, on WebGPU also of the largest member of its terms (of IoU and cover), which may cancel`),
  source: doc`Rezatofighi et al. 2019 (Generalized Intersection over Union), algorithm 1`,
});
