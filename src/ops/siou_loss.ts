/** SIoU loss. */
import { boxLoss, type BoxLossArguments } from "./box_loss.ts";
import { lossOperation } from "./loss_call.ts";

const name = "siouLoss";
const stem = "siou_loss";

export const siouLoss = lossOperation({
  name,
  stem,
  shapes: "(N, 4), (N, 4) → (N)",
  summary: "SIoU loss of boxes, with gradient",
  check: (...args: BoxLossArguments) => boxLoss(name, stem, args),
});
