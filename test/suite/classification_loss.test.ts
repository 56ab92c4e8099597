import fc from "fast-check";
import { createEngine, type LossOps, type LossOptions, type TensorLike, type VarifocalOptions } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compare } from "../classification_bounds.ts";
import {
  type Case,
  CASES,
  HARD_LOGITS,
  HARD_TARGETS,
  type Name,
  type Options,
  targetsOf,
  ZERO_FACTORS,
} from "../classification_cases.ts";
import { close, same, throws } from "../compare.ts";
import { floats, random } from "../random.ts";
import { qualityFocalLoss } from "../reference/quality_focal_loss.ts";
import { varifocalLoss } from "../reference/varifocal_loss.ts";

const test = suite("classification losses");
const engine = await createEngine();
const { sync } = engine;

function run(name: Name, pred: TensorLike, target: unknown, options: object) {
  const losses = sync as unknown as Record<string, (...args: unknown[]) => { loss: Float32Array; grad: Float32Array }>;
  return losses[name](pred, target, options);
}

/** Compares every value and gradient with the reference. */
function check(c: Case, x: Float32Array<ArrayBuffer>, share: Float32Array<ArrayBuffer>, options: Options): void {
  const y = targetsOf(share, options);
  compare(c, { x, y }, options, run(c.name, x, y, { ...options, reduction: "none", grad: true }));
}

for (const c of CASES) {
  test(`${c.name}: hard logits and targets, every exponent`, () => {
    const pairs = HARD_LOGITS.flatMap((x) => HARD_TARGETS.map((y) => [x, y] as const));
    const x = Float32Array.from(pairs, ([x]) => x);
    const y = Float32Array.from(pairs, ([, y]) => y);
    for (const options of c.settings) check(c, x, y, options);
  });

  test(`${c.name}: random elements stay within their bounds`, () => {
    const r = random(70);
    const x = floats(20000, () => r.normal() * 6);
    const y = floats(20000, (i) => i % 3 === 0 ? 0 : i % 3 === 1 ? 1 : r.uniform());
    for (const options of c.settings) check(c, x, y, options);
  });

  test(`${c.name}: lengths around every block, reductions, weights, lossWeight and avgFactor`, () => {
    const r = random(71);
    for (const length of [...Array(18).keys(), 31, 33, 511, 512, 513, 1023, 1025, 16383, 16384, 16385, 40000]) {
      const x = floats(length, () => r.normal() * 4);
      const y = floats(length, () => r.integer(2));
      const weight = floats(length, () => r.uniform(0, 2));
      const each = run(c.name, x, y, { reduction: "none", grad: true });
      const sum = each.loss.reduce((a, b) => a + b, 0);
      const near = (got: unknown, wanted: number) =>
        close([got as number], [wanted], 1e-6 * Math.abs(wanted), `${length}`);
      near(run(c.name, x, y, { reduction: "sum" }).loss, sum);
      near(run(c.name, x, y, {}).loss, sum / length);
      near(run(c.name, x, y, { avgFactor: 7, lossWeight: 3 }).loss, 3 * sum / 7);
      const weighed = run(c.name, x, y, { reduction: "none", grad: true, weight, lossWeight: 0.5 });
      close(weighed.loss, each.loss.map((v, i) => v * weight[i] * 0.5), 1e-5);
      close(weighed.grad, each.grad.map((v, i) => v * weight[i] * 0.5), 1e-5);
      const mean = run(c.name, x, y, { weight, grad: true });
      near(mean.loss, each.loss.reduce((a, v, i) => a + v * weight[i], 0) / length);
      close(mean.grad, each.grad.map((v, i) => v * weight[i] / length), 1e-6);
    }
  });

  test(`${c.name}: streamed, in-memory, half and double input`, async () => {
    const r = random(72);
    const dims = [700, 80];
    const x = floats(56000, () => Math.max(-15, Math.min(15, Math.round(r.normal() * 32) / 8)));
    const y = floats(56000, () => r.integer(3) / 2);
    using pred = engine.tensor(dims);
    pred.data.set(x);
    using target = engine.tensor(dims);
    target.data.set(y);
    const small = await createEngine({ maxMemory: 1024 * 1024 });
    const half = new Map([[0, 0], [0.5, 0x3800], [1, 0x3c00]]);
    const halves = { data: Uint16Array.from(y, (v) => half.get(v) as number), dims };
    for (const reduction of ["none", "sum", "mean"] as const) {
      const options = { reduction, grad: true };
      const wanted = run(c.name, { data: x, dims }, { data: y, dims }, options);
      const others = [
        run(c.name, pred, target, options),
        run(c.name, { data: Float64Array.from(x), dims }, halves, options),
        run(c.name, { data: Int8Array.from(x, (v) => v * 8), dims, scale: 1 / 8 }, { data: y, dims }, options),
        await (engine as unknown as LossOps<"async">)[c.name as "qualityFocalLoss"](pred, target, options),
        (small.sync as unknown as LossOps<"sync">)[c.name as "qualityFocalLoss"](x, y, options),
      ];
      for (const [i, other] of others.entries()) {
        if (reduction === "none") same(other.loss as Float32Array, wanted.loss, `${i}: loss`);
        else assert.is(other.loss, wanted.loss);
        same(other.grad as Float32Array, wanted.grad, `${i}: gradient`);
      }
    }
  });

  if (c.name === "generalizedFocalLoss") continue;

  test(`${c.name}: labels are the dense targets they stand for`, () => {
    const r = random(73);
    for (const [rows, classes] of [[0, 4], [1, 1], [3, 5], [40, 80], [700, 81], [30, 600], [3, 20000]] as const) {
      const pred = { data: floats(rows * classes, () => r.normal() * 4), dims: [rows, classes] };
      const labels = Int32Array.from({ length: rows }, () => r.integer(classes + 2) - 1);
      const scores = floats(rows, () => r.uniform());
      for (const quality of [undefined, scores]) {
        const dense = new Float32Array(rows * classes);
        labels.forEach((label, row) => {
          if (label >= 0 && label < classes) dense[row * classes + label] = quality?.[row] ?? 1;
        });
        const weight = floats(rows, () => r.uniform(0, 2));
        for (const gamma of c.name === "qualityFocalLoss" ? [{ beta: 2 }, { beta: 2.5 }] : [{}]) {
          const options = { ...gamma, reduction: "none", grad: true };
          const wanted = run(c.name, pred, { data: dense, dims: pred.dims }, options);
          const got = run(c.name, pred, { labels, ...(quality && { scores: quality }) }, options);
          const rowSum = (row: number) =>
            wanted.loss.subarray(row * classes, (row + 1) * classes).reduce((a, b) => a + b, 0);
          const sums = Array.from({ length: rows }, (_, row) => rowSum(row));
          close(got.loss, sums, 2e-6 * Math.max(1, ...sums), `${rows} × ${classes}`);
          same(got.grad, wanted.grad);
          const weighed = run(c.name, pred, { labels, ...(quality && { scores: quality }) }, { ...options, weight });
          close(weighed.loss, sums.map((v, row) => v * weight[row]), 4e-6 * Math.max(1, ...sums));
          const denseWeighed = run(c.name, pred, { data: dense, dims: pred.dims }, { ...options, weight });
          same(weighed.grad, denseWeighed.grad);
        }
      }
      if (rows === 0) continue;
      const mean = run(c.name, pred, { labels, scores }, {}).loss as unknown as number;
      const none = run(c.name, pred, { labels, scores }, { reduction: "none" }).loss;
      close([mean], [none.reduce((a, b) => a + b, 0) / rows], 1e-6 * mean);
    }
  });
}

test('varifocalLoss: a label of score 0 is a positive, or with `positives` "quality" a negative', () => {
  const pred = { data: Float32Array.of(1, 1), dims: [1, 2] };
  const target = { labels: Int32Array.of(0), scores: Float32Array.of(0) };
  const values = (options: VarifocalOptions) => {
    const { loss, grad } = sync.varifocalLoss(pred, target, { ...options, grad: true });
    return [loss, ...grad];
  };
  close(values({}), [0.526401, 0, 0.576176], 1e-6);
  close(values({ positives: "label" }), [0.526401, 0, 0.576176], 1e-6);
  close(values({ iouWeighted: false }), [1.839663, 0.731059, 0.576176], 1e-6);
  for (const iouWeighted of [true, false]) {
    close(values({ positives: "quality", iouWeighted }), [1.052802, 0.576176, 0.576176], 1e-6);
  }
  const dense = Float32Array.of(0, 0.5);
  same(
    sync.varifocalLoss(pred.data, dense, { positives: "quality", reduction: "none" }).loss,
    sync.varifocalLoss(pred.data, dense, { reduction: "none" }).loss,
  );
  const byLabel = () => sync.varifocalLoss(pred.data, dense, { positives: "label" });
  throws(byLabel, TypeError, "varifocalLoss", "options.positives", '"label"', '"quality" with a dense target');
  const unknown = { positives: "labels" } as unknown as VarifocalOptions;
  throws(() => sync.varifocalLoss(pred, target, unknown), TypeError, "options.positives", '"label" or "quality"');
});

test("varifocalLoss: labels of score 0 in rows of all lengths, every exponent, each and in sums", () => {
  const r = random(79);
  for (const [rows, classes] of [[600, 1], [40, 80], [300, 7]]) {
    const data = floats(rows * classes, () => r.normal() * 5);
    const labels = Int32Array.from({ length: rows }, () => r.integer(classes + 1) - 1);
    const scores = floats(rows, (i) => i % 2 === 0 ? 0 : r.uniform());
    const own = (i: number) => labels[Math.floor(i / classes)] === i % classes;
    for (const options of CASES[3].settings) {
      const found = Array.from(data, (x, i) => {
        const q = own(i) ? scores[Math.floor(i / classes)] : 0;
        return varifocalLoss(x, q, { ...options, positive: own(i) });
      });
      const sums = floats(
        rows,
        (row) => found.slice(row * classes, (row + 1) * classes).reduce((sum, { value }) => sum + value, 0),
      );
      const target = { labels, scores };
      const each = run("varifocalLoss", { data, dims: [rows, classes] }, target, { ...options, reduction: "none" });
      sums.forEach((sum, row) => close([each.loss[row]], [sum], 2.4e-6 * sum + 1e-36, `row ${row}`));
      const sum = run("varifocalLoss", { data, dims: [rows, classes] }, target, {
        ...options,
        reduction: "sum",
        grad: true,
      });
      const total = sums.reduce((a, b) => a + b, 0);
      close([sum.loss as unknown as number], [total], 2.4e-6 * total, "sum");
      close(sum.grad, found.map(({ grad }) => grad), 3e-6);
    }
  }
});

test("infinite logits have their limits where a factor is 0", () => {
  for (const [name, options, pairs] of ZERO_FACTORS) {
    for (const [x, y] of pairs) {
      const dense = run(name, Float32Array.of(x), Float32Array.of(y), { ...options, reduction: "none", grad: true });
      assert.equal(
        [dense.loss[0], Math.abs(dense.grad[0])],
        [0, 0],
        `${name} ${JSON.stringify(options)} at ${x}, ${y}`,
      );
      const [rows, classes] = [2, 300];
      const pred = { data: floats(rows * classes, () => x), dims: [rows, classes] };
      if (y === 1 && name !== "generalizedFocalLoss") {
        const one = { data: Float32Array.of(x, x), dims: [2, 1] };
        const own = run(name, one, { labels: Int32Array.of(0, 0) }, { ...options, reduction: "none", grad: true });
        assert.equal([...own.loss, ...own.grad.map(Math.abs)], [0, 0, 0, 0]);
      } else if (name !== "generalizedFocalLoss") {
        const row = run(name, pred, { labels: Int32Array.of(-1, 300) }, { ...options, reduction: "none", grad: true });
        assert.ok([...row.loss, ...row.grad].every((v) => v === 0), `${name} ${JSON.stringify(options)}: a row`);
        assert.equal(run(name, pred, { labels: Int32Array.of(-1, 300) }, { ...options, reduction: "sum" }).loss, 0);
      }
    }
  }
});

test("NaN stays where a factor of the loss is 0", () => {
  const nan = Float32Array.of(NaN);
  const factors: [Name, number, Options][] = [
    ...[0, 0.7, 1, 1.5, 2].flatMap((gamma): [Name, number, Options][] => [
      ["sigmoidFocalLoss", 1, { alpha: 0, gamma }],
      ["sigmoidFocalLoss", 0, { alpha: 1, gamma }],
      ["varifocalLoss", 0, { alpha: 0, gamma }],
    ]),
  ];
  for (const [name, target, options] of factors) {
    const { loss, grad } = run(name, nan, Float32Array.of(target), { ...options, reduction: "none", grad: true });
    assert.equal([loss[0], grad[0]], [NaN, NaN], `${name} ${JSON.stringify(options)}`);
    const labelled = { data: Float32Array.of(NaN, 1), dims: [1, 2] };
    const sum = run(name, labelled, { labels: Int32Array.of(target - 1) }, { ...options, reduction: "sum" });
    if (target === 0) assert.ok(Number.isNaN(sum.loss as unknown as number), `${name} with labels`);
  }
});

test("varifocal positives of quality 0 without weighting are BCE however far the logit is", () => {
  for (const gamma of [0, 0.7, 1, 1.5, 2, 5]) {
    for (const x of [-10, -20, -30, -51.5, -80]) {
      const target = { labels: Int32Array.of(0), scores: Float32Array.of(0) };
      const options = { gamma, iouWeighted: false, reduction: "none", grad: true } as const;
      const got = sync.varifocalLoss({ data: Float32Array.of(x, 1), dims: [1, 2] }, target, options);
      const other = sync.varifocalLoss(Float32Array.of(1), Float32Array.of(0), { gamma, reduction: "sum" }).loss;
      const sigmoid = 1 / (1 + Math.exp(-x));
      close([got.grad[0]], [sigmoid], 1e-6 * sigmoid, `gradient at ${x}, γ ${gamma}`);
      close([got.loss[0]], [other + Math.log1p(Math.exp(x))], 1e-6 * other, `loss at ${x}, γ ${gamma}`);
    }
  }
});

test("rows without classes: no error, and the engine works on", () => {
  const none = (...dims: number[]) => ({ data: new Float32Array(0), dims });
  const before = engine.memory.used;
  for (const { name } of CASES) {
    for (const dims of [[5, 0], [2, 3, 0], [0, 5]]) {
      const rows = dims.slice(0, -1);
      const ones = new Float32Array(rows.reduce((a, b) => a * b)).fill(1);
      for (const shape of [rows, [...rows, 1]]) {
        const options = { weight: { data: ones, dims: shape }, grad: true };
        const each = run(name, none(...dims), none(...dims), { ...options, reduction: "none" });
        assert.equal([each.loss.length, each.grad.length], [0, 0], name);
        assert.is(run(name, none(...dims), none(...dims), { ...options, reduction: "sum" }).loss, 0, name);
      }
    }
    if (name === "generalizedFocalLoss") continue;
    const labels = { labels: new Int32Array(5) };
    const rows = run(name, none(5, 0), labels, { reduction: "none", weight: new Float32Array(5) });
    assert.equal([...rows.loss], [0, 0, 0, 0, 0], name);
  }
  assert.is(engine.memory.used, before);
});

test("NaN stays in its element, and its sum", () => {
  for (const { name } of CASES) {
    const x = floats(40, (i) => i === 5 ? NaN : i / 4 - 5);
    const y = floats(40, (i) => i === 9 ? NaN : i % 2);
    const { loss, grad } = run(name, x, y, { reduction: "none", grad: true });
    for (const values of [loss, grad]) {
      assert.equal([...values].flatMap((v, i) => Number.isNaN(v) ? [i] : []), [5, 9], name);
    }
    assert.ok(Number.isNaN(run(name, x, y, {}).loss as unknown as number));
  }
});

test("a gradient may go into a tensor in memory, over its own logits too, and stays in its bounds", () => {
  const r = random(78);
  const elements = 40001;
  const x = floats(elements, () => r.normal() * 6);
  const y = floats(elements, () => r.uniform());
  using own = engine.tensor([elements]);
  using target = engine.tensor([elements]);
  using room = engine.tensor([elements + 8]);
  target.data.set(y);
  for (const reduction of ["none", "sum"] as const) {
    const wanted = sync.qualityFocalLoss(x, y, { reduction, grad: true });
    own.data.set(x);
    room.data.fill(7);
    const grad = room.data.subarray(4, elements + 4);
    const apart = sync.qualityFocalLoss(own, target, { reduction, grad: true, out: { grad } });
    assert.is(apart.grad, grad);
    same(grad, wanted.grad, "apart");
    same(room.data.subarray(0, 4), Float32Array.of(7, 7, 7, 7), "before");
    same(room.data.subarray(elements + 4), Float32Array.of(7, 7, 7, 7), "behind");
    const over = sync.qualityFocalLoss(own, target, { reduction, grad: true, out: { grad: own.data } });
    same(over.grad, wanted.grad, "over its own logits");
    assert.equal([apart.loss, over.loss], [wanted.loss, wanted.loss]);
  }
});

test("a gradient in memory outlives the memory's growth", async () => {
  using small = await createEngine({ maxMemory: 16 * 1024 * 1024 });
  const tensor = small.tensor([100_000]);
  small.tensor([Math.floor((small.memory.reserved - small.memory.used) / 4) - 256]);
  const x = floats(100_000, (i) => i / 1e4 - 5);
  const wanted = sync.binaryCrossEntropyWithLogits(x, x.map(() => 0.5), { grad: true });
  const options = { grad: true, out: { grad: tensor.data } } as const;
  const got = small.sync.binaryCrossEntropyWithLogits(x, x.map(() => 0.5), options);
  same(got.grad, wanted.grad);
  same(tensor.data, wanted.grad);
});

test("results go where `out` says", () => {
  const x = Float32Array.of(1, -2, 3);
  const y = Float32Array.of(1, 0, 0.5);
  const out = { loss: new Float32Array(3), grad: new Float32Array(3) };
  const got = sync.qualityFocalLoss(x, y, { reduction: "none", grad: true, out });
  assert.is(got.loss, out.loss);
  assert.is(got.grad, out.grad);
  same(out.loss, sync.qualityFocalLoss(x, y, { reduction: "none" }).loss);
});

test("a sum of 672 000 elements is within 1e-7", () => {
  const r = random(74);
  const x = floats(672000, () => r.normal() * 3 - 3);
  const y = floats(672000, () => r.integer(50) === 0 ? 1 : 0);
  const wanted = x.reduce((sum, v, i) => sum + qualityFocalLoss(v, y[i]).value, 0);
  const got = sync.qualityFocalLoss(x, y, { reduction: "sum" }).loss;
  assert.ok(Math.abs(got / wanted - 1) < 1e-7, `${got} and ${wanted}`);
});

test("properties of any logits, targets and exponents", () => {
  const logit = fc.float({ min: -60, max: 60, noNaN: true });
  const target = fc.float({ min: 0, max: 1, noNaN: true });
  const exponent = fc.oneof(fc.constantFrom(0, 1, 1.5, 2), fc.double({ min: 0, max: 4, noNaN: true }));
  const elements = fc.array(fc.tuple(logit, target), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(elements, exponent, (pairs, beta) => {
      const x = Float32Array.from(pairs, ([v]) => v);
      const y = Float32Array.from(pairs, ([, v]) => v);
      const { loss, grad } = sync.qualityFocalLoss(x, y, { beta, reduction: "none", grad: true });
      assert.ok(loss.every((v) => v >= 0 && v < Infinity) && grad.every(Number.isFinite), "finite and not negative");
      // The mirrored logit and target cost the same, and pull the other way.
      const mirror = sync.qualityFocalLoss(x.map((v) => -v), y.map((v) => 1 - v), {
        beta,
        reduction: "none",
        grad: true,
      });
      mirror.loss.forEach((v, i) => assert.ok(Math.abs(v - loss[i]) <= 2e-3 * Math.abs(loss[i]) + 1e-3, "value"));
      // A dense target is its label form.
      const dense = sync.varifocalLoss({ data: x, dims: [1, x.length] }, { data: x.map(() => 0), dims: [1, x.length] });
      const none = sync.varifocalLoss({ data: x, dims: [1, x.length] }, { labels: Int32Array.of(-1) });
      assert.ok(Math.abs(dense.loss * x.length - none.loss) <= 1e-5 * none.loss + 1e-30, "labels");
      // Reductions agree.
      const sum = sync.generalizedFocalLoss(x, y, { beta, reduction: "sum" }).loss;
      assert.ok(Math.abs(sum - loss.reduce((a, b) => a + b, 0)) <= 1e-5 * sum + 1e-30, "sum");
    }),
    { seed: 1, numRuns: 200 },
  );
});

test("wrong input", () => {
  const x = { data: new Float32Array(6), dims: [2, 3] };
  const y = { data: new Float32Array(6), dims: [2, 3] };
  const with_ = (options: object) => () => sync.qualityFocalLoss(x, y, options as LossOptions);
  throws(with_({ reduction: "max" }), TypeError, "qualityFocalLoss", "options.reduction", '"max"', '"mean"');
  throws(with_({ beta: -1 }), RangeError, "options.beta", "-1");
  throws(with_({ reduction: "sum", avgFactor: 2 }), TypeError, "options.avgFactor", "sum");
  throws(with_({ avgFactor: 0 }), RangeError, "options.avgFactor", "0");
  throws(with_({ weight: new Float32Array(4) }), TypeError, "options.weight", "4", "6 values", "2 values, one per row");
  throws(with_({ grad: 1 }), TypeError, "options.grad");
  throws(with_({ placement: "gpu" }), TypeError, "options.placement", "WebGPU");
  throws(with_({ out: { loss: new Float32Array(1) } }), TypeError, "options.out.loss");
  throws(with_({ grad: true, out: { grad: new Float32Array(5) } }), TypeError, "options.out.grad", "Float32Array(6)");
  throws(() => sync.qualityFocalLoss(x, new Float32Array(5)), TypeError, "qualityFocalLoss", "target", "(2, 3)");
  throws(() => sync.varifocalLoss(x, y, { alpha: -1 }), RangeError, "varifocalLoss", "options.alpha", "-1");
  throws(() => sync.sigmoidFocalLoss(x, y, { gamma: NaN }), RangeError, "sigmoidFocalLoss", "options.gamma");
  throws(() => sync.generalizedFocalLoss(x, y, { yLeft: 1, yRight: 1 }), RangeError, "options.yRight", "1");
  const labels = Int32Array.of(0, 1);
  const bad = { labels, scores: Float32Array.of(0.5, 1.5) };
  throws(() => sync.qualityFocalLoss(x, bad), RangeError, "target.scores[1]", "1.5");
  throws(() => sync.qualityFocalLoss(x, { labels: Int32Array.of(1) }), TypeError, "target.labels", "Int32Array(2)");
  // @ts-expect-error a loss without labels
  throws(() => sync.qualityFocalLoss(x, { label: labels } as never), TypeError, "target.label is", "mean labels?");
  throws(() => sync.qualityFocalLoss(x, [0, 1] as never), TypeError, "target is an array of 2");
  throws(() => sync.generalizedFocalLoss(x, { labels }), TypeError, "generalizedFocalLoss", "target", "data and dims");
  close(sync.qualityFocalLoss(x, { labels }, { reduction: "none" }).loss, [0.75 * Math.LN2, 0.75 * Math.LN2], 1e-7);
  close([sync.binaryCrossEntropyWithLogits(x, y).loss], [Math.LN2], 1e-7);
});

test.run();
