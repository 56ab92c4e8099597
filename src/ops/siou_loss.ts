/** SIoU loss. */
import { doc } from "../doc.ts";
import { boxBounds, boxLoss } from "./box_loss.ts";

export const siouLoss = boxLoss({
  stem: "siou_loss",
  summary: doc`SIoU loss of boxes, with gradient`,
  // The exponential doubles what rounding makes of ρ.
  bounds: boxBounds(2e-6),
  source: doc`Gevorgyan 2022 (SIoU Loss), θ = 4`,
});
