/**
 * The box losses: pairs of boxes (N, 4), of which each has a value.
 */
import { doc } from "../doc.ts";
import { bound, nameOf, type OperationFacts } from "../operation.ts";
import { numberParam, paramReader, type Params, type Values } from "../params.ts";
import type { TensorLike } from "../types.ts";
import { describeTensor, matrixAnywhere, shapeOf, typeError } from "../validate.ts";
import { lossOperation } from "./loss_call.ts";
import { blockLayout, CALL_FIELDS, type OwnFields } from "./loss_block.ts";
import { type CheckedLoss, LOSS_PARAMS, lossSettings } from "./checked_loss.ts";

/** Rows of a block of the kernels. */
const BLOCK = 512;

/** What is added to denominators. */
export const EPS = 1e-7;

const BOX_PARAMS = { eps: numberParam(doc`added to denominators`, EPS, { min: 0 }) };

/** The unit of a parameter that is a length: a loss has no unit of its own, so that it and the boxes change it together. */
export const BOX_UNIT = "the unit of the boxes";

/** The parameter of losses with an inner term, which is a field of the kernel's block, too. */
export const innerRatio = numberParam(
  doc`factor of both boxes about their centres in the inner term, as a float32 number; 1: none`,
  1,
  { min: 0.01, max: 10 },
);

/** What sets a box loss apart. */
interface BoxLossSpec<P extends Params, E extends boolean>
  extends Omit<OperationFacts<P>, "shapes" | "tensors" | "params"> {
  readonly params?: P;
  /** False of a loss without denominators that may be 0. */
  readonly eps?: E;
  /**
   * Own fields of the kernel's block and of the shader's `params`, and what they are for the parameters. Default: the own parameters,
   * which then are numbers.
   */
  readonly fields?: OwnFields;
  block?(values: Values<P>, eps: number): Readonly<Record<string, number>>;
}

/** The bounds of box losses; `gradient` is that of the gradient, `more` the words behind it. */
export function boxBounds(gradient = 1e-6, more = ""): Pick<OperationFacts, "bounds" | "errorBound"> {
  const common =
    doc`≤ {loss} of max(1, loss). For the gradient, ≤ {gradient} of max(its largest member, 1 / the longer side of pred)`;
  return { bounds: { loss: bound(1e-6), gradient: bound(gradient) }, errorBound: common + more };
}

/** The parameters of box losses, of those without eps too. */
type CommonParams<E extends boolean> = typeof LOSS_PARAMS & (E extends true ? typeof BOX_PARAMS : unknown);

/** A box loss from its record. */
export function boxLoss<P extends Params = Record<never, never>, E extends boolean = true>(spec: BoxLossSpec<P, E>) {
  const { stem } = spec;
  const op = nameOf(stem);
  const params = {
    ...LOSS_PARAMS,
    ...(spec.params as P),
    ...(spec.eps === false ? {} : BOX_PARAMS),
  } as P & CommonParams<E>;
  const { block, fields: ownFields = fieldsOf(spec.params ?? {}) } = spec;
  // The loop asks of every loss whether its eps fits float32.
  const fields = { ...ownFields, ...fieldsOf(BOX_PARAMS) };
  const readOptions = paramReader(op, params);
  const layout = blockLayout(CALL_FIELDS, fields);
  const names = Object.keys(spec.params ?? {});
  return lossOperation({
    ...spec,
    kind: "box loss",
    params,
    fields,
    shapes: doc`(N, 4), (N, 4) → (N)`,
    tensors: doc`pred (N, 4) and target (N, 4), boxes in \`xyxy\`, both in one unit. Loss (N)`,
    check(pred: TensorLike, target: TensorLike, options?: object): CheckedLoss {
      const values = readOptions(options);
      const { eps = EPS } = values as { eps?: number };
      const [boxes, targets] = pairs(op, pred, target);
      const [rows] = boxes.dims;
      const extent = { dims: boxes.dims, elements: rows * 4, rows, values: rows, elementWeights: false };
      return {
        op,
        stem,
        kind: "box loss",
        layout,
        exponent: 0,
        parameters: {
          ...(block === undefined
            ? pick(values as Values<Params>, names)
            : block.call(spec, values as unknown as Values<P>, eps)),
          eps,
        },
        settings: lossSettings(op, values, extent),
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
    },
  });
}

/** A field of the same name for each parameter. */
function fieldsOf(params: Params): OwnFields {
  return Object.fromEntries(Object.entries(params).map(([name, { text }]) => [name, ["f32", text]]));
}

function pick(values: Values<Params>, names: readonly string[]): Record<string, number> {
  const picked: Record<string, number> = {};
  for (const name of names) picked[name] = values[name] as number;
  return picked;
}

function pairs(op: string, pred: TensorLike, target: TensorLike) {
  const boxes = matrixAnywhere({ op, argument: "pred" }, pred, 4);
  const targets = matrixAnywhere({ op, argument: "target" }, target, 4);
  if (targets.dims[0] !== boxes.dims[0]) {
    const wanted = `shape ${shapeOf(boxes.dims)}, as pred`;
    throw typeError({ op, argument: "target" }, describeTensor(target, targets), wanted);
  }
  return [boxes, targets];
}
