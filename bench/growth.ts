/** Time against size, from a thousand elements to a hundred million, and the exponent with which it grows. */
import { createEngine, type Engine } from "densehead";
import type { Bench, Family } from "./bench.ts";
import { sideLogits } from "./inputs.ts";
import { boxInput, classificationInput, distributionInput } from "./loss_inputs.ts";
import { BOX, CLASSIFICATION, type LossInput, type LossName } from "./loss_task.ts";
import { growthExponent, significant } from "./statistics.ts";
import { CLASSES } from "./yolov8.ts";

const LARGEST = 1e8;
const QUICK_LARGEST = 1e7;
const BINS = 16;
/** Below 1e5 a call's own cost, some microseconds, shows; up to here arrays fit the caches of one CPU or another. */
const FIT_FROM = 1e6;
const TOLERANCE = 0.03;
/** Elements that are drawn; longer arrays repeat them. */
const PERIOD = 16 * CLASSES * 1000;

interface Case {
  readonly name: string;
  /** Elements of a row. */
  readonly row: number;
  /** Works on so many rows of the arrays. */
  call(engine: Engine, rows: number): unknown;
}

export const growth: Family = {
  name: "growth",
  async run(bench) {
    const largest = bench.quick ? QUICK_LARGEST : LARGEST;
    const sizes = sizesTo(largest);
    bench.report.heading(
      `growth: host arrays of ${sizes.map((size) => size.toExponential(0).replace("e+", "e")).join(", ")} elements`,
    );
    for (const make of cases(largest)) await measure(bench, make(), sizes);
  },
};

/** 1e3, 3e3, 1e4, … */
function sizesTo(largest: number): number[] {
  const sizes: number[] = [];
  for (let size = 1e3; size <= largest; size *= 10) sizes.push(size, 3 * size);
  return sizes.filter((size) => size <= largest);
}

/** One after the other, so that the arrays of only one are alive. */
function cases(largest: number): (() => Case)[] {
  const anchors = PERIOD / CLASSES;
  return [
    ...CLASSIFICATION.map((loss) => () => lossCase(classificationInput(loss, anchors, CLASSES, 1), largest, false)),
    () => lossCase(classificationInput("qualityFocalLoss", anchors, CLASSES, 1), largest, true),
    () => lossCase(distributionInput(PERIOD / BINS, BINS, 1), largest, false),
    ...BOX.map((loss) => () => lossCase({ loss, ...boxInput(PERIOD / 4, 1) }, largest, false)),
    () => decodeCase(largest),
  ];
}

function lossCase(
  { loss, pred, predDims: [, row], target, targetDims }: LossInput,
  largest: number,
  grad: boolean,
): Case {
  const width = targetDims.length === 1 ? 1 : row;
  const preds = repeated(pred, largest);
  const targets = repeated(target, largest / row * width);
  const slopes = new Float32Array(grad ? largest : 0);
  return {
    name: grad ? `${loss} with gradient` : loss,
    row,
    call({ sync }, rows) {
      const operation = sync[loss as Exclude<LossName, "distributionFocalLoss">];
      const input = { data: preds.subarray(0, rows * row), dims: [rows, row] };
      const wanted = targets.subarray(0, rows * width);
      if (!grad) return operation(input, wanted, { reduction: "sum" });
      return operation(input, wanted, { reduction: "sum", grad, out: { grad: slopes.subarray(0, rows * row) } });
    },
  };
}

function decodeCase(largest: number): Case {
  const row = 4 * BINS;
  const logits = repeated(sideLogits(PERIOD / row, BINS, "rows", 1), largest);
  return {
    name: "dflDecode",
    row,
    call: ({ sync }, rows) =>
      sync.dflDecode({ data: logits.subarray(0, rows * row), dims: [rows, row] }, { bins: BINS }),
  };
}

/** So many elements: the same ones again and again. */
function repeated(values: Float32Array, length: number): Float32Array {
  const result = new Float32Array(length);
  for (let at = 0; at < length; at += values.length) result.set(values.subarray(0, length - at), at);
  return result;
}

async function measure({ runner, report }: Bench, { name, row, call }: Case, sizes: readonly number[]): Promise<void> {
  using engine = await createEngine({ device: "wasm" });
  // The fastest tenth: what else the machine does only adds, and to one size or another.
  const points: { elements: number; ms: number }[] = [];
  for (const size of sizes) {
    const rows = Math.floor(size / row);
    const { low } = await runner.time({ name, run: () => call(engine, rows) });
    points.push({ elements: rows * row, ms: low });
  }
  const fitted = points.filter(({ elements }) => elements >= 0.99 * FIT_FROM);
  const exponent = growthExponent(fitted.map(({ elements }) => elements), fitted.map(({ ms }) => ms));
  report.figure(name, `${points.map(({ ms }) => significant(ms)).join(", ")} ms`);
  report.check(
    `${name}, exponent`,
    `${exponent.toFixed(3)} from ${FIT_FROM.toExponential(0).replace("+", "")} on, ` +
      `peak ${(engine.memory.peak / 2 ** 20).toFixed(2)} MiB`,
    Math.abs(exponent - 1) <= TOLERANCE,
    `1.00 ± ${TOLERANCE}`,
  );
}
