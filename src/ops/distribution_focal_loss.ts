/** Distribution focal loss. */
import type { DistributionFocalOptions, LossOptions, TensorLike } from "../types.ts";
import { describeTensor, number, options as checkOptions, rangeError, tensor, typeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { lossSettings, runLoss } from "./loss.ts";
import type { Operation } from "./operation.ts";

const op = "distributionFocalLoss";
/** Floats of a block of the kernel. */
const BLOCK = 2048;
const MAX_BINS = 64;
/** Rounding of a label to float32, in bins, where first bin and step are not 0 and 1. */
const ROUNDING = 4e-6;

export const distributionFocalLoss = {
  name: op,
  stem: "distribution_focal_loss",
  kernels: ["distribution_focal_loss"],
  shapes: "(M, bins), (M) → (M)",
  summary: "distribution focal loss, with gradient",
  run(
    backend: WasmBackend,
    pred: TensorLike,
    target: TensorLike,
    options?: LossOptions & DistributionFocalOptions,
  ) {
    const given = checkOptions(op, options);
    const first = number({ op, argument: "options.firstBin" }, given.firstBin ?? 0);
    const step = number({ op, argument: "options.binStep" }, given.binStep ?? 1);
    if (!(step > 0 && step < Infinity)) throw rangeError({ op, argument: "options.binStep" }, step, "a number over 0");
    const labels = tensor({ op, argument: "target" }, target, (length) => [length]);
    const rows = labels.dims.reduce((product, d) => product * d, 1);
    const logits = tensor({ op, argument: "pred" }, pred, (length) => [rows, length / rows]);
    const bins = logits.dims[logits.dims.length - 1];
    const found = logits.dims.slice(0, -1).reduce((product, d) => product * d, 1);
    if (logits.dims.length < 2 || !Number.isInteger(bins) || bins < 2 || bins > MAX_BINS || found !== rows) {
      const wanted = `shape (${rows}, bins) with 2 to ${MAX_BINS} bins, a row for each target`;
      throw typeError({ op, argument: "pred" }, describeTensor(pred, logits), wanted);
    }
    const extent = { elements: rows * bins, rows, values: rows, elementWeights: false };
    const exact = first === 0 && step === 1;
    const blockRows = Math.floor(BLOCK / bins) & ~3;
    const shape = { pred: logits, columns: bins, rows, blockRows, target: labels, targetColumns: 1, valueColumns: 1 };
    return runLoss(backend, {
      ...shape,
      op,
      kernel: backend.kernels.distribution_focal_loss,
      parameters: { low: first, inverse: 1 / step, scale: exact ? 0 : ROUNDING * bins },
      labels: null,
      scores: null,
      check: (backend, block, firstRow) => checkLabels(backend, block, firstRow, first, first + step * (bins - 1)),
    }, lossSettings(op, given, extent));
  },
} satisfies Operation;

/** The kernel leaves the first row whose label is outside the bins. */
function checkLabels(backend: WasmBackend, block: number, firstRow: number, first: number, last: number): void {
  const outside = backend.memory.ints[(block >> 2) + 18];
  if (outside === 0) return;
  const label = backend.memory.floats[(backend.memory.ints[(block >> 2) + 3] >> 2) + outside - 1];
  throw rangeError(
    { op, argument: `target[${firstRow + outside - 1}]` },
    label,
    `a value of the bins, ${first} to ${last}`,
  );
}
