/** Alpha-IoU loss. */
import { doc } from "../doc.ts";
import { numberParam } from "../params.ts";
import { boxBounds, boxLoss } from "./box_loss.ts";

export const alphaIouLoss = boxLoss({
  stem: "alpha_iou_loss",
  summary: doc`power of IoU as a loss of boxes, with gradient`,
  params: { power: numberParam(doc`exponent of IoU, as a float32 number`, 3, { over: 0, max: 1e6 }) },
  ...boxBounds(
    2e-6,
    doc`, because a power multiplies the rounding of IoU; on WebGPU for powers up to 4 and IoU over 1.2e-38`,
  ),
  source: doc`He et al. 2021 (Alpha-IoU), the power of IoU without a penalty`,
});
