/** Every loss with input that it takes, by its kind: what tests of the options of all losses are made of. */
import type { TensorLike } from "densehead";
import type { Operation } from "../src/registry.ts";
import { ofKind, type Options, referenceOf, requiredOf, type RowReference } from "./conformance.ts";

/** A loss by its name, on whatever device the object computes. */
export type AnyLoss = (pred: TensorLike, target: unknown, options?: object) => {
  loss: number | Float32Array;
  grad?: Float32Array;
};

export interface LossCall {
  readonly name: string;
  /** Its name, and whether its targets are labels. */
  readonly title: string;
  /** Of so many rows: all have 4 columns of logits or of coordinates. */
  pred(rows: number): { data: Float32Array; dims: number[] };
  target(rows: number): unknown;
  /** Has it a value for each row, rather than for each element? */
  readonly byRow: boolean;
  readonly elementWeights: boolean;
  /** Options that it is not called without. */
  readonly required: Options;
}

/** The loss of these losses, with the options that it is not called without. */
export function lossIn<L extends (pred: TensorLike, target: unknown, options?: object) => unknown>(
  losses: unknown,
  { name, required }: Pick<LossCall, "name" | "required">,
): L {
  const loss = (losses as Record<string, L>)[name];
  return ((pred, target, options) => loss(pred, target, { ...required, ...options })) as L;
}

const COLUMNS = 4;
const tensor = (rows: number, value: (i: number) => number) => ({
  data: Float32Array.from({ length: rows * COLUMNS }, (_, i) => value(i)),
  dims: [rows, COLUMNS],
});

function elementCalls({ name, labels = false }: Operation & { labels?: boolean }): LossCall[] {
  const dense = {
    name,
    title: name,
    pred: (rows: number) => tensor(rows, (i) => i % 7 - 3),
    target: (rows: number): unknown => tensor(rows, (i) => i % 3 / 2),
    byRow: false,
    elementWeights: true,
    required: {},
  };
  const byLabel = {
    ...dense,
    title: `${name} by labels`,
    target: (rows: number) => ({ labels: Int32Array.from({ length: rows }, (_, i) => i % 5 - 1) }),
    byRow: true,
  };
  return labels ? [dense, byLabel] : [dense];
}

function rowCall(operation: Operation): LossCall {
  const target = (rows: number) => {
    const { targetAt } = referenceOf<RowReference>(operation).file;
    return Float32Array.from({ length: rows }, (_, i) => targetAt(i % 7 / 6, COLUMNS, {}));
  };
  const [{ pred }] = elementCalls(operation);
  return {
    name: operation.name,
    title: operation.name,
    pred,
    target,
    byRow: true,
    elementWeights: false,
    required: {},
  };
}

function boxCall(operation: Operation): LossCall {
  const { name } = operation;
  return {
    name,
    title: name,
    required: requiredOf(operation),
    pred: (rows) => tensor(rows, (i) => i % 4 < 2 ? i % 5 : 10 + i % 6),
    target: (rows) => tensor(rows, (i) => i % 4 < 2 ? i % 3 : 11 + i % 5),
    byRow: true,
    elementWeights: false,
  };
}

/** Every loss, those that take labels also by labels. */
export const LOSS_CALLS: readonly LossCall[] = [
  ...ofKind("element loss").flatMap(elementCalls),
  ...ofKind("row loss").map(rowCall),
  ...ofKind("box loss").map(boxCall),
];
