/** How far results are from the truth, which is computed in float64: ours, and those of peers. */
import type { Engine } from "densehead";
import type { Bench, Family } from "./bench.ts";
import { boxInput } from "./loss_inputs.ts";
import { kindOf, LOSSES, type LossInput, type LossKind, type LossName } from "./loss_task.ts";
import { float32Values } from "./peers/float32_losses.ts";
import { attempt } from "./peers/load.ts";
import { onnxValues } from "./peers/onnx_losses.ts";
import { onnxWebRuntime } from "./peers/onnx_session.ts";
import { tensorflowValues } from "./peers/tensorflow_losses.ts";
import type { Report } from "./report.ts";
import { between, integerBelow, normal, type Random, seeded } from "./random.ts";

const ELEMENTS = 1_000_000;
const QUICK_ELEMENTS = 100_000;
const BINS = 17;
/** Relative errors count for what is larger. */
const TINY = 1e-37;
const HARD_LOGITS = [
  0,
  1e-40,
  1e-20,
  1e-8,
  1e-4,
  0.5,
  1,
  8,
  15.9,
  17,
  21,
  30,
  42,
  60,
  80,
  87,
  88,
  100,
  1000,
];

/** A loss in float64, of one element, row or pair of boxes. */
type Reference<P, T, G> = (pred: P, target: T) => { value: number; grad: G };
type ElementReference = Reference<number, number, number>;
type RowReference = Reference<Float32Array, number, readonly number[]>;
type BoxReference = (
  pred: Float32Array,
  target: Float32Array,
  options: LossInput["options"],
) => { value: number; grad: readonly number[] };

/** Those of the tests, a file for each loss. */
async function referenceOf<R>(loss: LossName): Promise<R> {
  const stem = loss.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
  return (await import(`../test/reference/${stem}.ts`))[loss];
}

/** What somebody gets. */
interface Results {
  readonly values: ArrayLike<number> | null;
  readonly grad: ArrayLike<number> | null;
}

interface Contestant {
  readonly name: string;
  results(input: LossInput): Promise<Results> | Results;
}

const NOTHING: Results = { values: null, grad: null };

export const accuracy: Family = {
  name: "accuracy",
  async run({ engine, report, quick }: Bench) {
    const contestants = await loadContestants(engine);
    const count = quick ? QUICK_ELEMENTS : ELEMENTS;
    report.heading(
      `accuracy: worst errors over ${count} random and some hard inputs`,
    );
    report.line(
      "",
      "relative error and ULP of float32 with targets of 0 and 1 where the truth is over 1e-37;",
    );
    report.line(
      "",
      "soft targets, rows and boxes: absolute error, of a loss over 1 its share; a box's gradient: share of its largest",
    );
    report.columns([...contestants.map(({ name }) => name), "best"]);
    for (const loss of LOSSES) {
      for (const each of await CASES[kindOf(loss)](loss, count)) await judge(report, contestants, each);
    }
  },
};

async function loadContestants(engine: Engine): Promise<readonly Contestant[]> {
  const onnx = await attempt(
    "onnxruntime-web",
    async () => onnxValues(await onnxWebRuntime()),
  );
  const tensorflow = await attempt("TensorFlow.js", tensorflowValues);
  return [
    { name: "ours", results: (input) => oursOf(engine, input) },
    {
      name: "float32 JavaScript",
      results: (input) => float32Values(input) ?? NOTHING,
    },
    {
      name: onnx.name,
      results: async (input) => ({
        values: "absent" in onnx ? null : await onnx.values(input),
        grad: null,
      }),
    },
    {
      name: tensorflow.name,
      results: (input) => "absent" in tensorflow ? NOTHING : tensorflow.values(input) ?? NOTHING,
    },
  ];
}

function oursOf(
  engine: Engine,
  { loss, pred, predDims, target, targetDims, options: required }: LossInput,
): Results {
  const operation = engine.sync[loss] as Engine["sync"]["iouLoss"];
  const options = { ...required, reduction: "none", grad: true } as const;
  const result = operation({ data: pred, dims: predDims }, {
    data: target,
    dims: targetDims,
  }, options);
  return { values: result.loss, grad: result.grad };
}

/** An input with the truth, and what counts as its error. */
interface Case {
  readonly title: string;
  readonly input: LossInput;
  readonly truth: {
    readonly values: Float64Array;
    readonly grad: Float64Array;
  };
  readonly errors: { readonly values: Measure; readonly grad: Measure };
}

/** Errors of results; the first decides. */
type Measure = (
  results: ArrayLike<number>,
  truth: Float64Array,
) => { readonly worst: number; readonly text: string };

async function judge(
  report: Report,
  contestants: readonly Contestant[],
  { title, input, truth, errors }: Case,
): Promise<void> {
  const found: Results[] = [];
  for (const contestant of contestants) {
    found.push(await contestant.results(input));
  }
  for (const part of ["values", "grad"] as const) {
    const judged = found.map(({ [part]: results }) => results === null ? null : errors[part](results, truth[part]));
    const best = judged.reduce(
      (least, error) => Math.min(least, error?.worst ?? Infinity),
      Infinity,
    );
    const winners = contestants.filter((_, i) => judged[i]?.worst === best).map(
      ({ name }) => name.split(" ")[0],
    );
    const cells = judged.map((error) => error?.text ?? "–");
    report.row(`${title}, ${part === "values" ? "value" : "gradient"}`, [
      ...cells,
      winners.join(", "),
    ]);
  }
}

const relative: Measure = (results, truth) => {
  let worst = 0;
  let ulps = 0;
  for (let i = 0; i < truth.length; i++) {
    const size = Math.abs(truth[i]);
    if (size <= TINY) continue;
    const error = distance(results[i], truth[i]);
    worst = Math.max(worst, error / size);
    ulps = Math.max(ulps, error / ulpOf(size));
  }
  return {
    worst,
    text: `${exponential(worst)}  ${ulps < 1e5 ? ulps.toFixed(1) : exponential(ulps)} ulp`,
  };
};

const absolute: Measure = (results, truth) => {
  let worst = 0;
  for (let i = 0; i < truth.length; i++) {
    worst = Math.max(worst, distance(results[i], truth[i]));
  }
  return { worst, text: exponential(worst) };
};

/** Of losses over 1, the share. */
const overLarger: Measure = (results, truth) => {
  let worst = 0;
  for (let i = 0; i < truth.length; i++) {
    worst = Math.max(
      worst,
      distance(results[i], truth[i]) / Math.max(1, Math.abs(truth[i])),
    );
  }
  return { worst, text: exponential(worst) };
};

/** Each row's errors as a share of its largest member. */
function overLargest(columns: number): Measure {
  return (results, truth) => {
    let worst = 0;
    for (let first = 0; first < truth.length; first += columns) {
      let largest = 0;
      let error = 0;
      for (let i = first; i < first + columns; i++) {
        largest = Math.max(largest, Math.abs(truth[i]));
        error = Math.max(error, distance(results[i], truth[i]));
      }
      if (largest > TINY) worst = Math.max(worst, error / largest);
    }
    return { worst, text: exponential(worst) };
  };
}

/** Infinite for what is not a number. */
function distance(found: number, truth: number): number {
  const error = Math.abs(found - truth);
  return Number.isNaN(error) ? Infinity : error;
}

/** From a float32 of that size to the next. */
function ulpOf(size: number): number {
  return 2 ** (Math.max(Math.floor(Math.log2(size)), -126) - 23);
}

function exponential(value: number): string {
  return value.toExponential(1);
}

const CASES: Readonly<Record<LossKind, (loss: LossName, count: number) => Promise<Case[]>>> = {
  async "element loss"(loss, count) {
    const reference = await referenceOf<ElementReference>(loss);
    return [elementCase(loss, reference, count, "hard"), elementCase(loss, reference, count, "soft")];
  },
  "row loss": async (loss, count) => [rowCase(loss, await referenceOf(loss), count)],
  "box loss": async (loss, count) => [boxCase(loss, await referenceOf(loss), count)],
};

function elementCase(
  loss: LossName,
  reference: ElementReference,
  count: number,
  targets: "hard" | "soft",
): Case {
  const random = seeded(1);
  const hard = HARD_LOGITS.flatMap((x) => [x, -x, x, -x]);
  const length = count + hard.length;
  const dims = [1, length] as const;
  const pred = Float32Array.from(
    { length },
    (_, i) => i < count ? randomLogit(random) : hard[i - count],
  );
  const target = Float32Array.from({ length }, (_, i) => {
    if (targets === "soft") return random();
    return i < count ? integerBelow(random, 2) : ((i - count) >> 1) & 1;
  });
  const truth = {
    values: new Float64Array(length),
    grad: new Float64Array(length),
  };
  for (let i = 0; i < length; i++) {
    const { value, grad } = reference(pred[i], target[i]);
    truth.values[i] = value;
    truth.grad[i] = grad;
  }
  const measure = targets === "hard" ? relative : absolute;
  return {
    title: `${loss.replace("WithLogits", "")}, ${targets}`,
    input: { loss, pred, predDims: dims, target, targetDims: dims },
    truth,
    errors: {
      values: targets === "hard" ? relative : overLarger,
      grad: measure,
    },
  };
}

/** Half like those of a network, half from everywhere. */
function randomLogit(random: Random): number {
  return random() < 0.5 ? normal(random, -3, 2) : between(random, -100, 100);
}

function rowCase(loss: LossName, reference: RowReference, count: number): Case {
  const random = seeded(2);
  const rows = Math.floor(count / BINS);
  const spread = Float32Array.from(
    { length: rows },
    () => 10 ** between(random, -2, 1.5),
  );
  const pred = Float32Array.from(
    { length: rows * BINS },
    (_, i) => normal(random, 0, spread[Math.floor(i / BINS)]),
  );
  const target = Float32Array.from(
    { length: rows },
    () => random() < 0.2 ? integerBelow(random, BINS) : between(random, 0, BINS - 1),
  );
  const truth = {
    values: new Float64Array(rows),
    grad: new Float64Array(rows * BINS),
  };
  for (let row = 0; row < rows; row++) {
    const { value, grad } = reference(
      pred.subarray(row * BINS, (row + 1) * BINS),
      target[row],
    );
    truth.values[row] = value;
    truth.grad.set(grad, row * BINS);
  }
  return {
    title: loss,
    input: {
      loss,
      pred,
      predDims: [rows, BINS],
      target,
      targetDims: [rows],
    },
    truth,
    errors: { values: overLarger, grad: absolute },
  };
}

function boxCase(loss: LossName, reference: BoxReference, count: number): Case {
  const rows = Math.floor(count / 4);
  const input = boxInput(loss, rows, 3);
  const truth = {
    values: new Float64Array(rows),
    grad: new Float64Array(rows * 4),
  };
  for (let row = 0; row < rows; row++) {
    const [pred, target] = [input.pred, input.target].map((boxes) => boxes.subarray(row * 4, row * 4 + 4));
    const { value, grad } = reference(pred, target, input.options);
    truth.values[row] = value;
    truth.grad.set(grad, row * 4);
  }
  return {
    title: loss,
    input,
    truth,
    errors: { values: overLarger, grad: overLargest(4) },
  };
}
