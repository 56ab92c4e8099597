/** Normalized Wasserstein distance loss. */
import { doc } from "../doc.ts";
import { numberParam } from "../params.ts";
import { BOX_UNIT, boxBounds, boxLoss } from "./box_loss.ts";

export const nwdLoss = boxLoss({
  stem: "nwd_loss",
  summary: doc`normalized Wasserstein distance of boxes as a loss, with gradient`,
  params: {
    c: numberParam(doc`distance at which the loss is 1 − 1/e`, 12.8, { min: 1e-36, max: 1e36, unit: BOX_UNIT }),
  },
  eps: false,
  fields: { rate: ["f32", doc`1 / c.`] },
  block: ({ c }) => ({ rate: 1 / c }),
  ...boxBounds(2e-6, doc`, because the exponential multiplies the rounding of d / c`),
  source: doc`Wang et al. 2021 (A Normalized Gaussian Wasserstein Distance for Tiny Object Detection), with c for C`,
});
