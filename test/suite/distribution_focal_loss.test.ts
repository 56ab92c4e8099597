import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { documentedBounds } from "../bounds.ts";
import { close, same, throws } from "../compare.ts";
import { extremes, sweep, worstError } from "../distribution_cases.ts";
import { floats, random } from "../random.ts";
import { distributionFocalLoss } from "../reference/distribution_focal_loss.ts";
import { engines } from "./builds.ts";

const test = suite("distributionFocalLoss");
const engine = await createEngine();
const { sync } = engine;
/** Absolute error allowed: of a loss, as a share of the larger of 1 and itself, and of a gradient. */
const [BOUND, GRADIENT_BOUND] = documentedBounds("distributionFocalLoss");

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

test("every bin count, lengths around every block", () => {
  const r = random(80);
  for (let bins = 2; bins <= 64; bins++) {
    for (const rows of [0, 1, 2, 3, 5, 33]) {
      const pred = floats(rows * bins, () => r.normal() * 3);
      compare(pred, floats(rows, () => r.uniform(0, bins - 1)), bins);
    }
  }
  for (const rows of [15, 16, 17, 119, 120, 121, 127, 128, 129, 255, 257, 963, 964, 3000]) {
    compare(floats(rows * 17, () => r.normal() * 3), floats(rows, () => r.uniform(0, 16)), 17);
  }
});

test("labels on bins, on the last bin, with first bin and step", () => {
  const r = random(81);
  const pred = floats(9 * 8, () => r.normal() * 2);
  compare(pred, Float32Array.of(0, 1, 2, 3, 6, 7, 6.999999, 1e-7, 0.5), 8);
  const values = floats(9, (i) => Math.min(-1 + i * 0.1, -0.3));
  compare(pred, values, 8, { firstBin: -1, binStep: 0.1 });
  const last = sync.distributionFocalLoss({ data: floats(8, (i) => i), dims: [1, 8] }, Float32Array.of(7), {});
  close([last.loss], [distributionFocalLoss(floats(8, (i) => i), 7).value], 1e-7);
});

test("saturated, huge and infinite logits; a loss near 0 keeps its digits", () => {
  const hard = [
    [0, 0, 0, 0],
    [20, 0, 0, 0],
    [-20, 0, 0, 20],
    [88, -88, 104, -104],
    [1e4, -1e4, 0, 0],
    [-1e4, -1e4, -1e4, 1e4],
    [Infinity, 0, 0, 0],
    [0, Infinity, Infinity, 0],
    [0, -Infinity, 0, 0],
    [-Infinity, -Infinity, -Infinity, -Infinity],
  ];
  for (const y of [0, 0.5, 1, 2.25, 3]) {
    compare(Float32Array.from(hard.flat()), floats(hard.length, () => y), 4);
  }
  const sure = sync.distributionFocalLoss({ data: Float32Array.of(25, 0, 0, 0), dims: [1, 4] }, Float32Array.of(0));
  const wanted = Math.log1p(3 * Math.exp(-25));
  assert.ok(Math.abs(sure.loss / wanted - 1) < 1e-6, `${sure.loss} for ${wanted}`);
});

test("logits from -130 to 130, huge and infinite ones", () => {
  for (const bins of [2, 8, 16, 17, 33, 64]) {
    const pred = sweep(bins);
    const target = floats(pred.length / bins, (i) => (i % 7) * (bins - 1) / 6);
    compare(pred, target, bins);
  }
  const hard = extremes();
  for (const y of [0, 0.25, 1.5, 2, 3]) compare(hard, floats(hard.length / 4, () => y), 4);
});

test("a sum of losses that only float64 holds", () => {
  const pred = { data: Float32Array.from({ length: 200 * 4 }, (_, i) => i % 4 === 1 ? 3e38 : -3e38), dims: [200, 4] };
  const total = sync.distributionFocalLoss(pred, new Float32Array(200), { reduction: "sum" }).loss;
  assert.ok(Math.abs(total / (200 * 6e38) - 1) < 1e-6, String(total));
});

test("infinite logits have their limits, in each row of a group of four and in every length", () => {
  for (const bins of [8, 16, 33]) {
    for (const rows of [1, 2, 3, 4, 5, 16, 31, 32, 33, 34, 35, 36, 63, 64, 65, 96, 128]) {
      for (let spot = 0; spot < Math.min(rows, 8); spot++) {
        for (const value of [Infinity, -Infinity]) {
          const pred = floats(rows * bins, (i) => (i % 5) / 4);
          pred[spot * bins + 7] = value;
          compare(pred, new Float32Array(rows).fill(0.5), bins);
          compare(pred, new Float32Array(rows).fill(7), bins);
          pred.fill(value, spot * bins, (spot + 1) * bins);
          compare(pred, new Float32Array(rows).fill(6.25), bins);
        }
      }
    }
  }
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

test("the worst that a search finds is within the documented bounds, for every number of bins", async () => {
  const r = random(85);
  const worst = { loss: 0, grad: 0 };
  for (let bins = 2; bins <= 64; bins++) {
    for (const member of ["loss", "grad"] as const) {
      const error = await worstError(r, bins, (pred) => {
        const rows = pred.length / bins;
        const target = floats(rows, () => r.integer(3) === 0 ? r.integer(bins) : r.uniform(0, bins - 1));
        const { value, grad } = reference(pred, target, bins);
        const dims = [rows, bins];
        const errors = engines.map(({ sync }) => {
          const got = sync.distributionFocalLoss({ data: pred, dims }, target, { reduction: "none", grad: true });
          return value.map((loss, row) => {
            if (member === "loss") return Math.abs(got.loss[row] - loss) / Math.max(1, loss);
            const own = got.grad.subarray(row * bins, (row + 1) * bins);
            return Math.max(...Array.from(own, (v, bin) => Math.abs(v - grad[row * bins + bin])));
          });
        });
        return value.map((_, row) => Math.max(...errors.map((each) => each[row])));
      });
      worst[member] = Math.max(worst[member], error);
    }
  }
  assert.ok(worst.loss > 0 && worst.loss <= BOUND, `loss ${worst.loss}`);
  assert.ok(worst.grad > 0 && worst.grad <= GRADIENT_BOUND, `gradient ${worst.grad}`);
});

test("NaN stays in its row", () => {
  const r = random(82);
  const pred = floats(5 * 6, () => r.normal());
  pred[2 * 6 + 1] = NaN;
  const target = Float32Array.of(1, 2, 3, 4, 5);
  const got = sync.distributionFocalLoss({ data: pred, dims: [5, 6] }, target, { reduction: "none", grad: true });
  assert.equal([...got.loss].flatMap((v, i) => Number.isNaN(v) ? [i] : []), [2]);
  const rows = new Set([...got.grad].flatMap((v, i) => Number.isNaN(v) ? [Math.floor(i / 6)] : []));
  assert.equal([...rows], [2]);
});

test("reductions, weights, avgFactor, lossWeight, out", () => {
  const r = random(83);
  const rows = 300;
  const pred = { data: floats(rows * 16, () => r.normal() * 2), dims: [rows, 16] };
  const target = floats(rows, () => r.uniform(0, 15));
  const weight = floats(rows, () => r.uniform(0, 2));
  const each = sync.distributionFocalLoss(pred, target, { reduction: "none", grad: true });
  const total = (factor: (row: number) => number) => each.loss.reduce((sum, v, row) => sum + v * factor(row), 0);
  close([sync.distributionFocalLoss(pred, target).loss], [total(() => 1 / rows)], 1e-6);
  close([sync.distributionFocalLoss(pred, target, { reduction: "sum" }).loss], [total(() => 1)], 1e-4);
  const out = { grad: new Float32Array(rows * 16) };
  const options = { weight, avgFactor: 5, lossWeight: 0.25, grad: true, out } as const;
  const weighed = sync.distributionFocalLoss(pred, target, options);
  close([weighed.loss], [total((row) => weight[row] / 20)], 1e-5);
  assert.is(weighed.grad, out.grad);
  close(out.grad, each.grad.map((v, i) => v * weight[Math.floor(i / 16)] / 20), 1e-6);
});

test("streamed and in-memory input give the same bits, also as promises", async () => {
  const r = random(84);
  const rows = 5000;
  const dims = [rows, 17];
  using pred = engine.tensor(dims);
  pred.data.set(floats(rows * 17, () => r.normal() * 3));
  const data = pred.data.slice();
  const target = floats(rows, () => r.uniform(0, 16));
  const small = await createEngine({ maxMemory: 1024 * 1024 });
  const wanted = sync.distributionFocalLoss({ data, dims }, target, { grad: true });
  for (
    const other of [
      sync.distributionFocalLoss(pred, target, { grad: true }),
      small.sync.distributionFocalLoss(data, target, { grad: true }),
      await engine.distributionFocalLoss(pred, target, { grad: true }),
    ]
  ) {
    assert.is(other.loss, wanted.loss);
    same(other.grad, wanted.grad);
  }
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
