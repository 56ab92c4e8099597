/** MPDIoU loss. */
import { doc } from "../doc.ts";
import { requiredSize } from "../params.ts";
import { BOX_UNIT, boxBounds, boxLoss } from "./box_loss.ts";

export const mpdiouLoss = boxLoss({
  stem: "mpdiou_loss",
  summary: doc`IoU loss of boxes with the distances of two corners (MPDIoU), with gradient`,
  params: { imageSize: requiredSize(doc`[height, width] of the network's input`, BOX_UNIT) },
  fields: { inverse: ["f32", doc`1 / √(H² + W² + eps).`] },
  block: ({ imageSize: [height, width] }, eps) => ({ inverse: 1 / Math.hypot(height, width, Math.sqrt(eps)) }),
  ...boxBounds(),
  source: doc`Ma and Xu 2023 (MPDIoU)`,
});
