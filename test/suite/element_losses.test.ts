/** Every element loss by its record: float64, lengths, hard values, memory, options, targets, and its bounds. */
// kinds: element loss
import { createEngine, type TensorLike } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Operation } from "../../src/registry.ts";
import { close, same } from "../compare.ts";
import { type ElementReference, ofKind, type Options, referenceOf, settingsOf } from "../conformance.ts";
import { compare, type Found, HARD, type Pairs, search, targetsOf } from "../element_bounds.ts";
import { floats, random } from "../random.ts";
import { note } from "./notes.ts";
import { samples } from "./walk.ts";

const test = suite("element losses");
const engine = await createEngine();
const each = { reduction: "none", grad: true } as const;

type Run = (pred: TensorLike, target: unknown, options: object) => Found;

function run(name: string, pred: TensorLike, target: unknown, options: object): Found {
  return (engine.sync as unknown as Record<string, Run>)[name](pred, target, options);
}

/** Compares every value and gradient with the reference; targets are shares of their range. */
function check(c: ElementReference, x: Float32Array<ArrayBuffer>, share: Float32Array<ArrayBuffer>, options: Options) {
  const y = targetsOf(c, share, options);
  compare(c, { x, y }, options, run(c.name, x, y, { ...options, ...each }));
}

for (const operation of ofKind("element loss")) {
  const { name, labels = false } = operation as Operation & { labels?: boolean };
  const of = () => referenceOf<ElementReference>(operation);

  test(`${name}: hard logits and targets, every option`, () => {
    const c = of();
    const x = Float32Array.from(HARD, ([x]) => x);
    const y = Float32Array.from(HARD, ([, y]) => y);
    for (const options of settingsOf(c)) check(c, x, y, options);
  });

  test(`${name}: random elements stay within their bounds`, () => {
    const r = random(70);
    const x = floats(samples(20000), () => r.normal() * 6);
    const y = floats(x.length, (i) => i % 3 === 0 ? 0 : i % 3 === 1 ? 1 : r.uniform());
    const c = of();
    for (const options of settingsOf(c)) check(c, x, y, options);
  });

  test(`${name}: lengths around every block, reductions, weights, lossWeight and avgFactor`, () => {
    const r = random(71);
    for (const length of [...Array(18).keys(), 31, 33, 511, 512, 513, 1023, 1025, 16383, 16384, 16385, 40000]) {
      const x = floats(length, () => r.normal() * 4);
      const y = floats(length, () => r.integer(2));
      const weight = floats(length, () => r.uniform(0, 2));
      const each = run(name, x, y, { reduction: "none", grad: true });
      const sum = each.loss.reduce((a, b) => a + b, 0);
      const near = (got: unknown, wanted: number) =>
        close([got as number], [wanted], 1e-6 * Math.abs(wanted), `${length}`);
      near(run(name, x, y, { reduction: "sum" }).loss, sum);
      near(run(name, x, y, {}).loss, sum / length);
      near(run(name, x, y, { avgFactor: 7, lossWeight: 3 }).loss, 3 * sum / 7);
      const weighed = run(name, x, y, { reduction: "none", grad: true, weight, lossWeight: 0.5 });
      close(weighed.loss, each.loss.map((v, i) => v * weight[i] * 0.5), 1e-5);
      close(weighed.grad, each.grad.map((v, i) => v * weight[i] * 0.5), 1e-5);
      const mean = run(name, x, y, { weight, grad: true });
      near(mean.loss, each.loss.reduce((a, v, i) => a + v * weight[i], 0) / length);
      close(mean.grad, each.grad.map((v, i) => v * weight[i] / length), 1e-6);
    }
  });

  test(`${name}: streamed, in-memory, half and double input`, async () => {
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
      const wanted = run(name, { data: x, dims }, { data: y, dims }, options);
      const others = [
        run(name, pred, target, options),
        run(name, { data: Float64Array.from(x), dims }, halves, options),
        run(name, { data: Int8Array.from(x, (v) => v * 8), dims, scale: 1 / 8 }, { data: y, dims }, options),
        await (engine as unknown as Record<string, Run>)[name](pred, target, options),
        (small.sync as unknown as Record<string, Run>)[name](x, y, options),
      ];
      for (const [i, other] of others.entries()) {
        if (reduction === "none") same(other.loss as Float32Array, wanted.loss, `${i}: loss`);
        else assert.is(other.loss, wanted.loss);
        same(other.grad as Float32Array, wanted.grad, `${i}: gradient`);
      }
    }
  });

  test(`${name}: the worst case that is found keeps its bounds, dense, by labels and in sums`, async () => {
    const c = of();
    let worst = 0;
    for (const options of settingsOf(c)) {
      const byLabels = ({ x, y }: Pairs) => {
        const target = { labels: Int32Array.from(y, (v) => v === 0 ? -1 : 0), scores: y };
        return run(name, { data: x, dims: [x.length, 1] }, target, { ...options, ...each });
      };
      const ways = [
        ({ x, y }: Pairs) => run(name, x, y, { ...options, ...each }),
        ...labels ? [byLabels] : [],
        ({ x, y }: Pairs) => {
          const { loss } = run(name, x, y, { ...options, ...each });
          return { loss, grad: run(name, x, y, { ...options, reduction: "sum", grad: true }).grad };
        },
      ];
      worst = Math.max(worst, await search(c, options, 9, (pairs, round) => ways[round % ways.length](pairs)));
    }
    note(`${name}: the worst case takes ${(worst * 100).toFixed(0)} % of its bound`);
    assert.ok(worst > 0.1, "a search that finds nothing");
  });

  test(`${name}: NaN stays in its element, and its sum`, () => {
    const x = floats(40, (i) => i === 5 ? NaN : i / 4 - 5);
    const y = floats(40, (i) => i === 9 ? NaN : i % 2);
    const { loss, grad } = run(name, x, y, each);
    for (const values of [loss, grad]) {
      assert.equal([...values].flatMap((v, i) => Number.isNaN(v) ? [i] : []), [5, 9]);
    }
    assert.ok(Number.isNaN(run(name, x, y, {}).loss as unknown as number));
  });

  test(`${name}: infinite logits have their limits where a factor is 0; NaN stays`, () => {
    for (const [options, pairs] of of().file.vanishing ?? []) {
      for (const [x, y] of pairs) {
        const what = `${JSON.stringify(options)} at ${x}, ${y}`;
        const dense = run(name, Float32Array.of(x), Float32Array.of(y), { ...options, ...each });
        assert.equal([dense.loss[0], Math.abs(dense.grad[0])], [0, 0], what);
        const nan = run(name, Float32Array.of(NaN), Float32Array.of(y), { ...options, ...each });
        assert.equal([nan.loss[0], nan.grad[0]], [NaN, NaN], what);
        if (!labels) continue;
        if (y === 1) {
          const one = { data: Float32Array.of(x, x), dims: [2, 1] };
          const own = run(name, one, { labels: Int32Array.of(0, 0) }, { ...options, ...each });
          assert.equal([...own.loss, ...own.grad.map(Math.abs)], [0, 0, 0, 0], what);
        } else {
          const pred = { data: floats(600, () => x), dims: [2, 300] };
          const none = { labels: Int32Array.of(-1, 300) };
          const row = run(name, pred, none, { ...options, ...each });
          assert.ok([...row.loss, ...row.grad].every((v) => v === 0), `${what}: a row`);
          assert.equal(run(name, pred, none, { ...options, reduction: "sum" }).loss, 0, what);
          pred.data[0] = NaN;
          const { loss } = run(name, pred, none, { ...options, reduction: "sum" });
          assert.ok(Number.isNaN(loss as unknown as number), `${what}: a sum with NaN`);
        }
      }
    }
  });

  test(`${name}: rows without classes: no error, and the engine works on`, () => {
    const none = (...dims: number[]) => ({ data: new Float32Array(0), dims });
    const before = engine.memory.used;
    for (const dims of [[5, 0], [2, 3, 0], [0, 5]]) {
      const rows = dims.slice(0, -1);
      const ones = new Float32Array(rows.reduce((a, b) => a * b)).fill(1);
      for (const shape of [rows, [...rows, 1]]) {
        const options = { weight: { data: ones, dims: shape }, grad: true };
        const found = run(name, none(...dims), none(...dims), { ...options, reduction: "none" });
        assert.equal([found.loss.length, found.grad.length], [0, 0]);
        assert.is(run(name, none(...dims), none(...dims), { ...options, reduction: "sum" }).loss as unknown, 0);
      }
    }
    if (labels) {
      const target = { labels: new Int32Array(5) };
      const rows = run(name, none(5, 0), target, { reduction: "none", weight: new Float32Array(5) });
      assert.equal([...rows.loss], [0, 0, 0, 0, 0]);
    }
    assert.is(engine.memory.used, before);
  });

  if (!labels) continue;

  test(`${name}: labels are the dense targets they stand for`, () => {
    const r = random(73);
    const all = settingsOf(of());
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
        for (const own of rows * classes < 5000 ? all : [{}]) {
          const options = { ...own, reduction: "none", grad: true };
          const wanted = run(name, pred, { data: dense, dims: pred.dims }, options);
          const got = run(name, pred, { labels, ...(quality && { scores: quality }) }, options);
          const rowSum = (row: number) =>
            wanted.loss.subarray(row * classes, (row + 1) * classes).reduce((a, b) => a + b, 0);
          const sums = Array.from({ length: rows }, (_, row) => rowSum(row));
          close(got.loss, sums, 2e-6 * Math.max(1, ...sums), `${rows} × ${classes}`);
          same(got.grad, wanted.grad);
          const weighed = run(name, pred, { labels, ...(quality && { scores: quality }) }, { ...options, weight });
          close(weighed.loss, sums.map((v, row) => v * weight[row]), 4e-6 * Math.max(1, ...sums));
          const denseWeighed = run(name, pred, { data: dense, dims: pred.dims }, { ...options, weight });
          same(weighed.grad, denseWeighed.grad);
        }
      }
      if (rows === 0) continue;
      const mean = run(name, pred, { labels, scores }, {}).loss as unknown as number;
      const none = run(name, pred, { labels, scores }, { reduction: "none" }).loss;
      close([mean], [none.reduce((a, b) => a + b, 0) / rows], 1e-6 * mean);
    }
  });

  test(`${name}: a sum over rows whose labels are certain keeps its digits`, () => {
    const { reference } = of();
    const r = random(701);
    const rows = 4096;
    const x = floats(rows, () => r.uniform(8, 12));
    const wanted = x.reduce((sum, v) => sum + reference(v, 1, {}).value, 0);
    const target = { labels: new Int32Array(rows) };
    const sum = run(name, { data: x, dims: [rows, 1] }, target, { reduction: "sum" }).loss;
    close([sum as unknown as number], [wanted], 1e-6 * wanted);
  });

  test(`${name}: an infinite loss of weight 0 is 0, NaN stays, dense and by labels`, () => {
    const data = Float32Array.of(Infinity, 1, -Infinity, 2, NaN, 0);
    const pred = { data, dims: [3, 2] };
    const finite = { data: data.map((v) => Number.isNaN(v) ? 0 : v), dims: [3, 2] };
    const dense = { data: Float32Array.of(0, 0, 1, 0, 0, 0), dims: [3, 2] };
    const byLabel = { labels: Int32Array.of(-1, 0, 1) };
    for (const weight of [{ data: Float32Array.of(0, 1, 0, 1, 0, 1), dims: [3, 2] }, new Float32Array(3)]) {
      const found = run(name, pred, dense, { ...each, weight });
      assert.equal([...found.loss].filter((_, i) => i % 2 === 0), [0, 0, NaN]);
      assert.equal([...found.grad].map(Math.abs).filter((_, i) => i % 2 === 0), [0, 0, NaN]);
      const rows = run(name, pred, byLabel, { reduction: "none", weight }).loss;
      assert.ok(rows[0] < 10 && rows[1] < 10 && Number.isNaN(rows[2]), `${rows}`);
      const sum = (of: TensorLike, target: unknown, options: object) =>
        run(name, of, target, { reduction: "sum", ...options }).loss as unknown as number;
      for (const target of [dense, byLabel]) {
        assert.ok(sum(finite, target, { weight }) < 30);
        assert.is(sum(finite, target, { lossWeight: 0 }), 0);
        assert.ok(Number.isNaN(sum(pred, target, { lossWeight: 0 })));
      }
    }
  });
}

test.run();
