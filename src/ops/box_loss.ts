/**
 * What the losses over pairs of boxes share: their arguments are (N, 4) boxes and `eps`, their rows are the boxes.
 */
import type { BoxLossOptions, LossOptions, LossResult, Reduction, TensorLike } from "../types.ts";
import { describeTensor, matrix, number, options as checkOptions, shapeOf, typeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { lossSettings, runLoss } from "./loss.ts";

type BoxKernel = "iou_loss" | "giou_loss" | "diou_loss" | "ciou_loss" | "eiou_loss" | "siou_loss";

/** Checks the arguments and runs the kernel on them. */
/** Rows of a block of the kernels. */
const BLOCK = 512;

export function boxLoss(
  backend: WasmBackend,
  op: string,
  kernel: BoxKernel,
  pred: TensorLike,
  target: TensorLike,
  options: (LossOptions & BoxLossOptions) | undefined,
): LossResult<Reduction, boolean> {
  const given = checkOptions(op, options);
  const boxes = matrix({ op, argument: "pred" }, pred, 4);
  const { rows } = boxes;
  const targets = matrix({ op, argument: "target" }, target, 4);
  if (targets.rows !== rows) {
    throw typeError(
      { op, argument: "target" },
      describeTensor(target, targets),
      `shape ${shapeOf(boxes.dims)}, as pred`,
    );
  }
  const eps = number({ op, argument: "options.eps" }, given.eps ?? 1e-7, 0);
  const settings = lossSettings(op, given, { elements: rows * 4, rows, values: rows, elementWeights: false });
  const call = {
    op,
    kernel: backend.kernels[kernel],
    parameters: { low: eps },
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
  return runLoss(backend, call, settings);
}
