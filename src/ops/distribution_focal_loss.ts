/** Distribution focal loss. */
import { doc } from "../doc.ts";
import { bound, nameOf } from "../operation.ts";
import { choiceParam, numberParam } from "../params.ts";
import type { TensorLike } from "../types.ts";
import { describeTensor, elementsOf, rangeError, shapeOf, tensorAnywhere, typeError } from "../validate.ts";
import { BIN_PARAMS, binsOf } from "./bins.ts";
import { rowLoss } from "./row_loss.ts";

const stem = "distribution_focal_loss";
const op = nameOf(stem);
const MAX_BINS = 64;
/** Rounding of a label to float32, in bins, where first bin and step are not 0 and 1. */
const ROUNDING = 4e-6;

export const distributionFocalLoss = rowLoss({
  stem,
  summary: doc`distribution focal loss, with gradient`,
  alias: "dfl",
  shapes: doc`(M, bins), (M) → (M)`,
  tensors:
    doc`pred (M, bins), logits, one row per side; target (M), in bin values, from the first bin to the last. Loss (M)`,
  params: {
    firstBin: numberParam(doc`value of the first bin`, 0),
    binStep: numberParam(doc`difference of neighbouring bins`, 1, { over: 0, max: Number.MAX_VALUE }),
    binValues: BIN_PARAMS.binValues,
    outside: choiceParam(
      doc`of a target outside the bins: "error", or "clamp", all weight on the first or last bin; NaN then stays NaN`,
      ["error", "clamp"],
      "error",
    ),
  },
  fields: {
    firstBin: ["f32", doc`Value of the first bin.`],
    inverseStep: ["f32", doc`One over the step from bin to bin.`],
    slack: ["f32", doc`How far, in bins, a label may be outside the bins; infinite: anywhere, or NaN.`],
    table: ["i32", doc`The bins' values, or 0: first bin and step say them.`],
    outside: ["i32", doc`Out: the first row whose label is outside, counted from 1; 0: none.`],
  },
  check(pred: TensorLike, target: TensorLike, values) {
    const { firstBin, binStep, binValues, outside } = values;
    const labels = tensorAnywhere({ op, argument: "target" }, target, (length) => [length]);
    const rows = elementsOf(labels.dims);
    const logits = tensorAnywhere(
      { op, argument: "pred" },
      pred,
      (length) => [...labels.dims, rows === 0 && length === 0 ? 2 : length / rows],
    );
    const bins = logits.dims[logits.dims.length - 1];
    const axes = logits.dims.slice(0, -1);
    const found = elementsOf(axes);
    if (logits.dims.length < 2 || !Number.isInteger(bins) || bins < 2 || bins > MAX_BINS || found !== rows) {
      const wanted = `shape (${rows}, bins) with 2 to ${MAX_BINS} bins, a row for each target`;
      throw typeError({ op, argument: "pred" }, describeTensor(pred, logits), wanted);
    }
    // Other axes of as many rows would be other sides' targets.
    if (labels.dims.length !== 1 && shapeOf(labels.dims) !== shapeOf(axes)) {
      const shapes = [...new Set([shapeOf(axes), shapeOf([rows])])].join(" or ");
      throw typeError(
        { op, argument: "target" },
        describeTensor(target, labels),
        `shape ${shapes}, one for each row of pred`,
      );
    }
    const table = binValues && binsOf(op, bins, values).values;
    // A table has no rounding of its own.
    const exact = firstBin === 0 && binStep === 1;
    const slack = exact ? 0 : ROUNDING * bins;
    const [low, high] = binValues === undefined
      ? [firstBin, firstBin + binStep * (bins - 1)]
      : [binValues[0], binValues[bins - 1]];
    const wanted = `a value of the bins, ${low} to ${high}`;
    return {
      pred: logits,
      rows,
      columns: bins,
      target: labels,
      parameters: {
        firstBin,
        inverseStep: 1 / binStep,
        slack: outside === "clamp" ? Infinity : slack,
        table: 0,
        outside: 0,
      },
      ...(table && { table }),
      outside: (row, label) =>
        rangeError({ op, argument: `target[${row}]` }, label ?? "outside the bins or NaN", wanted),
    };
  },
  throws: [
    doc`RangeError if a target is outside the bins or NaN (the error names its row), without \`outside\` "clamp"`,
  ],
  bounds: { loss: bound(5e-7, 4e-6), gradient: bound(5e-7, 4e-6) },
  errorBound:
    doc`absolute, ≤ {loss} of max(1, loss), and ≤ {gradient} for the gradient, on WebGPU ≤ {loss.webgpu} for both. Where \`firstBin\` is not 0 or \`binStep\` not 1, the bounds hold for u as float32 has it, and with \`binValues\` for those as float32 has them`,
  source: doc`Li et al. 2020 (Generalized Focal Loss), equation 6`,
});
