/**
 * What the losses over pairs of boxes share: their arguments are (N, 4) boxes and `eps`, their rows are the boxes.
 */
import type { BoxLossOptions, LossOptions, TensorLike } from "../types.ts";
import {
  describeTensor,
  matrixAnywhere,
  namesOf,
  number,
  options as checkOptions,
  shapeOf,
  typeError,
} from "../validate.ts";
import { type CheckedLoss, LOSS_OPTIONS, type LossKernel, lossSettings } from "./checked_loss.ts";

/** Rows of a block of the kernels. */
const BLOCK = 512;
const OPTIONS = [...LOSS_OPTIONS, ...namesOf<BoxLossOptions>({ eps: true })];

export type BoxLossArguments = [
  pred: TensorLike,
  target: TensorLike,
  options?: LossOptions & BoxLossOptions,
];

/** The checked call of a kernel. */
export function boxLoss(op: string, kernel: LossKernel, [pred, target, options]: BoxLossArguments): CheckedLoss {
  const given = checkOptions(op, options, OPTIONS);
  const boxes = matrixAnywhere({ op, argument: "pred" }, pred, 4);
  const [rows] = boxes.dims;
  const targets = matrixAnywhere({ op, argument: "target" }, target, 4);
  if (targets.dims[0] !== rows) {
    throw typeError(
      { op, argument: "target" },
      describeTensor(target, targets),
      `shape ${shapeOf(boxes.dims)}, as pred`,
    );
  }
  const eps = number({ op, argument: "options.eps" }, given.eps ?? 1e-7, 0);
  return {
    op,
    kernel,
    parameters: { low: eps },
    settings: lossSettings(op, given, {
      dims: boxes.dims,
      elements: rows * 4,
      rows,
      values: rows,
      elementWeights: false,
    }),
    pred: boxes,
    columns: 4,
    rows,
    blockRows: BLOCK,
    target: targets,
    targetColumns: 4,
    labels: null,
    scores: null,
    valueColumns: 1,
  };
}
