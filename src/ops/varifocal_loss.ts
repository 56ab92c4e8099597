/** Varifocal loss. */
import { doc } from "../doc.ts";
import { bound, nameOf } from "../operation.ts";
import { atLeastZero, booleanParam, optionalChoice } from "../params.ts";
import { typeError } from "../validate.ts";
import { elementLoss } from "./element_loss.ts";
import type { OwnFields } from "./loss_block.ts";

const stem = "varifocal_loss";

/** Fields of the block that this loss and others over the same kernel have of their own. */
export const VARIFOCAL_FIELDS = {
  alpha: ["f32", doc`Factor of negatives.`],
  leastWeight: ["f32", doc`What a positive's quality counts at least: 0, or 1 without weighting.`],
  slope: ["f32", doc`γ, or 0 where σ^γ is a constant of the gradient.`],
  ownIsPositive: ["i32", doc`1: the element of a label is a positive whatever its score.`],
} as const satisfies OwnFields;

export const varifocalLoss = elementLoss({
  stem,
  summary: doc`varifocal loss, with gradient`,
  alias: "vfl",
  labels: true,
  params: {
    alpha: atLeastZero(doc`factor of negatives only`, 0.75),
    gamma: atLeastZero(doc`exponent of σ in negatives`, 2),
    iouWeighted: booleanParam(doc`weight positives by their quality`, true),
    detachWeight: booleanParam(doc`take σ^γ for a constant in the gradient (RT-DETR, D-FINE)`, false),
    positives: optionalChoice(
      doc`"quality": elements with q > 0 are positives (mmdet). "label": the element of a row's label is positive, also for a score of 0 (YOLOv6, PP-YOLOE, Ultralytics)`,
      ["label", "quality"],
      doc`"label" with labels and "quality" with a dense target`,
    ),
  },
  exponent: "gamma",
  fields: VARIFOCAL_FIELDS,
  block({ alpha, gamma, iouWeighted, detachWeight, positives }, labelled) {
    return {
      alpha,
      leastWeight: iouWeighted ? 0 : 1,
      slope: detachWeight ? 0 : gamma,
      ownIsPositive: ownIsPositive(positives, labelled) ? 1 : 0,
    };
  },
  tensors:
    doc`pred (N, C) or any shape, logits; target: qualities q of the same shape in [0, 1], or labels (N) with scores for pred (N, C). Loss: pred's shape, or (N) with labels`,
  throws: [doc`TypeError if \`positives\` is "label" and the target is dense`],
  bounds: { value: bound(1e-6), power: bound(4e-7), difference: bound(3e-7) },
  errorBound:
    doc`relative, ≤ {value} for value and gradient. For γ other than 0, 1, 1.5 and 2 it is ≤ {power}·(1 + γ) where that is more, because the power multiplies the rounding of its base. The difference σ − q adds ≤ {difference} of the smaller of σ and 1 − σ`,
  source: doc`Zhang et al. 2021 (VarifocalNet), equation 2`,
});

function ownIsPositive(positives: "quality" | "label" | undefined, labelled: boolean): boolean {
  if (positives === undefined) return labelled;
  if (positives === "label" && !labelled) {
    const wanted = '"quality" with a dense target, which has no labels';
    throw typeError({ op: nameOf(stem), argument: "options.positives" }, '"label"', wanted);
  }
  return positives === "label";
}
