/**
 * The row losses: rows of logits, of which each has one target and one value.
 */
import { nameOf, type OperationFacts } from "../operation.ts";
import { paramReader, type Params, type Values } from "../params.ts";
import type { TensorLike } from "../types.ts";
import type { AnySource } from "../validate.ts";
import { lossOperation, type LossRecord } from "./loss_call.ts";
import { blockLayout, CALL_FIELDS, type OwnFields } from "./loss_block.ts";
import { type CheckedLoss, LOSS_PARAMS, lossSettings } from "./checked_loss.ts";

/** Floats of a block of the kernels. */
const BLOCK = 2048;

/** Checked tensors of a call, and the loss's own fields of the block. */
interface RowLossInput extends Pick<CheckedLoss, "rows" | "columns" | "parameters" | "table" | "outside"> {
  readonly pred: AnySource;
  readonly target: AnySource;
}

/** What sets a row loss apart. */
interface RowLossSpec<P extends Params> extends OperationFacts<P>, Pick<LossRecord, "alias"> {
  readonly fields: OwnFields;
  check(pred: TensorLike, target: TensorLike, values: Values<P>): RowLossInput;
}

/** A row loss from its record. */
export function rowLoss<P extends Params>(spec: RowLossSpec<P>) {
  const { stem } = spec;
  const op = nameOf(stem);
  const params = { ...LOSS_PARAMS, ...spec.params };
  const readOptions = paramReader(op, params);
  const layout = blockLayout(CALL_FIELDS, spec.fields);
  return lossOperation({
    ...spec,
    kind: "row loss",
    params,
    check(pred: TensorLike, target: TensorLike, options?: object): CheckedLoss {
      const values = readOptions(options);
      const input = spec.check(pred, target, values as unknown as Values<P>);
      const { rows, columns } = input;
      const extent = { dims: input.pred.dims, elements: rows * columns, rows, values: rows, elementWeights: false };
      return {
        ...input,
        op,
        stem,
        kind: "row loss",
        layout,
        exponent: 0,
        settings: lossSettings(op, values, extent),
        blockRows: Math.floor(BLOCK / columns) & ~3,
        targetColumns: 1,
        labels: null,
        scores: null,
        valueColumns: 1,
      };
    },
  });
}
