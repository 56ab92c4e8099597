/** Distribution focal loss. */
import type { DistributionFocalOptions, LossOptions, TensorLike } from "../types.ts";
import {
  describeTensor,
  elementsOf,
  namesOf,
  number,
  options as checkOptions,
  rangeError,
  tensorAnywhere,
  typeError,
} from "../validate.ts";
import { lossOperation } from "./loss_call.ts";
import { LOSS_OPTIONS, lossSettings } from "./checked_loss.ts";

const op = "distributionFocalLoss";
/** Floats of a block of the kernel. */
const BLOCK = 2048;
const MAX_BINS = 64;
const OPTIONS = [...LOSS_OPTIONS, ...namesOf<DistributionFocalOptions>({ firstBin: true, binStep: true })];
/** Rounding of a label to float32, in bins, where first bin and step are not 0 and 1. */
const ROUNDING = 4e-6;

export const distributionFocalLoss = lossOperation({
  name: op,
  stem: "distribution_focal_loss",
  shapes: "(M, bins), (M) → (M)",
  summary: "distribution focal loss, with gradient",
  check(
    pred: TensorLike,
    target: TensorLike,
    options?: LossOptions & DistributionFocalOptions,
  ) {
    const given = checkOptions(op, options, OPTIONS);
    const first = number({ op, argument: "options.firstBin" }, given.firstBin ?? 0);
    const step = number({ op, argument: "options.binStep" }, given.binStep ?? 1);
    if (!(step > 0 && step < Infinity)) throw rangeError({ op, argument: "options.binStep" }, step, "a number over 0");
    const labels = tensorAnywhere({ op, argument: "target" }, target, (length) => [length]);
    const rows = elementsOf(labels.dims);
    const logits = tensorAnywhere(
      { op, argument: "pred" },
      pred,
      (length) => [rows, rows === 0 && length === 0 ? 2 : length / rows],
    );
    const bins = logits.dims[logits.dims.length - 1];
    const found = elementsOf(logits.dims.slice(0, -1));
    if (logits.dims.length < 2 || !Number.isInteger(bins) || bins < 2 || bins > MAX_BINS || found !== rows) {
      const wanted = `shape (${rows}, bins) with 2 to ${MAX_BINS} bins, a row for each target`;
      throw typeError({ op, argument: "pred" }, describeTensor(pred, logits), wanted);
    }
    const extent = { dims: logits.dims, elements: rows * bins, rows, values: rows, elementWeights: false };
    const exact = first === 0 && step === 1;
    const wanted = `a value of the bins, ${first} to ${first + step * (bins - 1)}`;
    return {
      op,
      kernel: "distribution_focal_loss",
      parameters: { low: first, inverse: 1 / step, scale: exact ? 0 : ROUNDING * bins },
      settings: lossSettings(op, given, extent),
      pred: logits,
      columns: bins,
      rows,
      blockRows: Math.floor(BLOCK / bins) & ~3,
      target: labels,
      targetColumns: 1,
      labels: null,
      scores: null,
      valueColumns: 1,
      outside: (row, label) =>
        rangeError({ op, argument: `target[${row}]` }, label ?? "outside the bins or NaN", wanted),
    };
  },
});
