/** Varifocal loss. */
import { doc } from "../doc.ts";
import { bound, nameOf } from "../operation.ts";
import { atLeastZero, booleanParam, optionalChoice } from "../params.ts";
import { typeError } from "../validate.ts";
import { elementLoss } from "./element_loss.ts";

const stem = "varifocal_loss";

export const varifocalLoss = elementLoss({
  stem,
  summary: doc`varifocal loss, with gradient`,
  alias: "vfl",
  labels: true,
  params: {
    alpha: atLeastZero(doc`factor of negatives`, 0.75),
    gamma: atLeastZero(doc`exponent of σ in negatives`, 2),
    iouWeighted: booleanParam(doc`weight positives by their quality`, true),
    positives: optionalChoice(
      doc`positive elements: "quality", where q > 0, or "label", a label's own element, also for a score of 0; by default "label" with labels, else "quality"`,
      ["label", "quality"],
    ),
  },
  exponent: "gamma",
  fields: {
    alpha: ["f32", doc`Factor of negatives.`],
    leastWeight: ["f32", doc`What a positive's quality counts at least: 0, or 1 without weighting.`],
    ownIsPositive: ["i32", doc`1: the element of a label is a positive whatever its score.`],
  },
  block({ alpha, iouWeighted, positives }, labelled) {
    return { alpha, leastWeight: iouWeighted ? 0 : 1, ownIsPositive: ownIsPositive(positives, labelled) ? 1 : 0 };
  },
  bounds: {
    value: bound(1e-6, doc`of value and gradient`),
    power: bound(
      4e-7,
      doc`times 1 + γ, where that is more, for γ other than 0, 1, 1.5 and 2: the base's rounding is multiplied`,
    ),
    difference: bound(3e-7, doc`of the smaller of σ and 1 − σ for the difference σ − q`),
  },
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
