/**
 * The losses over logits and targets in [0, 1]: dense targets, or one label a row.
 */
import type { ClassTarget, LabelTarget, LossOptions, TensorLike } from "../types.ts";
import type { HostArray } from "../arrays.ts";
import {
  arrayOf,
  describe,
  known,
  namesOf,
  number,
  options as checkOptions,
  rangeError,
  typeError,
} from "../validate.ts";
import { REACH } from "./loss.ts";
import {
  type CheckedLoss,
  denseTarget,
  type LossKernel,
  type LossParameters,
  lossSettings,
  predOf,
} from "./checked_loss.ts";

/** A loss of the order exp(-(1 + exponent)|x|) is no normal number from here on. */
export const reachOf = (exponent: number) => REACH / (1 + exponent);

/** Elements of a block of the kernels, a power of two. */
const BLOCK = 512;

/** Rows after which a block ends with a row. */
function blockRowsOf(columns: number): number {
  // The lowest bit of columns is the largest power of two that divides it.
  return BLOCK / Math.min(BLOCK, columns & -columns);
}

/** The checked call of a kernel, with the options' parameters; `own` are the names of the options that are the loss's own. */
export function classificationLoss<O extends LossOptions>(
  kernel: LossKernel,
  shape: Shape,
  options: O | undefined,
  own: readonly string[],
  parametersOf: (options: Partial<O>) => LossParameters,
): CheckedLoss {
  const { op } = shape;
  const given = checkOptions(op, options, own);
  const parameters = parametersOf(given);
  const values = shape.rows * shape.valueColumns;
  const { dims } = shape.pred;
  const extent = { dims, elements: shape.elements, rows: shape.weightRows, values, elementWeights: true };
  const settings = lossSettings(op, given, extent);
  const { pred, columns, rows, blockRows, target, targetColumns, labels, scores, valueColumns } =
    settings.weightKind === 2 ? byRow(shape) : shape;
  // Written out: to spread it would take as long as a small kernel.
  return {
    op,
    kernel,
    parameters,
    settings,
    pred,
    columns,
    rows,
    blockRows,
    target,
    targetColumns,
    labels,
    scores,
    valueColumns,
  };
}

/** A call before it has its kernel; `weightRows` is how many rows a weight per row has. */
interface Shape extends Omit<CheckedLoss, "kernel" | "parameters" | "settings"> {
  readonly elements: number;
  readonly weightRows: number;
}

/** The call of a loss that also takes labels. */
export function classCall(op: string, pred: TensorLike, target: ClassTarget): Shape {
  if (isLabelTarget(target)) return labelCall(op, pred, target);
  if (!isTensor(target)) known(op, "target", target, LABEL_TARGET);
  return denseCall(op, pred, target as TensorLike);
}

/** All but an object that may have labels by another name. */
function isTensor(target: ClassTarget): target is TensorLike {
  if (typeof target !== "object" || target === null || ArrayBuffer.isView(target) || Array.isArray(target)) return true;
  return "data" in target || "dims" in target || "gpuBuffer" in target;
}

function isLabelTarget(target: ClassTarget): target is LabelTarget {
  return typeof target === "object" && target !== null && "labels" in target;
}

/** Without rows of its own: every element is a row of 1. */
export function denseCall(op: string, pred: TensorLike, target: TensorLike): Shape {
  const { source, elements, rows } = predOf(op, pred);
  return {
    op,
    pred: source,
    elements,
    weightRows: rows,
    columns: 1,
    rows: elements,
    blockRows: BLOCK,
    target: denseTarget(op, target, source),
    targetColumns: 1,
    labels: null,
    scores: null,
    valueColumns: 1,
  };
}

/** With a weight for each row, the rows matter. */
function byRow(call: Shape): Shape {
  if (call.labels !== null || call.elements === 0) return call;
  const columns = call.elements / call.weightRows;
  const blockRows = blockRowsOf(columns);
  return { ...call, columns, rows: call.weightRows, blockRows, targetColumns: columns, valueColumns: columns };
}

const LABEL_TARGET = namesOf<LabelTarget>({ labels: true, scores: true });

function labelCall(op: string, pred: TensorLike, target: LabelTarget): Shape {
  const place = { op, argument: "target.labels" };
  known(op, "target", target, LABEL_TARGET);
  const { labels: given, scores } = target;
  const { source, elements, rows: found } = predOf(op, pred);
  const labels = arrayOf(place, "Int32Array", given);
  const rows = source.dims.length === 1 ? labels.length : found;
  const columns = rows === 0 ? 1 : elements / rows;
  if (!Number.isInteger(columns)) {
    throw typeError({ op, argument: "pred" }, `${elements} values`, `a multiple of the ${rows} labels`);
  }
  if (labels.length !== rows) throw typeError(place, describe(given), `Int32Array(${rows})`);
  return {
    op,
    pred: source,
    elements,
    weightRows: rows,
    columns,
    rows,
    blockRows: blockRowsOf(columns),
    target: null,
    targetColumns: 0,
    labels,
    scores: scores === undefined ? null : qualities(op, scores, labels, columns),
    valueColumns: 1,
  };
}

function qualities(
  op: string,
  given: unknown,
  labels: HostArray<Int32Array>,
  classes: number,
): HostArray<Float32Array> {
  const scores = arrayOf({ op, argument: "target.scores" }, "Float32Array", given, labels.length);
  labels.data.forEach((label, row) => {
    const read = label >= 0 && label < classes;
    const score = scores.data[row];
    if (read && (score < 0 || score > 1)) {
      throw rangeError({ op, argument: `target.scores[${row}]` }, score, "a number from 0 to 1");
    }
  });
  return scores;
}

/** An exponent or weight: a finite number of at least 0. */
export function atLeastZero(op: string, name: string, value: number): number {
  return number({ op, argument: `options.${name}` }, value, 0, Number.MAX_VALUE);
}
