/**
 * Losses of rows that are neither logits nor boxes in `xyxy`: each row of `pred` has a row of `target` in a form of its own.
 */
import type { Values } from "../params.ts";
import { apart, type CheckedLoss, type LOSS_PARAMS, type LossKernelCall, lossSettings } from "./checked_loss.ts";
import { LossCall } from "./loss_call.ts";

/** Checked tensors, and the kernel with its parameters. */
type RowPairs =
  & Pick<CheckedLoss, "op" | "pred" | "columns" | "target" | "targetColumns" | "rows" | "blockRows">
  & Pick<CheckedLoss, "areas" | "table" | "outside">
  & Pick<LossKernelCall, "stem" | "layout" | "parameters">;

/** The call of such a loss with these options of all losses. */
export function rowPairCall(pairs: RowPairs, options: Values<typeof LOSS_PARAMS>): LossCall {
  const { op, rows, columns } = pairs;
  const extent = { dims: [rows, columns], elements: rows * columns, rows, values: rows, elementWeights: false };
  const checked: CheckedLoss = {
    ...pairs,
    kind: "row loss",
    exponent: 0,
    settings: lossSettings(op, options, extent),
    labels: null,
    scores: null,
    valueColumns: 1,
  };
  return new LossCall(apart(checked));
}
