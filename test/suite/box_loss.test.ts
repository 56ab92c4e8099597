import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { BoxLossOptions, LossOps, LossOptions, LossResult, Reduction, TensorLike } from "../../src/types.ts";
import { type Both, check, EXTREME, largest, pairs, product, rowOf, SPECIAL } from "../box_cases.ts";
import { close, same, throws } from "../compare.ts";
import ciouFixture from "../fixtures/ciou_loss.json" with { type: "json" };
import diouFixture from "../fixtures/diou_loss.json" with { type: "json" };
import eiouFixture from "../fixtures/eiou_loss.json" with { type: "json" };
import giouFixture from "../fixtures/giou_loss.json" with { type: "json" };
import iouFixture from "../fixtures/iou_loss.json" with { type: "json" };
import siouFixture from "../fixtures/siou_loss.json" with { type: "json" };
import { floats, random } from "../random.ts";
import type { BoxLoss } from "../reference/box_loss.ts";
import { ciouLoss } from "../reference/ciou_loss.ts";
import { diouLoss } from "../reference/diou_loss.ts";
import { eiouLoss } from "../reference/eiou_loss.ts";
import { giouLoss } from "../reference/giou_loss.ts";
import { iouLoss } from "../reference/iou_loss.ts";
import { siouLoss } from "../reference/siou_loss.ts";

const test = suite("box losses");
const engine = await createEngine();
const sync = engine.sync as unknown as LossOps<"sync">;

type Options = LossOptions & BoxLossOptions;
type Run = (
  losses: LossOps<"sync">,
  pred: TensorLike,
  target: TensorLike,
  options?: Options,
) => LossResult<Reduction, boolean>;

interface Case {
  readonly name: string;
  readonly run: Run;
  readonly reference: (pred: ArrayLike<number>, target: ArrayLike<number>, eps?: number) => BoxLoss;
  readonly fixture: unknown;
}

const cases: readonly Case[] = [
  {
    name: "iouLoss",
    run: (sync, pred, target, options) => sync.iouLoss(pred, target, options),
    reference: iouLoss,
    fixture: iouFixture,
  },
  {
    name: "giouLoss",
    run: (sync, pred, target, options) => sync.giouLoss(pred, target, options),
    reference: giouLoss,
    fixture: giouFixture,
  },
  {
    name: "diouLoss",
    run: (sync, pred, target, options) => sync.diouLoss(pred, target, options),
    reference: diouLoss,
    fixture: diouFixture,
  },
  {
    name: "ciouLoss",
    run: (sync, pred, target, options) => sync.ciouLoss(pred, target, options),
    reference: ciouLoss,
    fixture: ciouFixture,
  },
  {
    name: "eiouLoss",
    run: (sync, pred, target, options) => sync.eiouLoss(pred, target, options),
    reference: eiouLoss,
    fixture: eiouFixture,
  },
  {
    name: "siouLoss",
    run: (sync, pred, target, options) => sync.siouLoss(pred, target, options),
    reference: siouLoss,
    fixture: siouFixture,
  },
];

const each = { reduction: "none", grad: true } as const;
const both = (result: LossResult<Reduction, boolean>) => result as unknown as Both;
for (const { name, run, reference, fixture } of cases) {
  const wanted = (pred: Float32Array, target: Float32Array, eps?: number) => (i: number) =>
    reference(rowOf(pred, i), rowOf(target, i), eps);

  test(`${name}: 100 000 random pairs are within 1e-6`, () => {
    const worst = [0, 0];
    for (const [what, pred, target] of pairs(3, 20000)) {
      const found = check(both(run(sync, pred, target, each)), wanted(pred, target), pred, what);
      found.forEach((error, k) => worst[k] = Math.max(worst[k], error));
    }
    assert.ok(worst[0] > 0 && worst[1] > 0, `${worst}`);
  });

  test(`${name}: special boxes`, () => {
    const [pred, target] = product(SPECIAL);
    check(both(run(sync, pred, target, each)), wanted(pred, target), pred, "special", 1e-2);
    for (const eps of [1e-3, 1e-9]) {
      check(
        both(run(sync, pred, target, { ...each, eps })),
        wanted(pred, target, Math.fround(eps)),
        pred,
        `eps ${eps}`,
        1,
      );
    }
  });

  test(`${name}: what PyTorch finds`, () => {
    type Fixture = { options: BoxLossOptions; pred: number[]; target: number[]; value: number[]; grad: number[] };
    for (const { options, ...set } of fixture as Fixture[]) {
      const pred = Float32Array.from(set.pred);
      const found = both(run(sync, pred, Float32Array.from(set.target), { ...each, ...options }));
      assert.is(found.loss.length, set.value.length);
      const want = (i: number) => ({ value: set.value[i], grad: set.grad.slice(4 * i, 4 * i + 4) });
      check(found, want, pred, JSON.stringify(options));
    }
  });

  test(`${name}: finite for all finite boxes, with eps 0 too`, () => {
    const [pred, target] = product(EXTREME);
    for (const eps of [1e-7, 0, 1e-30, 1e30]) {
      const { loss, grad } = both(run(sync, pred, target, { ...each, eps }));
      loss.forEach((value, i) => assert.ok(Number.isFinite(value) && value > -1e-6, `value ${i} is ${value}`));
      grad.forEach((value, i) => assert.ok(Number.isFinite(value), `gradient ${i} is ${value}`));
    }
  });

  test(`${name}: boxes past float32's squares are as their smaller likes`, () => {
    const [, pred, target] = pairs(5, 100)[1];
    const small = both(run(sync, pred, target, { ...each, eps: 0 }));
    const factor = 2 ** 100;
    const large = both(run(sync, pred.map((v) => v * factor), target.map((v) => v * factor), { ...each, eps: 0 }));
    same(large.loss, small.loss);
    close(large.grad.map((v) => v * factor), small.grad, 1e-12);
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
    const few = small.sync as unknown as LossOps<"sync">;
    const all = pairs(11, 8200)[1];
    for (const n of [...Array(18).keys(), 511, 512, 513, 4095, 4096, 4097, 8191, 8200]) {
      const dims = [n, 4];
      const pred = all[1].slice(0, 4 * n);
      const target = all[2].slice(0, 4 * n);
      const { loss, grad } = both(run(sync, pred, target, each));
      if (n < 600) check({ loss, grad }, wanted(pred, target), pred, `${n} boxes`);
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
      const inputs: [LossOps<"sync">, TensorLike, TensorLike][] = [
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
    throws(() => run(sync, four, four, { eps: -1e-9 }), RangeError, name, "options.eps", "-1e-9");
    throws(() => run(sync, four, four, { eps: NaN }), RangeError, name, "options.eps", "NaN");
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
    // @ts-expect-error a name that is no reduction
    throws(() => run(sync, four, four, { reduction: "all" }), TypeError, name, "options.reduction", "all");
  });
}

test("the asynchronous face gives the same bits", async () => {
  const [, pred, target] = pairs(19, 100)[1];
  const losses = engine as unknown as LossOps<"async">;
  const found = both(await losses.giouLoss(pred, target, each));
  same(found.grad, both(sync.giouLoss(pred, target, each)).grad);
});

test.run();
