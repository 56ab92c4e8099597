import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import { close, same, throws } from "../compare.ts";
import { floats, random } from "../random.ts";
import { DFINE_VALUES } from "../reference/dfl_decode.ts";
import { distributionFocalLoss } from "../reference/distribution_focal_loss.ts";

const test = suite("distributionFocalLoss");
const engine = await createEngine();
const { sync } = engine;
/** Absolute error allowed: of a loss, as a share of the larger of 1 and itself, and of a gradient. */
const BOUND = operations.distributionFocalLoss.bounds.loss.wasm;

interface Wanted {
  value: number[];
  grad: number[];
}

function reference(pred: Float32Array, target: Float32Array, bins: number, options = {}): Wanted {
  const rows = Array.from(target, (y, i) => distributionFocalLoss(pred.subarray(i * bins, (i + 1) * bins), y, options));
  return { value: rows.map((row) => row.value), grad: rows.flatMap((row) => row.grad) };
}

/** Every value within the bound of the larger of 1 and itself. */
function near(got: ArrayLike<number>, wanted: readonly number[], what: string): void {
  wanted.forEach((value, i) => {
    if (Object.is(got[i], Math.fround(value)) || (Number.isNaN(value) && Number.isNaN(got[i]))) return;
    const tolerance = BOUND * Math.max(1, Math.abs(value));
    assert.ok(Math.abs(got[i] - value) <= tolerance, `${what} ${i} is ${got[i]}; wanted ${value}`);
  });
}

function compare(pred: Float32Array, target: Float32Array, bins: number, options = {}): void {
  const dims = [target.length, bins];
  const got = sync.distributionFocalLoss({ data: pred, dims }, target, { ...options, reduction: "none", grad: true });
  const wanted = reference(pred, target, bins, options);
  near(got.loss, wanted.value, `${bins} bins: loss`);
  near(got.grad, wanted.grad, `${bins} bins: gradient`);
}

test("labels on bins, on the last bin, with first bin and step", () => {
  const r = random(81);
  const pred = floats(9 * 8, () => r.normal() * 2);
  compare(pred, Float32Array.of(0, 1, 2, 3, 6, 7, 6.999999, 1e-7, 0.5), 8);
  const values = floats(9, (i) => Math.min(-1 + i * 0.1, -0.3));
  compare(pred, values, 8, { firstBin: -1, binStep: 0.1 });
  const last = sync.distributionFocalLoss({ data: floats(8, (i) => i), dims: [1, 8] }, Float32Array.of(7), {});
  close([last.loss], [distributionFocalLoss(floats(8, (i) => i), 7).value], 1e-7);
});

test("a loss near 0 keeps its digits", () => {
  const sure = sync.distributionFocalLoss({ data: Float32Array.of(25, 0, 0, 0), dims: [1, 4] }, Float32Array.of(0));
  const wanted = Math.log1p(3 * Math.exp(-25));
  assert.ok(Math.abs(sure.loss / wanted - 1) < 1e-6, `${sure.loss} for ${wanted}`);
});

test("a sum of losses that only float64 holds", () => {
  const pred = { data: Float32Array.from({ length: 200 * 4 }, (_, i) => i % 4 === 1 ? 3e38 : -3e38), dims: [200, 4] };
  const total = sync.distributionFocalLoss(pred, new Float32Array(200), { reduction: "sum" }).loss;
  assert.ok(Math.abs(total / (200 * 6e38) - 1) < 1e-6, String(total));
});

/** Tables of bins' values, D-FINE's among them. */
const TABLES = [
  DFINE_VALUES,
  [-3, 5],
  [0, 1, 4, 9, 16, 25, 36, 49],
  [-1e6, -1e-3, 0, 1e-3, 1e6],
  Float32Array.of(0.1, 0.2, 0.3),
];

/** Labels on every bin and next to them, at the ends, between bins, and outside. */
function labelsOf(table: ArrayLike<number>, inside: boolean): Float32Array<ArrayBuffer> {
  const values = Float32Array.from(table);
  const last = values.length - 1;
  const between = [...values].slice(1).flatMap((value, i) =>
    [0.25, 0.5, 0.999].map((at) => values[i] + at * (value - values[i]))
  );
  const beyond = inside ? [] : [values[0] - 1, values[last] + 1, -3e38, 3e38, -Infinity, Infinity, NaN];
  return Float32Array.of(...values, ...between, ...beyond);
}

test("bins of any values: the shares of a label are those of its place between two of them", () => {
  const r = random(86);
  for (const binValues of TABLES) {
    const bins = binValues.length;
    for (const outside of ["error", "clamp"] as const) {
      const target = labelsOf(binValues, outside === "error");
      compare(floats(target.length * bins, () => r.normal() * 3), target, bins, { binValues, outside });
    }
  }
  const logits = { data: floats(33, () => r.normal()), dims: [1, 33] };
  const even = sync.distributionFocalLoss(logits, Float32Array.of(5.25), { reduction: "none", grad: true });
  const table = Float32Array.from({ length: 33 }, (_, bin) => bin);
  const same33 = { reduction: "none", grad: true, binValues: table } as const;
  same(sync.distributionFocalLoss(logits, Float32Array.of(5.25), same33).grad, even.grad);
});

test("with D-FINE's bins, clamped, it is the fine-grained localization loss", () => {
  // W(n) of 2 N + 1 bins of up and scale as D-FINE's code has them: its paper has a = up and c = 1 / scale.
  const [half, up, scale] = [16, 0.5, 4];
  const ratio = (up * scale + 1) ** (1 / (half - 1));
  const inner = Array.from({ length: half - 1 }, (_, n) => ratio ** (n + 1) - 1);
  const positive = [...inner, 2 * up * scale];
  const values = Float32Array.from([...positive.map((v) => -v).reverse(), 0, ...positive]);
  const r = random(85);
  const rows = 300;
  const pred = floats(rows * values.length, () => r.normal() * 2);
  const offsets = floats(rows, () => r.uniform(-4.5, 4.5));
  const iou = floats(rows, () => r.uniform());
  const wanted = offsets.reduce((sum, offset, row) => {
    const logits = [...pred.subarray(row * values.length, (row + 1) * values.length)];
    const total = Math.log(logits.reduce((all, x) => all + Math.exp(x), 0));
    const found = values.findLastIndex((value) => value <= offset);
    const left = Math.min(Math.max(found, 0), values.length - 2);
    const place = Math.abs(offset - values[left]) / (values[left + 1] - values[left]);
    const right = found < 0 ? 0 : found > left ? 1 : place;
    return sum + iou[row] * ((1 - right) * (total - logits[left]) + right * (total - logits[left + 1]));
  }, 0);
  const options = { binValues: values, outside: "clamp", weight: iou, reduction: "sum" } as const;
  const { loss } = sync.distributionFocalLoss({ data: pred, dims: [rows, values.length] }, offsets, options);
  assert.ok(Math.abs(loss / wanted - 1) < 1e-6, `${loss}; wanted ${wanted}`);
});

test("labels outside the bins count as their ends with `clamp`; NaN stays in its row", () => {
  const r = random(87);
  for (const bins of [2, 3, 17, 64]) {
    for (const options of [{}, { firstBin: -1, binStep: 0.5 }]) {
      const ends = { firstBin: 0, binStep: 1, ...options };
      const target = labelsOf([ends.firstBin, ends.firstBin + (bins - 1) * ends.binStep], false);
      const pred = floats(target.length * bins, () => r.normal() * 2);
      // The largest logits are the label's own: without its NaN the row would be a number.
      pred.fill(3, (target.length - 1) * bins);
      compare(pred, target, bins, { ...options, outside: "clamp" });
    }
  }
});

test("a table goes to every thread and through little memory", async () => {
  const r = random(88);
  const rows = 9000;
  const pred = { data: floats(rows * 33, () => r.normal() * 2), dims: [rows, 33] };
  const target = floats(rows, () => r.uniform(-5, 5));
  const options = { binValues: DFINE_VALUES, outside: "clamp", reduction: "none", grad: true } as const;
  const wanted = sync.distributionFocalLoss(pred, target, options);
  const small = await createEngine({ maxMemory: 512 * 1024 });
  using several = await createEngine({ threads: 3 });
  const others = [
    small.sync.distributionFocalLoss(pred, target, options),
    await several.distributionFocalLoss(pred, target, options),
  ];
  for (const other of others) {
    same(other.loss, wanted.loss);
    same(other.grad, wanted.grad);
  }
});

test("a target has the axes of the rows of pred, or is a list of them", () => {
  const r = random(77);
  const logits = floats(24, () => r.normal());
  const sides = floats(6, (i) => i / 2);
  const run = (axes: number[], dims: number[]) => {
    return sync.distributionFocalLoss({ data: logits, dims: axes }, { data: sides, dims }).loss;
  };
  const wanted = run([6, 4], [6]);
  assert.is(run([2, 3, 4], [2, 3]), wanted);
  assert.is(run([2, 3, 4], [6]), wanted);
  assert.is(sync.distributionFocalLoss({ data: logits, dims: [2, 3, 4] }, sides).loss, wanted);
  assert.is(sync.distributionFocalLoss(logits, { data: sides, dims: [2, 3] }).loss, wanted);
  const op = "distributionFocalLoss: target is of shape";
  throws(() => run([2, 3, 4], [3, 2]), TypeError, `${op} (3, 2); wanted shape (2, 3) or (6)`);
  throws(() => run([6, 4], [2, 3]), TypeError, `${op} (2, 3); wanted shape (6)`);
});

test("wrong tables of bins' values", () => {
  const pred = { data: new Float32Array(8), dims: [2, 4] };
  const run = (target: Float32Array, options: object) => () => sync.distributionFocalLoss(pred, target, options);
  const zeros = new Float32Array(2);
  throws(
    run(zeros, { binValues: [0, 1, 2] }),
    RangeError,
    "distributionFocalLoss",
    "options.binValues",
    "3 values",
    "4",
  );
  throws(run(zeros, { binValues: [0, 1, 1, 2] }), RangeError, "options.binValues[2]", "1");
  throws(run(zeros, { binValues: [0, 1, NaN, 2] }), RangeError, "options.binValues[2]", "NaN");
  throws(run(zeros, { binValues: [0, 1, 1 + 1e-12, 2] }), RangeError, "options.binValues[2]", "float32");
  throws(run(zeros, { binValues: [0, 1, 2, 1e39] }), RangeError, "options.binValues[3]", "1e+39", "float32");
  throws(run(zeros, { binValues: "0,1,2,3" }), TypeError, "options.binValues");
  throws(run(zeros, { binValues: [0, 1, 2, 3], binStep: 2 }), TypeError, "options.binValues", "binStep 2");
  throws(run(zeros, { binValues: [0, 1, 2, 3], binStep: 1 }), TypeError, "options.binValues", "binStep 1");
  throws(run(zeros, { binValues: [0, 1, 2, 3], firstBin: 0 }), TypeError, "options.binValues", "firstBin 0");
  const left = { binValues: [0, 1, 2, 3], firstBin: undefined, binStep: undefined };
  close([sync.distributionFocalLoss(pred, zeros, left).loss], [Math.log(4)], 1e-6);
  throws(run(Float32Array.of(1, 3.5), { binValues: [0, 1, 2, 3] }), RangeError, "target[1]", "3.5", "0 to 3");
  throws(run(Float32Array.of(NaN, 1), { binValues: [0, 1, 2, 3] }), RangeError, "target[0]", "NaN");
  throws(run(zeros, { outside: "ignore" }), TypeError, "options.outside", '"error" or "clamp"');
  close([sync.distributionFocalLoss(pred, zeros, { binValues: [0, 1, 2, 3] }).loss], [Math.log(4)], 1e-6);
});

test("no weight of an infinite loss is nothing", () => {
  const pred = { data: Float32Array.of(0, Infinity, 0, 0, 1, 0, 0, NaN), dims: [4, 2] };
  const weight = Float32Array.of(0, 2, 1, 0);
  const { loss, grad } = sync.distributionFocalLoss(pred, new Float32Array(4), {
    weight,
    reduction: "none",
    grad: true,
  });
  close(loss, [0, 2 * Math.LN2, Math.log1p(Math.exp(-1)), NaN], 1e-6);
  same(grad.subarray(0, 2), [-0, 0]);
});

test("wrong input", () => {
  const pred = { data: new Float32Array(40), dims: [5, 8] };
  const run = (target: Float32Array, options = {}) => () => sync.distributionFocalLoss(pred, target, options);
  throws(run(Float32Array.of(0, 1, 7.5, 2, 3)), RangeError, "distributionFocalLoss", "target[2]", "7.5", "0 to 7");
  throws(run(Float32Array.of(0, -0.01, 7, 2, 3)), RangeError, "target[1]", "-0.0");
  for (let row = 0; row < 5; row++) {
    for (const value of [NaN, Infinity, -Infinity]) {
      const target = Float32Array.from({ length: 5 }, (_, i) => i === row ? value : i);
      throws(run(target), RangeError, `target[${row}]`, String(value), "0 to 7");
      throws(run(target, { firstBin: -1, binStep: 2 }), RangeError, `target[${row}]`, String(value), "-1 to 13");
    }
  }
  throws(run(new Float32Array(4)), TypeError, "pred", "(5, 8)", "(4, bins)");
  throws(run(new Float32Array(5), { binStep: 0 }), RangeError, "options.binStep", "0");
  throws(run(new Float32Array(5), { weight: new Float32Array(40) }), TypeError, "options.weight", "5 values");
  const many = { data: new Float32Array(2 * 65), dims: [2, 65] };
  throws(() => sync.distributionFocalLoss(many, new Float32Array(2)), TypeError, "pred", "2 to 64 bins");
  close([sync.distributionFocalLoss(pred, new Float32Array(5)).loss], [Math.log(8)], 1e-6);
});

test.run();
