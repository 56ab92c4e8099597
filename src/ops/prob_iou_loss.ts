/** ProbIoU loss of rotated boxes. */
import { doc } from "../doc.ts";
import { bound, nameOf, routine } from "../operation.ts";
import { paramReader } from "../params.ts";
import type { LossOptions, TensorLike } from "../types.ts";
import { describeTensor, matrixAnywhere, shapeOf, typeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { LOSS_PARAMS } from "./checked_loss.ts";
import { blockLayout, CALL_FIELDS } from "./loss_block.ts";
import type { LossCall } from "./loss_call.ts";
import { rowPairCall } from "./row_pairs.ts";

const stem = "prob_iou_loss";
const op = nameOf(stem);
/** Centre x, y, width, height, angle. */
const COLUMNS = 5;
/** Rows of a block of the kernel. */
const BLOCK = 512;

const readOptions = paramReader(op, LOSS_PARAMS);
const layout = blockLayout(CALL_FIELDS, {});

function check(pred: TensorLike, target: TensorLike, options?: LossOptions): LossCall {
  const values = readOptions(options);
  const boxes = matrixAnywhere({ op, argument: "pred" }, pred, COLUMNS);
  const targets = matrixAnywhere({ op, argument: "target" }, target, COLUMNS);
  const [rows] = boxes.dims;
  if (targets.dims[0] !== rows) {
    const wanted = `shape ${shapeOf(boxes.dims)}, as pred`;
    throw typeError({ op, argument: "target" }, describeTensor(target, targets), wanted);
  }
  const tensors = { pred: boxes, columns: COLUMNS, target: targets, targetColumns: COLUMNS, rows };
  return rowPairCall({ op, stem, layout, parameters: {}, blockRows: BLOCK, ...tensors }, values);
}

export const probIouLoss = routine({
  stem,
  kernels: [stem],
  divides: "any memory" as const,
  shapes: doc`(N, 5), (N, 5) → (N)`,
  tensors:
    doc`pred (N, 5) and target (N, 5), rotated boxes: centre x, y, width, height, angle, all lengths in one unit. Loss (N)`,
  operands: {
    pred: doc`rotated boxes (N, 5) as centre x, y, width, height, angle`,
    target: doc`the same shape`,
  },
  summary: doc`ProbIoU loss of rotated boxes, with gradient to all five members`,
  params: LOSS_PARAMS,
  throws: [doc`TypeError if pred and target are not as many boxes`],
  bounds: { loss: bound(1e-6), gradient: bound(2e-6) },
  errorBound:
    doc`absolute, ≤ {loss}. For the gradient, ≤ {gradient} of max(its largest member, 1 / the longer side of pred), that of the angle over the longer side. On WebGPU both hold for sides of up to 8 : 1`,
  source: doc`Llerena et al. 2021 (Gaussian Bounding Boxes and Probabilistic IoU), section 3, the loss L1`,
  check,
  run: (backend: WasmBackend, pred: TensorLike, target: TensorLike, options?: LossOptions) =>
    check(pred, target, options).onWasm(backend),
});
