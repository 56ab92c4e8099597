/**
 * What the losses share before they run anywhere: reduction, weights, where results go, and the checked call.
 */
import { doc } from "../doc.ts";
import { type HostArray, type OutArray, overlap, sameBytes } from "../arrays.ts";
import type { OperationKind } from "../operation.ts";
import {
  booleanParam,
  choiceParam,
  numberParam,
  optionalNumber,
  otherParam,
  type Param,
  type Values,
} from "../params.ts";
import type { LossOptions, Placement, Reduction, TensorLike } from "../types.ts";
import {
  type AnySource,
  arrayOf,
  describe,
  describeTensor,
  elementsOf,
  type GpuSource,
  hasMembers,
  known,
  namesOf,
  overlapError,
  type Place,
  shapeOf,
  tensorAnywhere,
  typeError,
} from "../validate.ts";
import type { BlockLayout } from "./loss_block.ts";

/** A loss's kernel, and what its parameter block has of its own. */
export interface LossKernelCall {
  /** Of kernel and shader. */
  readonly stem: string;
  readonly kind: LossKind;
  readonly layout: BlockLayout;
  /** Of an element loss; 0, 1, 1.5 and 2 have paths of their own. */
  readonly exponent: number;
  /** The loss's own fields of the block. */
  readonly parameters: Readonly<Record<string, number>>;
}

export type LossKind = Extract<OperationKind, `${string} loss`>;

/** Checked options of a call. `factor` is the loss weight over what the sum is divided by. */
export interface LossSettings<S = AnySource> {
  readonly reduction: Reduction;
  readonly weight: S | null;
  readonly weightKind: 0 | 1 | 2;
  readonly grad: boolean;
  readonly factor: number;
  readonly placement: Placement;
  readonly out: { readonly loss: OutArray | null; readonly grad: OutArray | null };
}

/** A checked call of a row loss or an element loss, over tensors that may lie anywhere. */
export interface CheckedLoss<S = AnySource> extends LossKernelCall {
  readonly op: string;
  readonly settings: LossSettings<S>;
  readonly pred: S;
  /** Elements of a row of `pred`, and how many rows; without rows of its own a loss has rows of 1. */
  readonly columns: number;
  readonly rows: number;
  /** Rows of the least chunk that ends where a block of the kernel does, so that chunks do not change a sum. */
  readonly blockRows: number;
  /** Dense target and its elements for each row, or null with labels. */
  readonly target: S | null;
  readonly targetColumns: number;
  /** Labels and their scores are on the GPU where a criterion makes them there. */
  readonly labels: HostArray<Int32Array> | GpuSource | null;
  readonly scores: HostArray<Float32Array> | GpuSource | null;
  /** A number for each row beside its target. */
  readonly areas?: S;
  /** Numbers that all rows share. */
  readonly table?: Float32Array<ArrayBuffer>;
  /** Values of a row: its elements, or 1 for a row loss. */
  readonly valueColumns: number;
  /** The error for a row whose target the kernel found to be outside; the target is unknown where it is on the GPU. */
  outside?(row: number, target: number | null): RangeError;
}

/** How many elements and rows a loss sees, and how many values it gives. */
export interface LossExtent {
  /** The shape of the predictions: rows are all axes but the last, or `rows` by count where it has one axis. */
  readonly dims: readonly number[];
  readonly elements: number;
  readonly rows: number;
  readonly values: number;
  /** True where a weight for each element is allowed: not for a row loss. */
  readonly elementWeights: boolean;
}

/** Parameters of every loss. */
export const LOSS_PARAMS = {
  reduction: choiceParam(
    doc`dense losses average over all elements, row losses over rows. The mean of an empty input is NaN, as in PyTorch. Its sum is 0, and so is its mean with \`avgFactor\``,
    ["none", "sum", "mean"],
    "mean",
  ),
  weight: otherParam<TensorLike>(
    doc`factor of loss and gradient, per element (shape of \`pred\`, with label targets too) or per row (shape of \`pred\` without its last axis or with 1 there, or length N). The length of a plain array decides. A weight of 0 makes the loss 0, also an infinite loss. NaN stays. TypeError: any other shape`,
  ),
  avgFactor: optionalNumber(doc`divisor of the sum for "mean". With "sum": TypeError. With "none": ignored`, {
    over: 0,
  }),
  lossWeight: numberParam(doc`factor of loss and gradient. A value of 0 acts as a weight of 0`, 1),
  grad: booleanParam(doc`also return the gradient d(result)/d(pred); for "none", d(sum)/d(pred)`, false),
  placement: choiceParam(
    doc`"gpu", on WebGPU: loss and gradient stay on the device as \`GpuTensor\`. The caller destroys their buffers`,
    ["host", "gpu"],
    "host",
  ),
  out: otherParam<LossOptions["out"]>(
    doc`arrays to write into instead of allocating. Their lengths must match. TypeError: arrays that overlap each other, or that overlap an input without covering it exactly`,
  ),
} as const satisfies Record<keyof LossOptions, Param>;

const OUT = namesOf<Required<LossOptions>["out"]>({ loss: true, grad: true });

export function lossSettings(op: string, options: Values<typeof LOSS_PARAMS>, extent: LossExtent): LossSettings {
  const { reduction, placement, grad, lossWeight, avgFactor } = options;
  const divisor = divisorOf(op, reduction, avgFactor, extent.values);
  const { weight, weightKind } = weightOf({ op, argument: "options.weight" }, options.weight, extent);
  const host = placement === "host";
  const out = outArrays(
    op,
    options.out,
    host && reduction === "none" ? extent.values : null,
    host && grad ? extent.elements : null,
  );
  return { reduction, weight, weightKind, grad, factor: lossWeight / divisor, placement, out };
}

function divisorOf(op: string, reduction: Reduction, avgFactor: number | undefined, values: number): number {
  if (avgFactor === undefined) return reduction === "mean" ? values : 1;
  if (reduction !== "sum") return reduction === "mean" ? avgFactor : 1;
  throw typeError({ op, argument: "options.avgFactor" }, describe(avgFactor), `no avgFactor with reduction "sum"`);
}

function weightOf(
  place: Place,
  weight: TensorLike | undefined,
  extent: LossExtent,
): Pick<LossSettings, "weight" | "weightKind"> {
  if (weight === undefined) return { weight: null, weightKind: 0 };
  const { elements, rows, elementWeights } = extent;
  const found = tensorAnywhere(place, weight, (length) => [length]);
  const fits = (shapes: readonly (readonly number[])[]) => shapes.some((dims) => shapeOf(dims) === shapeOf(found.dims));
  const { ofElements, ofRows } = weightShapes(extent);
  if (elementWeights && fits(ofElements)) return { weight: found, weightKind: 1 };
  if (fits(ofRows)) return { weight: found, weightKind: 2 };
  const shapes = [...elementWeights ? ofElements : [], ...ofRows].map(shapeOf);
  const perElement = elementWeights ? `${elements} values, one per element, or ` : "";
  const wanted = `${perElement}${rows} values, one per row, of shape ${[...new Set(shapes)].join(" or ")}`;
  throw typeError(place, describeTensor(weight, found), wanted);
}

/** The shapes that weights of elements and of rows may have. */
function weightShapes({ dims, elements, rows }: LossExtent) {
  // Of a bare array only the rows are known.
  const [leading, columns] = dims.length > 1 ? [dims.slice(0, -1), dims[dims.length - 1]] : [[rows], elements / rows];
  const matrix = Number.isInteger(columns) ? [[...leading, columns]] : [];
  return { ofElements: [dims, [elements], ...matrix], ofRows: [[rows], leading, [...leading, 1]] };
}

const NO_OUT: LossSettings["out"] = { loss: null, grad: null };

/** Lengths are null where the call has no such array. */
function outArrays(op: string, out: LossOptions["out"], values: number | null, elements: number | null) {
  if (out === undefined) return NO_OUT;
  if (!hasMembers(out)) {
    throw typeError({ op, argument: "options.out" }, describe(out), "an object with loss or grad");
  }
  known(op, "options.out", out, OUT);
  const { loss, grad } = out;
  return {
    loss: outArray({ op, argument: "options.out.loss" }, loss, values),
    grad: outArray({ op, argument: "options.out.grad" }, grad, elements),
  };
}

function outArray(place: Place, given: Float32Array | undefined, length: number | null): OutArray | null {
  if (given === undefined) return null;
  if (length === null) throw typeError(place, describe(given), "nothing: this call has no such array");
  return { ...arrayOf(place, "Float32Array", given, length), given };
}

/** Refuses results that overlap each other, or what is read, unless they lie over all of it, value over value. */
export function apart(call: CheckedLoss): CheckedLoss {
  const { loss, grad } = call.settings.out;
  if (loss === null && grad === null) return call;
  const { pred, target, labels, scores, areas = null, settings: { weight } } = call;
  for (const out of [loss, grad]) {
    for (const input of [pred, target, labels, scores, areas, weight]) {
      if (out === null || input === null || "gpuBuffer" in input) continue;
      if (overlap(out, input) && !sameBytes(out, input)) throw overlapError(out, input);
    }
  }
  if (loss !== null && grad !== null && overlap(loss, grad)) throw overlapError(loss, grad);
  return call;
}

/** The shape of the predictions, and how many rows they make: all axes but the last. */
export function predOf(op: string, pred: TensorLike): { source: AnySource; elements: number; rows: number } {
  const source = tensorAnywhere({ op, argument: "pred" }, pred, (length) => [length]);
  const elements = elementsOf(source.dims);
  return { source, elements, rows: source.dims.length > 1 ? elementsOf(source.dims.slice(0, -1)) : elements };
}

/** A dense target: the shape of the predictions, or a bare array of as many values. */
export function denseTarget(op: string, target: TensorLike, pred: AnySource): AnySource {
  const place = { op, argument: "target" };
  const found = tensorAnywhere(place, target, (length) => length === elementsOf(pred.dims) ? pred.dims : [length]);
  if (found.dims.length !== pred.dims.length || found.dims.some((d, i) => d !== pred.dims[i])) {
    throw typeError(place, describeTensor(target, found), `shape ${shapeOf(pred.dims)}, as pred`);
  }
  return found;
}
