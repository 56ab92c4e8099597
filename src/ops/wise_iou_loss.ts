/** Wise-IoU loss. */
import { doc } from "../doc.ts";
import { numberParam, optionalNumber } from "../params.ts";
import { boxBounds, boxLoss } from "./box_loss.ts";

export const wiseIouLoss = boxLoss({
  stem: "wise_iou_loss",
  summary: doc`1 − IoU of boxes, more the farther their centres are apart (Wise-IoU), with gradient`,
  params: {
    meanLoss: optionalNumber(doc`mean of 1 − IoU over past batches, which the caller keeps (v3)`, {
      min: 1e-6,
      max: 1e6,
    }),
    alpha: numberParam(doc`base of the power in r, read with \`meanLoss\``, 1.9, { min: 1, max: 10 }),
    delta: numberParam(doc`β at which r is 1, read with \`meanLoss\``, 3, { min: 0.01, max: 20 }),
  },
  fields: {
    steep: ["f32", doc`α^δ / (δ · meanLoss), the factor of 1 − IoU in r; 0: no r.`],
    rate: ["f32", doc`ln α / meanLoss, what r decays by.`],
  },
  block({ meanLoss, alpha, delta }) {
    if (meanLoss === undefined) return { steep: 0, rate: 0 };
    return { steep: alpha ** delta / (delta * meanLoss), rate: Math.log(alpha) / meanLoss };
  },
  ...boxBounds(
    2e-6,
    doc`, because the factors multiply the rounding of 1 − IoU; where α^δ is over 10, it is times α^δ / 10`,
  ),
  source: doc`Tong et al. 2023 (Wise-IoU), equation 17 (v1), 21 and 22 (v3), with the mean given`,
});
