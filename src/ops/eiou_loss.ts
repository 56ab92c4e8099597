/** Efficient IoU loss. */
import { boxLoss, type BoxLossArguments } from "./box_loss.ts";
import { lossOperation } from "./loss_call.ts";

const name = "eiouLoss";
const stem = "eiou_loss";

export const eiouLoss = lossOperation({
  name,
  stem,
  shapes: "(N, 4), (N, 4) → (N)",
  summary: "efficient IoU loss of boxes, with gradient",
  check: (...args: BoxLossArguments) => boxLoss(name, stem, args),
});
