/** Time against size, from a thousand elements to a hundred million, and the exponent with which it grows. */
import { createEngine, type Engine } from "densehead";
import type { Bench, Family } from "./bench.ts";
import { sideLogits } from "./inputs.ts";
import { lossInput } from "./loss_inputs.ts";
import { LOSSES, type LossInput } from "./loss_task.ts";
import { growthExponent, significant, spread } from "./statistics.ts";
import { CLASSES } from "./yolov8.ts";

const LARGEST = 1e8;
const QUICK_LARGEST = 1e7;
const BINS = 16;
/**
 * Below 1e5 a call's own cost, some microseconds, shows; at 1e6 the arrays still lie in a third-level cache, from which a
 * sum over boxes is read a fifth faster than from memory.
 */
const FIT_FROM = 3e6;
const TOLERANCE = 0.03;
/** Of each size in a turn, at least. */
const BATCH_MS = 60;
const TURNS = 11;
const QUICK_TURNS = 3;
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
  const sizes = { anchors: PERIOD / CLASSES, rows: PERIOD / BINS, bins: BINS, boxes: PERIOD / 4 };
  return [
    ...LOSSES.map((loss) => () => lossCase(lossInput(loss, sizes), largest, false)),
    () => lossCase(lossInput("qualityFocalLoss", sizes), largest, true),
    () => decodeCase(largest),
  ];
}

function lossCase(
  { loss, pred, predDims: [, row], target, targetDims, options }: LossInput,
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
      const operation = sync[loss] as Engine["sync"]["iouLoss"];
      const input = { data: preds.subarray(0, rows * row), dims: [rows, row] };
      const wanted = targets.subarray(0, rows * width);
      if (!grad) return operation(input, wanted, { ...options, reduction: "sum" });
      const out = { grad: slopes.subarray(0, rows * row) };
      return operation(input, wanted, { ...options, reduction: "sum", grad, out });
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

async function measure({ report, quick }: Bench, { name, row, call }: Case, sizes: readonly number[]): Promise<void> {
  using engine = await createEngine({ device: "wasm" });
  const points = sizes.map((size) => {
    const rows = Math.floor(size / row);
    return { elements: rows * row, run: () => call(engine, rows) };
  });
  const batches = points.map(({ run }) => Math.max(1, Math.ceil(BATCH_MS / fastest(run))));
  // Every size in turn, since a machine's speed drifts within seconds: an exponent for each turn.
  const turns = Array.from({ length: quick ? QUICK_TURNS : TURNS }, () => {
    return points.map(({ run }, i) => timeOf(run, batches[i]));
  });
  const inFit = (_: unknown, i: number) => points[i].elements >= 0.99 * FIT_FROM;
  const elements = points.filter(inFit).map((point) => point.elements);
  const exponent = spread(turns.map((times) => growthExponent(elements, times.filter(inFit))));
  const medians = points.map((_, i) => spread(turns.map((times) => times[i])).median);
  report.figure(name, `${medians.map(significant).join(", ")} ms`);
  report.check(
    `${name}, exponent`,
    `${exponent.median.toFixed(3)} [${exponent.low.toFixed(3)} – ${exponent.high.toFixed(3)}] ` +
      `from ${FIT_FROM.toExponential(0).replace("+", "")} on, peak ${(engine.memory.peak / 2 ** 20).toFixed(2)} MiB`,
    Math.abs(exponent.median - 1) <= TOLERANCE,
    `1.00 ± ${TOLERANCE}`,
  );
}

/** Milliseconds of the faster of two calls, once compilers have settled. */
function fastest(run: () => unknown): number {
  timeOf(run, 2);
  return Math.min(timeOf(run, 1), timeOf(run, 1));
}

/** Milliseconds of each of so many calls. */
function timeOf(run: () => unknown, calls: number): number {
  const start = performance.now();
  for (let i = 0; i < calls; i++) run();
  return (performance.now() - start) / calls;
}
