/**
 * The element losses: logits and targets in [0, 1], dense or one label a row.
 */
import { doc } from "../doc.ts";
import type { HostArray } from "../arrays.ts";
import { nameOf, type OperationFacts } from "../operation.ts";
import { paramReader, type Params, type Values } from "../params.ts";
import type { ClassTarget, LabelTarget, TensorLike } from "../types.ts";
import { arrayOf, describe, known, namesOf, rangeError, typeError } from "../validate.ts";
import { lossOperation, type LossRecord } from "./loss_call.ts";
import { blockLayout, CALL_FIELDS, ELEMENT_FIELDS, type OwnFields } from "./loss_block.ts";
import {
  type CheckedLoss,
  denseTarget,
  LOSS_PARAMS,
  type LossExtent,
  type LossKernelCall,
  type LossSettings,
  lossSettings,
  predOf,
} from "./checked_loss.ts";

/** What sets an element loss apart. */
interface ElementLossSpec<P extends Params>
  extends Omit<OperationFacts<P>, "shapes" | "tensors">, Pick<LossRecord, "alias" | "targetRange"> {
  /** Where targets are more than numbers in [0, 1]. */
  readonly tensors?: string;
  /** True where labels may stand in the place of dense targets. */
  readonly labels: boolean;
  /** Name of the parameter that is an exponent. Default: none, exponent 0. */
  readonly exponent?: string & keyof P;
  /** Own fields of the parameter block, and what they are for the parameters. */
  readonly fields?: OwnFields;
  block?(values: Values<P>, labelled: boolean): Readonly<Record<string, number>>;
}

const NOTHING = {};

/** An element loss from its record. */
export function elementLoss<P extends Params>(spec: ElementLossSpec<P>) {
  const { stem, exponent, block, fields = {} } = spec;
  const op = nameOf(stem);
  const params = { ...LOSS_PARAMS, ...spec.params };
  const readOptions = paramReader(op, params);
  const layout = blockLayout(CALL_FIELDS, ELEMENT_FIELDS, fields);
  const shapeOf = spec.labels ? classShape : denseShape;
  return lossOperation({
    tensors: spec.labels
      ? doc`pred (N, C) or any shape, logits; target of the same shape in [0, 1], or labels (N) for pred (N, C). Loss: pred's shape, or (N) with labels`
      : doc`pred (N, C) or any shape, logits; target of the same shape in [0, 1]. Loss: pred's shape`,
    ...spec,
    kind: "element loss",
    params,
    fields,
    shapes: spec.labels ? doc`(…), targets or labels → (…) or (N)` : doc`(…), (…) → (…)`,
    targetRange: spec.targetRange ?? [0, 1],
    check(pred: TensorLike, target: ClassTarget, options?: object): CheckedLoss {
      const shape = shapeOf(op, pred, target as TensorLike);
      const values = readOptions(options);
      const own = values as unknown as Values<P>;
      const power = exponent === undefined ? 0 : own[exponent] as number;
      const parameters = block === undefined ? NOTHING : block.call(spec, own, shape.labels !== null);
      const kernel = { stem, kind: "element loss", layout, exponent: power, parameters } as const;
      return callOf(shape, kernel, lossSettings(op, values, extentOf(shape)));
    },
  });
}

/** Elements of a block of the kernels, a power of two. */
const BLOCK = 512;

/** Rows after which a block ends with a row. */
function blockRowsOf(columns: number): number {
  // The lowest bit of columns is the largest power of two that divides it.
  return BLOCK / Math.min(BLOCK, columns & -columns);
}

/** Predictions and targets of a call; `weightRows` is how many rows a weight per row has. */
interface Shape extends Omit<CheckedLoss, keyof LossKernelCall | "settings"> {
  readonly elements: number;
  readonly weightRows: number;
}

function callOf(shape: Shape, kernel: LossKernelCall, settings: LossSettings): CheckedLoss {
  const { op, pred, columns, rows, blockRows, target, targetColumns, labels, scores, valueColumns } =
    settings.weightKind === 2 ? byRow(shape) : shape;
  const { stem, kind, layout, exponent, parameters } = kernel;
  // Written out: to spread it would take as long as a small kernel.
  return {
    op,
    stem,
    kind,
    layout,
    exponent,
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

function extentOf({ pred: { dims }, elements, weightRows, rows, valueColumns }: Shape): LossExtent {
  return { dims, elements, rows: weightRows, values: rows * valueColumns, elementWeights: true };
}

/** Of a loss that also takes labels. */
function classShape(op: string, pred: TensorLike, target: ClassTarget): Shape {
  if (isLabelTarget(target)) return labelShape(op, pred, target);
  if (!isTensor(target)) known(op, "target", target, LABEL_TARGET);
  return denseShape(op, pred, target as TensorLike);
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
function denseShape(op: string, pred: TensorLike, target: TensorLike): Shape {
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

function labelShape(op: string, pred: TensorLike, target: LabelTarget): Shape {
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
