/** Generalized IoU loss. */
import { boxLoss, type BoxLossArguments } from "./box_loss.ts";
import { lossOperation } from "./loss_call.ts";

const name = "giouLoss";
const stem = "giou_loss";

export const giouLoss = lossOperation({
  name,
  stem,
  shapes: "(N, 4), (N, 4) → (N)",
  summary: "generalized IoU loss of boxes, with gradient",
  check: (...args: BoxLossArguments) => boxLoss(name, stem, args),
});
