/** Every loss with input that it takes: what tests of the options of all losses are made of. */
import type { TensorLike } from "densehead";

/** A loss by its name, on whatever device the object computes. */
export type AnyLoss = (pred: TensorLike, target: unknown, options?: object) => {
  loss: number | Float32Array;
  grad?: Float32Array;
};

export interface LossCall {
  readonly name: string;
  /** Of so many rows: all have 4 columns of logits or of coordinates. */
  pred(rows: number): { data: Float32Array; dims: number[] };
  target(rows: number): unknown;
  /** Has it a value for each row, rather than for each element? */
  readonly byRow: boolean;
}

const columns = 4;
const tensor = (rows: number, value: (i: number) => number) => ({
  data: Float32Array.from({ length: rows * columns }, (_, i) => value(i)),
  dims: [rows, columns],
});

const dense = (name: string): LossCall => ({
  name,
  pred: (rows) => tensor(rows, (i) => i % 7 - 3),
  target: (rows) => tensor(rows, (i) => i % 3 / 2),
  byRow: false,
});
const labelled = (name: string): LossCall => ({
  ...dense(name),
  target: (rows) => ({ labels: Int32Array.from({ length: rows }, (_, i) => i % 5 - 1) }),
  byRow: true,
});
const boxwise = (name: string): LossCall => ({
  name,
  pred: (rows) => tensor(rows, (i) => i % 4 < 2 ? i % 5 : 10 + i % 6),
  target: (rows) => tensor(rows, (i) => i % 4 < 2 ? i % 3 : 11 + i % 5),
  byRow: true,
});

const CLASSES = ["binaryCrossEntropyWithLogits", "sigmoidFocalLoss", "qualityFocalLoss", "varifocalLoss"];

/** All twelve, four of them also by labels. */
export const LOSS_CALLS: readonly LossCall[] = [
  ...[...CLASSES, "generalizedFocalLoss"].map(dense),
  ...CLASSES.map(labelled),
  {
    ...dense("distributionFocalLoss"),
    target: (rows) => Float32Array.from({ length: rows }, (_, i) => i % 7 / 2),
    byRow: true,
  },
  ...["iouLoss", "giouLoss", "diouLoss", "ciouLoss", "eiouLoss", "siouLoss"].map(boxwise),
];
