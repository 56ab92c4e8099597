/** Every box loss by its record: float64, PyTorch, lengths, hard boxes, memory, options, and its bounds. */
// kinds: box loss
import { createEngine, type TensorLike } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Both, check, EXTREME, largest, pairs, product, rowOf, scaleOf, SPECIAL } from "../box_cases.ts";
import { boxSearch, FOUND } from "../box_search.ts";
import { close, same, throws } from "../compare.ts";
import {
  type BoxReference,
  fixtureOf,
  lengthsTimes,
  ofKind,
  type Options,
  referenceOf,
  requiredOf,
  settingsOf,
  withEps,
} from "../conformance.ts";
import { floats, random } from "../random.ts";
import type { BoxLoss } from "../reference/box_loss.ts";
import { worstOf } from "../search.ts";
import { note } from "./notes.ts";
import { samples } from "./walk.ts";

type Result = Both | { readonly loss: number };
type Losses = Readonly<Record<string, (pred: TensorLike, target: TensorLike, options?: object) => Result>>;
type Run = (losses: Losses, pred: TensorLike, target: TensorLike, options?: object) => Result;

interface BoxFixture {
  readonly options: Options;
  readonly pred: number[];
  readonly target: number[];
  readonly value: number[];
  readonly grad: number[];
}

const test = suite("box losses");
const engine = await createEngine();
const sync = engine.sync as unknown as Losses;
const each = { reduction: "none", grad: true } as const;
const EPS = Math.fround(1e-7);
const both = (result: Result) => result as Both;

/** A value for each pair by the reference, for eps as the kernels have it: two terms may differ by less than its rounding. */
function wantedBy({ reference }: BoxReference, pred: Float32Array, target: Float32Array, options: Options = {}) {
  const eps = Math.fround(Number(options.eps ?? 1e-7));
  return (i: number): BoxLoss => reference(rowOf(pred, i), rowOf(target, i), { ...options, eps });
}

for (const operation of ofKind("box loss")) {
  const { name, bounds } = operation;
  const limits = [bounds.loss.wasm, bounds.gradient.wasm] as const;
  const of = () => referenceOf<BoxReference>(operation);
  const run: Run = (losses, pred, target, options) => {
    return losses[name](pred, target, { ...requiredOf(operation), ...options });
  };
  const wanted = (pred: Float32Array, target: Float32Array, options?: Options) => {
    return wantedBy(of(), pred, target, { ...requiredOf(operation), ...options });
  };

  test(`${name}: 100 000 random pairs are within the bounds, every option`, () => {
    const worst = [0, 0];
    for (const [what, pred, target] of pairs(3, samples(20000))) {
      const found = check(both(run(sync, pred, target, each)), wanted(pred, target), pred, what, 0, limits);
      found.forEach((error, k) => worst[k] = Math.max(worst[k], error));
    }
    assert.ok(worst[0] > 0 && worst[1] > 0, `${worst}`);
    // eps is of all box losses, and has tests of its own.
    const own = settingsOf(of()).filter((options) => Object.keys(options).length > 0 && !("eps" in options));
    for (const options of own) {
      for (const [what, pred, target] of pairs(4, 1000)) {
        const found = both(run(sync, pred, target, { ...options, ...each }));
        check(found, wanted(pred, target, options), pred, `${what}, ${JSON.stringify(options)}`, 0, limits);
      }
    }
  });

  test(`${name}: special boxes`, () => {
    const [pred, target] = product(SPECIAL);
    check(both(run(sync, pred, target, each)), wanted(pred, target), pred, "special", 1e-2, limits);
    for (const options of withEps(operation, [1e-3, 1e-9])) {
      const found = both(run(sync, pred, target, { ...options, ...each }));
      check(found, wanted(pred, target, options), pred, JSON.stringify(options), 1, limits);
    }
  });

  test(`${name}: what PyTorch finds`, (): void => {
    const fixture = fixtureOf<BoxFixture[]>(operation);
    if ("none" in fixture) return note(`${name}: PyTorch has ${fixture.none}`);
    for (const { options, ...set } of fixture) {
      const pred = Float32Array.from(set.pred);
      const found = both(run(sync, pred, Float32Array.from(set.target), { ...each, ...options }));
      assert.is(found.loss.length, set.value.length);
      const want = (i: number) => ({ value: set.value[i], grad: set.grad.slice(4 * i, 4 * i + 4) });
      check(found, want, pred, JSON.stringify(options), 0, limits);
    }
  });

  test(`${name}: finite for all finite boxes, with eps 0 too`, () => {
    const [pred, target] = product(EXTREME);
    for (const options of withEps(operation, [1e-7, 0, 1e-30, 1e30])) {
      const { loss, grad } = both(run(sync, pred, target, { ...options, ...each }));
      loss.forEach((value, i) => assert.ok(Number.isFinite(value) && value > -1e-6, `value ${i} is ${value}`));
      grad.forEach((value, i) => assert.ok(Number.isFinite(value), `gradient ${i} is ${value}`));
    }
  });

  test(`${name}: boxes past float32's squares are as their smaller likes, if lengths among the options are`, () => {
    const [, pred, target] = pairs(5, 100)[1];
    const [exact] = withEps(operation, [0]);
    const small = both(run(sync, pred, target, { ...exact, ...each }));
    const factor = 2 ** 100;
    const options = { ...exact, ...lengthsTimes(operation, factor), ...each };
    const large = both(run(sync, pred.map((v) => v * factor), target.map((v) => v * factor), options));
    // With eps 0 both are done in float64.
    const [value, slope] = "eps" in operation.params ? [0, 1e-12] : limits;
    close(large.loss, small.loss, value);
    close(large.grad.map((v) => v * factor), small.grad, slope);
  });

  test(`${name}: a sum of equal losses is within the sum of their bounds, a mean within their mean`, () => {
    const count = 10000;
    const [, pred, target] = pairs(6, 1000)[2];
    const want = wanted(pred, target);
    const errors = Array.from(both(run(sync, pred, target, each)).loss, (got, i) => Math.abs(got - want(i).value));
    const worst = errors.indexOf(errors.reduce((a, b) => Math.max(a, b)));
    const [p, t] = [pred, target].map((boxes) => floats(4 * count, (i) => rowOf(boxes, worst)[i % 4]));
    const { value } = want(worst);
    const limit = limits[0] * Math.max(1, value);
    const off = (reduction: string, wanted: number) => {
      return Math.abs((run(sync, p, t, { reduction }) as { loss: number }).loss - wanted);
    };
    assert.ok(off("sum", count * value) <= count * limit, `sum: off by ${off("sum", count * value)}`);
    assert.ok(off("mean", value) <= limit, `mean: off by ${off("mean", value)}`);
    note(`${name.padEnd(8)} sum of ${count} off by ${off("sum", count * value).toExponential(1)}`);
  });

  test(`${name}: NaN and huge boxes stay alone`, () => {
    const [, pred, target] = pairs(7, 41)[1];
    const calm = both(run(sync, pred, target, each));
    for (const value of [NaN, 1e30, Infinity]) {
      for (let at = 0; at < 8; at++) {
        const [p, t] = [pred.slice(), target.slice()];
        (at < 4 ? p : t)[20 * 4 + at % 4] = value;
        const { loss, grad } = both(run(sync, p, t, each));
        for (let i = 0; i < 41; i++) {
          if (i === 20) continue;
          same([loss[i], ...rowOf(grad, i)], [calm.loss[i], ...rowOf(calm.grad, i)], `${value} at ${at}: box ${i}`);
        }
        if (Number.isNaN(value)) close([loss[20], ...rowOf(grad, 20)], [NaN, NaN, NaN, NaN, NaN], 0, `place ${at}`);
      }
    }
  });

  test(`${name}: every length, reduction and kind of input`, async () => {
    const small = await createEngine({ maxMemory: 512 * 1024 });
    const few = small.sync as unknown as Losses;
    const all = pairs(11, 8200)[1];
    for (const n of [...Array(18).keys(), 511, 512, 513, 4095, 4096, 4097, 8191, 8200]) {
      const dims = [n, 4];
      const pred = all[1].slice(0, 4 * n);
      const target = all[2].slice(0, 4 * n);
      const { loss, grad } = both(run(sync, pred, target, each));
      if (n < 600) check({ loss, grad }, wanted(pred, target), pred, `${n} boxes`, 0, limits);
      same(run(sync, pred, target, { reduction: "none" }).loss as Float32Array, loss, "without gradient");
      const exact = loss.reduce((sum, v) => sum + v, 0);
      const sum = run(sync, pred, target, { reduction: "sum", grad: true });
      assert.ok(Math.abs(sum.loss as unknown as number - exact) <= 1e-6 * exact, `${n}: sum`);
      same((sum as unknown as Both).grad, grad, "gradient of the sum");
      if (n === 0) continue;
      const mean = run(sync, pred, target).loss as unknown as number;
      assert.is(mean, (sum.loss as unknown as number) * (1 / n));
      using residentPred = engine.tensor(dims);
      using residentTarget = engine.tensor(dims);
      residentPred.data.set(pred);
      residentTarget.data.set(target);
      const inputs: [Losses, TensorLike, TensorLike][] = [
        [sync, residentPred, residentTarget],
        [few, pred, target],
        [sync, { data: Float64Array.from(pred), dims }, { data: Float64Array.from(target), dims }],
      ];
      for (const [losses, p, t] of inputs) {
        const again = both(run(losses, p, t, each));
        same(again.loss, loss);
        same(again.grad, grad);
        assert.is(run(losses, p, t).loss, mean);
      }
    }
  });

  test(`${name}: half floats`, () => {
    // 0, 1, 2, 3, 4 as bits.
    const bits = [0, 0x3c00, 0x4000, 0x4200, 0x4400];
    const pred = [0, 0, 2, 3, 1, 1, 4, 4];
    const target = [1, 0, 3, 4, 1, 1, 4, 2];
    const half = (values: number[]) => ({ data: Uint16Array.from(values, (v) => bits[v]), dims: [2, 4] });
    const found = both(run(sync, half(pred), half(target), each));
    const plain = both(run(sync, Float32Array.from(pred), Float32Array.from(target), each));
    same(found.loss, plain.loss);
    same(found.grad, plain.grad);
  });

  test(`${name}: weight, lossWeight, avgFactor and out`, () => {
    const n = 4103;
    const [, pred, target] = pairs(13, n)[1];
    const r = random(17);
    const weight = floats(n, (i) => i % 3 === 0 ? 0 : r.uniform(0, 2));
    const plain = both(run(sync, pred, target, each));
    const out = { loss: new Float32Array(n), grad: new Float32Array(4 * n) };
    const weighed = both(run(sync, pred, target, { ...each, weight, lossWeight: 3, out }));
    assert.is(weighed.loss, out.loss);
    assert.is(weighed.grad, out.grad);
    close(weighed.loss, plain.loss.map((v, i) => v * weight[i] * 3), 2e-6);
    close(weighed.grad, plain.grad.map((v, i) => v * weight[i >> 2] * 3), 1e-6 * largest(plain.grad) * 6);
    const total = plain.loss.reduce((sum, v, i) => sum + v * weight[i], 0);
    const options = { weight: { data: weight, dims: [n, 1] }, lossWeight: 2, avgFactor: 50, grad: true };
    const mean = run(sync, pred, target, options);
    assert.ok(Math.abs(mean.loss as unknown as number - total * 2 / 50) < 1e-6 * total);
    close(
      (mean as unknown as Both).grad,
      plain.grad.map((v, i) => v * weight[i >> 2] * 2 / 50),
      1e-7 * largest(plain.grad),
    );
  });

  test(`${name}: wrong input`, () => {
    const four = new Float32Array(16);
    throws(() => run(sync, new Float32Array(15), four), TypeError, name, "pred", "15", "(N, 4)");
    throws(() => run(sync, { data: four, dims: [16] }, four), TypeError, name, "pred", "(16)");
    throws(() => run(sync, four, new Float32Array(12)), TypeError, name, "target", "12", "(4, 4)");
    for (const { eps } of withEps(operation, [-1e-9, NaN])) {
      const error = "eps" in operation.params ? RangeError : TypeError;
      throws(() => run(sync, four, four, { eps: eps ?? 0 }), error, name, "options.eps", String(eps ?? ""));
    }
    throws(
      () => run(sync, four, four, { weight: four }),
      TypeError,
      name,
      "options.weight",
      "16",
      "4 values, one per row",
    );
    throws(() => run(sync, four, four, { weight: new Float32Array(3) }), TypeError, name, "options.weight");
    throws(
      () => run(sync, four, four, { reduction: "none", out: { loss: four } }),
      TypeError,
      name,
      "options.out.loss",
      "16",
      "Float32Array(4)",
    );
    throws(() => run(sync, four, four, { grad: true, out: { grad: new Float32Array(4) } }), TypeError, "out.grad");
    throws(() => run(sync, four, four, { reduction: "sum", avgFactor: 2 }), TypeError, name, "options.avgFactor");
    throws(() => run(sync, four, four, { reduction: "all" }), TypeError, name, "options.reduction", "all");
  });

  test(`${name}: the asynchronous face gives the same bits`, async () => {
    const [, pred, target] = pairs(19, 100)[1];
    const losses = engine as unknown as Record<string, (...args: unknown[]) => Promise<Both>>;
    const options = { ...requiredOf(operation), ...each };
    same((await losses[name](pred, target, options)).grad, both(run(sync, pred, target, each)).grad);
  });

  const found = (pred: Float32Array, target: Float32Array, options: Options = {}) => {
    return both(run(sync, pred, target, { ...options, ...each }));
  };

  for (const [k, part] of (["value", "gradient"] as const).entries()) {
    test(`${name}: the worst ${part} that a search finds is within its bound`, async () => {
      const { reference } = of();
      const size = { width: 200, rounds: 24 };
      const ofPair = (pred: ArrayLike<number>, target: ArrayLike<number>) =>
        reference(pred, target, { ...requiredOf(operation), eps: EPS });
      const search = boxSearch(k as 0 | 1, limits[k], (pred, target) => found(pred, target), ofPair, size);
      const known = Math.max(...await search.errors(FOUND));
      assert.ok(known <= 1, `${known} of the bound on a known pair`);
      const { error, input } = await worstOf(search, random(20));
      assert.ok(error > 0.05 && error <= 1, `${error} of ${limits[k]} at ${input}`);
      note(`${name.padEnd(8)} ${part.padEnd(8)} ${error.toFixed(2)} of ${limits[k]}`);
    });
  }

  if ("innerRatio" in operation.params) {
    test(`${name}: the worst that a search finds with an inner term is within its bounds`, async () => {
      const { reference } = of();
      for (const innerRatio of [0.6, 1.5]) {
        for (const k of [0, 1] as const) {
          const ofPair = (pred: ArrayLike<number>, target: ArrayLike<number>) =>
            reference(pred, target, { eps: EPS, innerRatio });
          const run = (pred: Float32Array, target: Float32Array) => found(pred, target, { innerRatio });
          const search = boxSearch(k, limits[k], run, ofPair, { width: 100, rounds: samples(24) });
          const known = Math.max(...await search.errors(FOUND));
          assert.ok(known <= 1, `${known} of the bound on a known pair`);
          const { error, input } = await worstOf(search, random(21));
          note(`${name.padEnd(8)} ${innerRatio} ${k === 0 ? "value" : "gradient"} ${error.toFixed(2)} of ${limits[k]}`);
          assert.ok(error > 0.05 && error <= 1, `${k}: ${error} of ${limits[k]} at ${input}`);
        }
      }
    });
  }

  test(`${name}: boxes of 1e-40 to 3e38 have the values of float64`, () => {
    const [pred, target] = product(EXTREME);
    for (const options of withEps(operation, [1e-7, 1e-30, 1e30])) {
      const { loss } = found(pred, target, options);
      loss.forEach((value, i) => {
        const right = Math.min(wanted(pred, target, options)(i).value, 2 ** 128 - 2 ** 104);
        const what = `${JSON.stringify(options)}: ${rowOf(pred, i)} on ${rowOf(target, i)}`;
        close([value], [right], limits[0] * Math.max(1, right), what);
      });
    }
  });

  test(`${name}: long boxes of any size have the gradients of their likes`, () => {
    // Axes that differ by 2^90: what one says of x does not depend on the size of y.
    const pred = Float32Array.of(0, 0, 10, 1e30, 1, 3e29, 9, 1e30, 0, 0, 1e30, 10, -1e30, 5, 1e30, 6);
    const target = Float32Array.of(0, 0, 8, 1e30, 0, 0, 8, 1e30, 1e29, 2, 9e29, 11, -1e30, 4, 5e29, 6);
    const options = lengthsTimes(operation, 2 ** 90);
    const got = found(pred, target, options);
    check(got, wanted(pred, target, options), pred, "long", 0, limits);
    for (let i = 0; i < 4; i++) {
      const { grad } = wanted(pred, target, options)(i);
      for (const axis of [0, 1]) {
        // Each axis by its own scale.
        const [low, high] = [grad[axis], grad[axis + 2]];
        const scale = Math.max(Math.abs(low), Math.abs(high));
        close(
          [got.grad[4 * i + axis], got.grad[4 * i + axis + 2]],
          [low, high],
          3e-6 * scale + 1e-40,
          `axis ${axis} of ${i}`,
        );
      }
    }
  });

  test(`${name}: an infinite edge counts as the largest number`, () => {
    const largest = 2 ** 128 - 2 ** 104;
    const [some, others] = product([...EXTREME.slice(0, 6), [-Infinity, 0, Infinity, 10], [0, 0, Infinity, Infinity], [
      Infinity,
      5,
      Infinity,
      6,
    ], [Infinity, 5, -Infinity, 6]]);
    const finite = (boxes: Float32Array) => boxes.map((v) => Math.min(Math.max(v, -largest), largest));
    const got = found(some, others);
    const likes = found(finite(some), finite(others));
    close(got.loss, likes.loss, 0);
    close(got.grad, likes.grad, 0);
    assert.ok([...got.loss, ...got.grad].every(Number.isFinite));
  });

  test(`${name}: inverted boxes far apart, and a value that does not depend on the gradient`, () => {
    const pred = Float32Array.of(9e17, 9e17, 8e17, 8e17, 3e18, 0, -3e18, 1, 50, 60, 10, 20, 300, 8, 100, 40);
    const target = Float32Array.of(-9e17, 3, -8e17, 1, 5, 3e18, 9, 2e18, 900, 20, 700, 10, 3, 90, 1, 20);
    const got = found(pred, target);
    for (let i = 0; i < 4; i++) {
      const { value, grad } = wanted(pred, target)(i);
      const right = Math.min(value, 2 ** 128 - 2 ** 104);
      close([got.loss[i]], [right], limits[0] * Math.max(1, right), `value of ${i}`);
      close(rowOf(got.grad, i), grad, limits[1] * scaleOf(rowOf(pred, i), grad), `gradient of ${i}`);
    }
    const [some, others] = product(EXTREME);
    same(run(sync, some, others, { reduction: "none" }).loss, found(some, others).loss);
  });
}

test.run();
