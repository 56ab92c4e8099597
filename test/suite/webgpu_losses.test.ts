// kinds: element loss, row loss, box loss
import { createEngine, type Engine, type TensorLike } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Operation, operations } from "../../src/registry.ts";
import { type Both, check as checkBoxes, EXTREME, largest, pairs, product, SPECIAL } from "../box_cases.ts";
import { boxSearch, FOUND } from "../box_search.ts";
import { close, rejects, same, throws } from "../compare.ts";
import {
  type BoxReference,
  type ElementReference,
  ofKind,
  type Options,
  referenceOf,
  requiredOf,
  type RowReference,
  settingsOf,
  shaderOf,
  withEps,
} from "../conformance.ts";
import { extremes, HARD_ROWS, sweep, worstError } from "../distribution_cases.ts";
import { compare, HARD, type Pairs, search, targetsOf } from "../element_bounds.ts";
import { LOSS_CALLS, lossIn } from "../loss_calls.ts";
import { floats, random } from "../random.ts";
import { DFINE_VALUES } from "../reference/dfl_decode.ts";
import type { BoxLoss } from "../reference/box_loss.ts";
import { worstOf } from "../search.ts";
import { asHardware, bufferOf, hasSubgroups, newDevice, noDevice } from "./gpu.ts";
import { skip } from "./skip.ts";
import { times, walk } from "./walk.ts";

/** Relative error of a gradient that is compared with that of WASM, and of sums. */
const BOUND = 4e-6;
const SUM_BOUND = 8e-6;
const each = { reduction: "none", grad: true } as const;

type Run = (pred: TensorLike, target: unknown, options?: object) => Promise<Both>;

const tests = suite("losses on WebGPU");
const device = noDevice === null ? await newDevice() : null;
const engine = device && await createEngine({ device: "webgpu", gpuDevice: device });

/** A test with a device, or a skipped one. */
function test(title: string, body: (device: GPUDevice) => Promise<void>): void {
  tests(title, async () => device === null ? skip(noDevice as string) : await body(device));
}

/** A loss on the device. */
function lossOf(name: string, losses: unknown = engine): Run {
  return lossIn<Run>(losses, { name, required: requiredOf(operations[name]) });
}

function nearSum(got: unknown, wanted: number, what: string): void {
  close([got as number], [wanted], SUM_BOUND * Math.abs(wanted), what);
}

for (const operation of ofKind("element loss")) {
  const { name, labels = false } = operation as Operation & { labels?: boolean };
  const of = () => {
    shaderOf(operation);
    return referenceOf<ElementReference>(operation);
  };

  test(`${name}: hard and random logits and targets, every option`, async () => {
    const c = of();
    const r = random(170);
    const easy = Array.from({ length: 3000 }, (_, i) => [r.normal() * 6, i % 3 === 0 ? r.uniform() : i % 2] as const);
    const x = Float32Array.from([...HARD, ...easy], ([x]) => x);
    const share = Float32Array.from([...HARD, ...easy], ([, y]) => y);
    for (const options of settingsOf(c)) {
      const y = targetsOf(c, share, options);
      compare(c, { x, y }, options, await lossOf(name)(x, y, { ...options, ...each }), "webgpu");
    }
  });

  test(`${name}: the worst case that is found keeps its bounds, dense and by labels`, async () => {
    const c = of();
    const run = lossOf(name);
    for (const options of settingsOf(c)) {
      const ways = [
        ({ x, y }: Pairs) => run(x, y, { ...options, ...each }),
        ({ x, y }: Pairs) => {
          const target = { labels: Int32Array.from(y, (v) => v === 0 ? -1 : 0), scores: y };
          return run({ data: x, dims: [x.length, 1] }, target, { ...options, ...each });
        },
      ].slice(0, labels ? 2 : 1);
      await search(c, options, times(4), (pairs, round) => ways[round % ways.length](pairs), "webgpu");
    }
  });

  test(`${name}: lengths around every block, reductions, weights, lossWeight and avgFactor`, async () => {
    const r = random(171);
    const run = lossOf(name);
    for (const length of walk([0, 1, 3, 4, 5, 6, 7, 8, 1023, 1024, 1025, 4095, 4096, 4097, 4098, 9000])) {
      const x = floats(length, () => r.normal() * 4);
      const y = floats(length, () => r.integer(2));
      const weight = floats(length, () => r.uniform(0, 2));
      const { loss, grad } = await run(x, y, each);
      const sum = loss.reduce((a, b) => a + b, 0);
      nearSum((await run(x, y, { reduction: "sum" })).loss, sum, `${length}: sum`);
      if (length > 0) nearSum((await run(x, y)).loss, sum / length, `${length}: mean`);
      nearSum((await run(x, y, { avgFactor: 7, lossWeight: 3 })).loss, 3 * sum / 7, `${length}: avgFactor`);
      const weighed = await run(x, y, { ...each, weight, lossWeight: 0.5 });
      close(weighed.loss, loss.map((v, i) => v * weight[i] * 0.5), 1e-5);
      close(weighed.grad, grad.map((v, i) => v * weight[i] * 0.5), 1e-5);
    }
  });

  test(`${name}: NaN stays in its element, and its sum`, async () => {
    const x = floats(40, (i) => i === 5 ? NaN : i / 4 - 5);
    const y = floats(40, (i) => i === 9 ? NaN : i % 2);
    const { loss, grad } = await lossOf(name)(x, y, each);
    for (const values of [loss, grad]) {
      assert.equal([...values].flatMap((v, i) => Number.isNaN(v) ? [i] : []), [5, 9]);
    }
    assert.ok(Number.isNaN((await lossOf(name)(x, y)).loss as unknown as number));
  });

  test(`${name}: logits and targets that are not near change no other, and the sum has all`, async () => {
    const r = random(176);
    const run = lossOf(name);
    const length = times(5) * 4000;
    const x = floats(length, () => r.normal() * 4);
    const y = floats(length, () => r.uniform());
    const near = await run(x, y, each);
    for (const [far, target] of [[88.5, 1], [-1e4, 1], [3e7, 0.5], [-Infinity, 0], [1, -0], [1, 1]] as const) {
      const places = [...new Set(Array.from({ length: 9 }, () => r.integer(length)))];
      const [farX, farY] = [x.slice(), y.slice()];
      for (const i of places) [farX[i], farY[i]] = [far, target];
      const [wanted] = (await run(Float32Array.of(far), Float32Array.of(target), each)).loss;
      const got = await run(farX, farY, each);
      for (const i of places) {
        assert.ok(got.loss[i] === wanted || Math.abs(got.loss[i] - wanted) < BOUND * wanted, `${far}, ${target}`);
        [got.loss[i], got.grad[i]] = [near.loss[i], near.grad[i]];
      }
      close(got.loss, near.loss, BOUND * largest(near.loss));
      close(got.grad, near.grad, BOUND * largest(near.grad));
      const sum = got.loss.reduce((all, value, i) => all + (places.includes(i) ? wanted : value), 0);
      nearSum((await run(farX, farY, { reduction: "sum" })).loss, sum, `${far}, ${target}: sum`);
    }
    for (const at of walk([0, 1, 1023, 5000, length - 1])) {
      for (const [badX, badY] of [[NaN, 0], [0, NaN], [Infinity, NaN]]) {
        const [nanX, nanY] = [x.slice(), y.slice()];
        [nanX[at], nanY[at]] = [badX, badY];
        assert.ok(Number.isNaN((await run(nanX, nanY, { reduction: "sum" })).loss), `${badX}, ${badY} at ${at}`);
      }
    }
  });

  test(`${name}: infinite logits have their limits where a factor is 0`, async () => {
    for (const [options, pairs] of of().file.vanishing ?? []) {
      for (const [x, y] of pairs) {
        const { loss, grad } = await lossOf(name)(Float32Array.of(x), Float32Array.of(y), { ...options, ...each });
        assert.equal([loss[0], Math.abs(grad[0])], [0, 0], `${JSON.stringify(options)} at ${x}, ${y}`);
        const sum = { ...options, reduction: "sum" };
        const { loss: total } = await lossOf(name)(floats(1030, () => x), floats(1030, () => y), sum);
        assert.is(total as unknown as number, 0);
      }
    }
  });

  if (!labels) continue;

  test(`${name}: labels are the dense targets they stand for, weights by row`, async () => {
    const r = random(172);
    const run = lossOf(name);
    const sizes = [[1, 1], [5, 1], [3, 5], [7, 4], [30, 6], [300, 81], [3, 5000], [61, 80]] as const;
    for (const [rows, classes] of walk(sizes)) {
      const pred = { data: floats(rows * classes, () => r.normal() * 4), dims: [rows, classes] };
      const labels = Int32Array.from({ length: rows }, () => r.integer(classes + 2) - 1);
      const weight = floats(rows, () => r.uniform(0, 2));
      for (const scores of [undefined, floats(rows, () => r.uniform())]) {
        const dense = new Float32Array(rows * classes);
        labels.forEach((label, row) => {
          if (label >= 0 && label < classes) dense[row * classes + label] = scores?.[row] ?? 1;
        });
        const target = { labels, ...(scores && { scores }) };
        const wanted = await run(pred, { data: dense, dims: pred.dims }, { ...each, weight });
        const got = await run(pred, target, { ...each, weight });
        same(got.grad, wanted.grad);
        const sums = floats(rows, (row) => {
          return wanted.loss.subarray(row * classes, (row + 1) * classes).reduce((a, b) => a + b, 0);
        });
        close(got.loss, sums, SUM_BOUND * largest(sums), `${rows} × ${classes}`);
        const mean = (await run(pred, target, { weight })).loss;
        nearSum(mean, sums.reduce((a, b) => a + b, 0) / rows, `${rows} × ${classes}: mean`);
      }
    }
  });
}

test("distributionFocalLoss: bins of any values, labels outside that count as their ends, and NaN", async () => {
  const r = random(174);
  const values = Float32Array.from(DFINE_VALUES);
  const target = Float32Array.of(
    ...values,
    ...floats(90, () => r.uniform(-5, 5)),
    -3e38,
    3e38,
    -Infinity,
    Infinity,
    NaN,
  );
  const pred = { data: floats(target.length * 33, () => r.normal() * 2), dims: [target.length, 33] };
  for (const options of [{ binValues: values }, { firstBin: -4, binStep: 0.25 }]) {
    const run = (losses: unknown) =>
      lossOf("distributionFocalLoss", losses)(pred, target, { ...options, outside: "clamp", ...each });
    const [got, wanted] = [await run(engine), await run((engine as Engine).sync)];
    close(got.loss, wanted.loss, BOUND * largest(wanted.loss.filter((v) => !Number.isNaN(v))));
    close(got.grad, wanted.grad, BOUND);
  }
  const outside = lossOf("distributionFocalLoss")(pred, target, { binValues: values, ...each });
  await rejects(outside, RangeError, "distributionFocalLoss", "target[", "-4 to 4");
});

test("varifocalLoss: labels of score 0", async () => {
  const pred = { data: Float32Array.of(1, 1), dims: [1, 2] };
  const target = { labels: Int32Array.of(0), scores: Float32Array.of(0) };
  const values = async (options: object) => {
    const { loss, grad } = await lossOf("varifocalLoss")(pred, target, { ...options, ...each });
    return [...loss, ...grad];
  };
  close(await values({}), [0.526401, 0, 0.576176], 1e-6);
  close(await values({ iouWeighted: false, gamma: 2 }), [1.839663, 0.731059, 0.576176], 2e-6);
  close(await values({ positives: "quality" }), [1.052802, 0.576176, 0.576176], 1e-6);
  const r = random(173);
  for (const [rows, classes] of [[5, 1], [30, 6], [61, 80]] as const) {
    const scene = { data: floats(rows * classes, () => r.normal() * 4), dims: [rows, classes] };
    const labels = Int32Array.from({ length: rows }, () => r.integer(classes + 1) - 1);
    const scores = floats(rows, (i) => i % 2 === 0 ? 0 : r.uniform());
    for (const options of [{}, { gamma: 0.5 }, { positives: "quality" }]) {
      const run = (losses: unknown) =>
        lossOf("varifocalLoss", losses)(scene, { labels, scores }, { ...options, ...each });
      const [got, wanted] = [await run(engine), await run((engine as Engine).sync)];
      close(got.loss, wanted.loss, SUM_BOUND * largest(wanted.loss));
      close(got.grad, wanted.grad, BOUND);
    }
  }
});

test("rows of labels: the factor comes before the sum; a weight or factor of 0 leaves nothing of an infinite loss", async () => {
  const pred = { data: Float32Array.of(3e38, 3e38, 1, 2), dims: [2, 2] };
  const labels = { labels: Int32Array.of(-1, -1) };
  const rows = async (options: object, data = pred) =>
    (await lossOf("binaryCrossEntropyWithLogits")(data, labels, { ...options, ...each })).loss;
  close(await rows({ lossWeight: 0.25 }), [1.5e38, 0.25 * (Math.log1p(Math.E) + Math.log1p(Math.E ** 2))], 2e33);
  assert.equal([...await rows({ lossWeight: 0 })], [0, 0]);
  const infinite = { data: Float32Array.of(Infinity, -Infinity, 1, 2), dims: [2, 2] };
  assert.equal([...await rows({ lossWeight: 0 }, infinite)], [0, 0]);
  const [first, second] = await rows({ weight: Float32Array.of(0, 1) }, infinite);
  assert.ok(first === 0 && second > 2 && second < 4);
  const nan = { data: Float32Array.of(NaN, 1, 1, 2), dims: [2, 2] };
  for (const options of [{ lossWeight: 0 }, { weight: Float32Array.of(0, 0) }]) {
    const [kept, zero] = await rows(options, nan);
    assert.ok(Number.isNaN(kept) && zero === 0);
  }
});

for (const { name, title, pred, target, byRow } of LOSS_CALLS) {
  test(`${title}: nothing costs nothing; "none" knows no avgFactor; weights of rows`, async () => {
    const run = lossOf(name);
    assert.is((await run(pred(0), target(0), { reduction: "sum", grad: true })).loss as unknown, 0);
    assert.is((await run(pred(0), target(0), { avgFactor: 3 })).loss as unknown, 0);
    assert.ok(Number.isNaN((await run(pred(0), target(0))).loss), "the mean of nothing");
    assert.is((await run(pred(0), target(0), each)).loss.length, 0);
    const plain = await run(pred(5), target(5), each);
    same((await run(pred(5), target(5), { ...each, avgFactor: 7 })).loss, plain.loss);
    const weight = { data: Float32Array.of(0, 1, 2, 3, 4), dims: [5, 1] };
    const weighed = await run(pred(5), target(5), { ...each, weight });
    close(weighed.loss, plain.loss.map((v, i) => v * weight.data[byRow ? i : i >> 2]), 1e-5);
    await rejects(
      run(pred(5), target(5), { weight: { data: weight.data, dims: [1, 5] } }),
      TypeError,
      "options.weight",
    );
  });
}

for (const operation of ofKind("box loss")) {
  const { name, bounds } = operation;
  const limits = [bounds.loss.webgpu, bounds.gradient.webgpu] as const;
  const of = () => {
    shaderOf(operation);
    return referenceOf<BoxReference>(operation);
  };
  const wanted = (pred: Float32Array, target: Float32Array, options: Options = {}) => {
    const { reference } = of();
    const all = { ...requiredOf(operation), ...options };
    return (i: number): BoxLoss => {
      return reference(pred.subarray(4 * i, 4 * i + 4), target.subarray(4 * i, 4 * i + 4), all);
    };
  };

  test(`${name}: random pairs, special boxes, every option, and finite results`, async () => {
    const run = lossOf(name);
    for (const options of settingsOf(of()).filter((options) => !("eps" in options))) {
      for (const [what, pred, target] of pairs(103, 600)) {
        const found = await run(pred, target, { ...options, ...each });
        checkBoxes(found, wanted(pred, target, options), pred, `${what}, ${JSON.stringify(options)}`, 0, limits);
      }
    }
    const [pred, target] = product(SPECIAL);
    checkBoxes(await run(pred, target, each), wanted(pred, target), pred, "special", 1e-2, limits);
    const [eps] = withEps(operation, [Math.fround(0.01)]);
    checkBoxes(await run(pred, target, { ...each, ...eps }), wanted(pred, target, eps), pred, "eps", 1, limits);
    const [far, others] = product(EXTREME);
    for (const options of withEps(operation, [1e-7, 0, 1e30])) {
      const { loss, grad } = await run(far, others, { ...options, ...each });
      loss.forEach((value, i) => assert.ok(Number.isFinite(value) && value > -1e-6, `value ${i} is ${value}`));
      grad.forEach((value, i) => assert.ok(Number.isFinite(value), `gradient ${i} is ${value}`));
    }
  });

  test(`${name}: the worst that a search finds is within the bound`, async () => {
    const run = (pred: Float32Array, target: Float32Array) => lossOf(name)(pred, target, each);
    const { reference, file } = of();
    const options = { ...requiredOf(operation), eps: Math.fround(1e-7) };
    for (const k of [0, 1] as const) {
      const size = { width: 200, rounds: times(12) };
      const terms = (pred: ArrayLike<number>, target: ArrayLike<number>) => file.terms?.(pred, target, options) ?? [];
      const search = boxSearch(k, limits[k], run, (p, t) => reference(p, t, options), size, terms);
      const known = Math.max(...await search.errors(FOUND));
      assert.ok(known <= 1, `${known} of the bound on a known pair`);
      const { error, input } = await worstOf(search, random(110));
      assert.ok(error > 0.01 && error <= 1, `${k === 0 ? "value" : "gradient"}: ${error} of ${limits[k]} at ${input}`);
    }
  });

  test(`${name}: boxes of any size have the values of WASM, infinite ones too`, async () => {
    // Sides under 1e-3 would be denormals beside the largest numbers, which a device may take for 0.
    const list = [...EXTREME, [-Infinity, 0, Infinity, 10], [0, 0, Infinity, Infinity], [Infinity, 5, Infinity, 6]];
    const [pred, target] = product(list.filter((box) => box.every((v) => v === 0 || Math.abs(v) > 1e-3)));
    const found = await lossOf(name)(pred, target, each);
    const wanted = lossOf(name, engine?.sync)(pred, target, each) as unknown as Both;
    wanted.loss.forEach((value, i) => {
      // Inverted boxes far apart have their bound at 1e27, and offsets of their own.
      const proper = [pred, target].every((boxes) =>
        boxes[4 * i] <= boxes[4 * i + 2] && boxes[4 * i + 1] <= boxes[4 * i + 3]
      );
      const what = `${pred.subarray(4 * i, 4 * i + 4)} on ${target.subarray(4 * i, 4 * i + 4)}`;
      if (proper) close([found.loss[i]], [value], limits[0] * Math.max(1, value), what);
      assert.ok([found.loss[i], ...found.grad.subarray(4 * i, 4 * i + 4)].every(Number.isFinite), what);
    });
  });

  test(`${name}: NaN stays alone; reductions and weights`, async () => {
    const run = lossOf(name);
    const [, pred, target] = pairs(107, 600)[1];
    const weight = floats(600, (i) => i % 3);
    const { loss, grad } = await run(pred, target, each);
    const weighed = await run(pred, target, { ...each, weight, lossWeight: 3 });
    close(weighed.loss, loss.map((v, i) => v * weight[i] * 3), 2e-6);
    close(weighed.grad, grad.map((v, i) => v * weight[i >> 2] * 3), 1e-6 * largest(grad) * 6);
    const total = loss.reduce((sum, v, i) => sum + v * weight[i], 0);
    nearSum((await run(pred, target, { weight, avgFactor: 50 })).loss, total / 50, "mean");
    for (let at = 0; at < 8; at++) {
      const [p, t] = [pred.slice(), target.slice()];
      (at < 4 ? p : t)[20 * 4 + at % 4] = NaN;
      const found = await run(p, t, each);
      same(found.loss, loss.map((v, i) => i === 20 ? NaN : v));
      same(found.grad, grad.map((v, i) => i >> 2 === 20 ? NaN : v));
    }
  });
}

for (const operation of ofKind("row loss")) {
  const { name, bounds } = operation;
  const of = () => {
    shaderOf(operation);
    return referenceOf<RowReference>(operation);
  };

  test(`${name}: columns, every option, hard logits`, async () => {
    const c = of();
    const r = random(180);
    const check = async (
      pred: Float32Array<ArrayBuffer>,
      shareOf: (row: number) => number,
      columns: number,
      options: Options = {},
    ) => {
      const rows = pred.length / columns;
      const target = floats(rows, (row) => c.file.targetAt(shareOf(row), columns, options));
      const got = await lossOf(name)({ data: pred, dims: [rows, columns] }, target, { ...options, ...each });
      target.forEach((y, row) => {
        const wanted = c.reference(pred.subarray(row * columns, (row + 1) * columns), y, options);
        const what = `${columns} columns, row ${row}`;
        close([got.loss[row]], [Math.fround(wanted.value)], bounds.loss.webgpu * Math.max(1, wanted.value), what);
        const grad = got.grad.subarray(row * columns, (row + 1) * columns);
        close(grad, wanted.grad, bounds.gradient.webgpu, `${what}, gradient`);
      });
    };
    for (const [columns, rows] of [[2, 1], [7, 300], [16, 33], [17, 257], [64, 5]]) {
      await check(floats(rows * columns, () => r.normal() * 3), (i) => i % 4 === 0 ? 1 : r.uniform(), columns);
    }
    for (const options of settingsOf(c)) await check(floats(72, () => r.normal()), () => r.uniform(), 8, options);
    const hard = Float32Array.from([...HARD_ROWS, [NaN, 0, 0, 0]].flat());
    for (const share of [0, 1 / 6, 1 / 3, 0.75, 1]) await check(hard, () => share, 4);
    for (const share of [0, 1 / 12, 0.5, 1]) await check(extremes(), () => share, 4);
    for (const columns of [2, 17, 64]) await check(sweep(columns), (i) => (i % 7) / 6, columns);
  });

  test(`${name}: the worst that a search finds`, async () => {
    const { reference, file } = of();
    const r = random(181);
    for (const columns of walk([2, 17, 64])) {
      const worst = await worstError(r, columns, async (pred) => {
        const rows = pred.length / columns;
        const target = floats(rows, () => {
          return file.targetAt(r.integer(3) === 0 ? r.integer(columns) / (columns - 1) : r.uniform(), columns, {});
        });
        const got = await lossOf(name)({ data: pred, dims: [rows, columns] }, target, each);
        return Array.from(target, (y, row) => {
          const wanted = reference(pred.subarray(row * columns, (row + 1) * columns), y, {});
          const slopes = wanted.grad.map((slope, i) => Math.abs(got.grad[row * columns + i] - slope));
          const error = Math.abs(got.loss[row] - wanted.value) / Math.max(1, wanted.value);
          return Math.max(error / bounds.loss.webgpu, Math.max(...slopes) / bounds.gradient.webgpu);
        });
      });
      assert.ok(worst <= 1, `${columns} columns: ${worst} of the bounds`);
    }
  });
}

test("distributionFocalLoss: a loss near 0, and no weight of an infinite loss", async () => {
  const sure = { data: Float32Array.of(25, 0, 0, 0), dims: [1, 4] };
  const { loss } = await lossOf("distributionFocalLoss")(sure, Float32Array.of(0));
  nearSum(loss, Math.log1p(3 * Math.exp(-25)), "a loss near 0");
  const weighted = await lossOf("distributionFocalLoss")(
    { data: Float32Array.of(0, Infinity, 1, 0), dims: [2, 2] },
    new Float32Array(2),
    { ...each, weight: Float32Array.of(0, 1) },
  );
  close(weighted.loss, [0, Math.log1p(Math.exp(-1))], BOUND);
});

test("distributionFocalLoss: a target that is no number is told as on WASM, also of a tensor on the GPU", async (device) => {
  const pred = { data: new Float32Array(10), dims: [5, 2] };
  for (const value of [NaN, Infinity, -Infinity]) {
    const target = Float32Array.of(0, 1, 0.5, value, 1);
    const wanted = ["distributionFocalLoss", "target[3]", String(value), "0 to 1"];
    throws(() => engine?.sync.distributionFocalLoss(pred, target), RangeError, ...wanted);
    await rejects(lossOf("distributionFocalLoss")(pred, target), RangeError, ...wanted);
    const onGpu = { gpuBuffer: bufferOf(device, target), dims: [5] };
    await rejects(lossOf("distributionFocalLoss")(pred, onGpu), RangeError, "target[3]", "outside the bins", "0 to 1");
  }
});

test("reductions through subgroups are those without", async () => {
  if (!hasSubgroups) return skip("WebGPU: no subgroups");
  const r = random(190);
  const grouped = await newDevice(["subgroups"]);
  using fast = await createEngine({ device: "webgpu", gpuDevice: asHardware(grouped) });
  const agree = async (name: string, pred: TensorLike, target: TensorLike, what: string) => {
    for (const options of [{ reduction: "sum" }, { grad: true }]) {
      const wanted = await lossOf(name)(pred, target, options);
      const got = await lossOf(name, fast)(pred, target, options);
      nearSum(got.loss, wanted.loss as unknown as number, `${name}, ${what}`);
      if (wanted.grad !== undefined) close(got.grad, wanted.grad, BOUND);
    }
  };
  // Sums are a family's, whatever the loss: every length with one of them, one length with the others.
  for (const length of walk([1, 3, 4, 255, 1027, 4096, 4097, 70000])) {
    const x = floats(length, () => r.normal() * 4);
    const y = floats(length, () => r.integer(2));
    const some = ofKind("element loss").slice(0, length === 1027 ? Infinity : 1);
    for (const { name } of some) await agree(name, x, y, `${length} elements`);
  }
  const [, pred, target] = pairs(191, 600)[1];
  for (const { name } of ofKind("box loss").slice(0, 2)) await agree(name, pred, target, "600 pairs");
  const rows = { data: floats(500 * 16, () => r.normal() * 3), dims: [500, 16] };
  const labels = floats(500, () => r.uniform(0, 15));
  await agree("distributionFocalLoss", rows, { data: labels, dims: [500] }, "500 rows");
  grouped.destroy();
});

test("half bits on rows and boxes are the floats they stand for", async () => {
  const r = random(192);
  const bits = Uint16Array.from({ length: 4 * 303 }, () => 0x3f00 + 0x40 * r.integer(20)); // 1.75 to 6.75
  const values = Float32Array.from(bits, (word) => 2 ** ((word >> 10) - 15) * (1 + (word & 0x3ff) / 1024));
  const others = floats(4 * 303, () => r.uniform(1, 8));
  for (const { name } of ofKind("box loss")) {
    const wanted = await lossOf(name)(values, others, each);
    const got = await lossOf(name)({ data: bits, dims: [303, 4] }, { data: others, dims: [303, 4] }, each);
    same(got.loss, wanted.loss);
    same(got.grad, wanted.grad);
  }
  for (const bins of [3, 4]) {
    const dims = [303, bins];
    const target = floats(303, () => r.uniform(0, bins - 1));
    const wanted = await lossOf("distributionFocalLoss")({ data: values.slice(0, 303 * bins), dims }, target, each);
    const got = await lossOf("distributionFocalLoss")({ data: bits.slice(0, 303 * bins), dims }, target, each);
    same(got.loss, wanted.loss);
    same(got.grad, wanted.grad);
  }
});

tests.run();
