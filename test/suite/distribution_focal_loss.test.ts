import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import { close, same, throws } from "../compare.ts";
import { floats, random } from "../random.ts";
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
