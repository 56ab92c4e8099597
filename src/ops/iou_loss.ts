/** IoU loss. */
import { boxLoss, type BoxLossArguments } from "./box_loss.ts";
import { lossOperation } from "./loss_call.ts";

const name = "iouLoss";
const stem = "iou_loss";

export const iouLoss = lossOperation({
  name,
  stem,
  shapes: "(N, 4), (N, 4) → (N)",
  summary: "IoU loss of boxes, with gradient",
  check: (...args: BoxLossArguments) => boxLoss(name, stem, args),
});
