/** Distance IoU loss. */
import { boxLoss, type BoxLossArguments } from "./box_loss.ts";
import { lossOperation } from "./loss_call.ts";

const name = "diouLoss";
const stem = "diou_loss";

export const diouLoss = lossOperation({
  name,
  stem,
  shapes: "(N, 4), (N, 4) → (N)",
  summary: "distance IoU loss of boxes, with gradient",
  check: (...args: BoxLossArguments) => boxLoss(name, stem, args),
});
