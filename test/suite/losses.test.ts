/** What the losses share: options for every loss; memory, sums, properties and errors on one of them. */
// kinds: element loss, row loss, box loss
import fc from "fast-check";
import { createEngine, type LossOptions } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Params } from "../../src/params.ts";
import { operations } from "../../src/registry.ts";
import { close, same, throws } from "../compare.ts";
import { type AnyLoss, LOSS_CALLS, lossIn } from "../loss_calls.ts";
import { floats, random } from "../random.ts";
import { qualityFocalLoss } from "../reference/quality_focal_loss.ts";

const test = suite("losses");
const engine = await createEngine();
const { sync } = engine;
const losses = sync as unknown as Record<string, AnyLoss>;

/** Values that parameters refuse, each with its error. */
function wrongOptions(params: Params): [param: string, wrong: unknown, kind: ErrorConstructor][] {
  return Object.entries(params).flatMap(([param, { kind, min, max, over }]) => {
    if (kind === "other") return [];
    if (kind !== "number" && kind !== "integer") return [[param, "nothing", TypeError]];
    const outside = [over, min === undefined ? min : min - 1, max === undefined ? max : max * 2];
    // Next to the largest number there is none.
    const isOutside = (value: number) => value === over || value < (min ?? -Infinity) || value > (max ?? Infinity);
    const numbers = [
      NaN,
      ...outside.filter((value) => value !== undefined && Number.isFinite(value) && isOutside(value)),
    ];
    return [
      [param, "nothing", TypeError],
      ...numbers.map((value): [string, unknown, ErrorConstructor] => {
        return [param, value, RangeError];
      }),
    ];
  });
}

for (const call of LOSS_CALLS) {
  const { name, title, pred, target, byRow, elementWeights } = call;
  const run = lossIn<AnyLoss>(losses, call);

  test(`${title}: nothing costs nothing`, () => {
    for (const bare of [false, true]) {
      const none = bare ? new Float32Array(0) : pred(0);
      const own = target(0) as { data?: Float32Array; labels?: Int32Array };
      const of = bare && own.labels === undefined ? new Float32Array(0) : own;
      assert.is(run(none, of, { reduction: "sum" }).loss, 0);
      assert.is(run(none, of, { avgFactor: 3, lossWeight: 2 }).loss, 0);
      assert.ok(Number.isNaN(run(none, of).loss), "the mean of nothing");
      const each = run(none, of, { reduction: "none", grad: true, weight: new Float32Array(0) });
      assert.equal([(each.loss as Float32Array).length, each.grad?.length], [0, 0]);
      const sum = run(none, of, { reduction: "sum", grad: true });
      assert.equal([sum.loss, sum.grad?.length], [0, 0]);
    }
  });

  test(`${title}: "none" knows no avgFactor, and that of a mean must be over 0`, () => {
    const options = { reduction: "none", grad: true } as const;
    const plain = run(pred(5), target(5), options);
    for (const avgFactor of [0.5, 7]) {
      const got = run(pred(5), target(5), { ...options, avgFactor });
      same(got.loss as Float32Array, plain.loss as Float32Array);
      same(got.grad as Float32Array, plain.grad as Float32Array);
    }
    throws(() => run(pred(5), target(5), { avgFactor: 0 }), RangeError, name, "options.avgFactor");
    throws(() => run(pred(5), target(5), { avgFactor: 2, reduction: "sum" }), TypeError, name, "options.avgFactor");
  });

  test(`${title}: a weight has the shape of the elements or of the rows`, () => {
    const rows = 4; // As many as columns.
    const weight = Float32Array.of(1, 2, 3, 4);
    const run4 = (given: unknown) => run(pred(rows), target(rows), { reduction: "none", grad: true, weight: given });
    const wanted = run4(weight);
    const plain = run(pred(rows), target(rows), { reduction: "none" }).loss as Float32Array;
    close(wanted.loss as Float32Array, plain.map((v, i) => v * weight[byRow ? i : i >> 2]), 1e-6);
    for (const dims of [[4], [4, 1]]) {
      const got = run4({ data: weight, dims });
      same(got.loss as Float32Array, wanted.loss as Float32Array);
      same(got.grad as Float32Array, wanted.grad as Float32Array);
    }
    for (const dims of [[1, 4], [2, 2], [4, 1, 1], [1, 1, 4]]) {
      const shape = `(${dims.join(", ")})`;
      throws(
        () => run4({ data: weight, dims }),
        TypeError,
        name,
        "options.weight",
        shape,
        "one per row",
        "(4) or (4, 1)",
      );
    }
    const perElement = Float32Array.from({ length: 16 }, (_, i) => i % 5);
    if (!elementWeights) {
      throws(
        () => run4({ data: perElement, dims: [4, 4] }),
        TypeError,
        name,
        "options.weight",
        "(4, 4)",
        "one per row",
      );
    } else {
      const bare = run4(perElement);
      same(run4({ data: perElement, dims: [4, 4] }).grad as Float32Array, bare.grad as Float32Array);
      for (const dims of [[2, 8], [4, 4, 1], [4, 2, 2]]) {
        const parts = ["options.weight", `(${dims.join(", ")})`, "one per element", "(4, 4) or (16)", "(4, 1)"];
        throws(() => run4({ data: perElement, dims }), TypeError, name, ...parts);
      }
    }
  });

  test(`${title}: options outside their ranges or of another kind are refused`, () => {
    for (const [param, wrong, kind] of wrongOptions(operations[name].params)) {
      const call = () => run(pred(5), target(5), { [param]: wrong });
      throws(call, kind, name, `options.${param}`, String(wrong));
    }
  });

  test(`${title}: a weight or a factor of 0 makes the loss 0`, () => {
    const zeros = run(pred(40), target(40), { weight: new Float32Array(40), grad: true });
    assert.is(zeros.loss, 0);
    assert.ok(zeros.grad?.every((v) => v === 0));
    assert.is(run(pred(40), target(40), { lossWeight: 0 }).loss, 0);
    const each = run(pred(40), target(40), { lossWeight: 0, reduction: "none", grad: true });
    assert.ok([...each.loss as Float32Array, ...each.grad as Float32Array].every((v) => v === 0));
  });
}

test("weights of 3-D predictions, and of bare ones by labels", () => {
  const pred = { data: Float32Array.from({ length: 24 }, (_, i) => i / 8 - 1), dims: [2, 3, 4] };
  const target = { data: pred.data.map((v) => v > 0 ? 1 : 0), dims: pred.dims };
  const weight = Float32Array.of(1, 2, 3, 4, 5, 6);
  const wanted = losses.qualityFocalLoss(pred, target, { weight }).loss;
  for (const dims of [[6], [2, 3], [2, 3, 1]]) {
    assert.is(losses.qualityFocalLoss(pred, target, { weight: { data: weight, dims } }).loss, wanted);
  }
  for (const dims of [[3, 2], [1, 6], [6, 1], [2, 1, 3]]) {
    const call = () => losses.qualityFocalLoss(pred, target, { weight: { data: weight, dims } });
    throws(call, TypeError, "options.weight", "(2, 3, 4) or (24) or (6) or (2, 3) or (2, 3, 1)");
  }
  const labels = { labels: Int32Array.of(0, 1, -1, 2, 3, 0) };
  for (const dims of [[6], [6, 1]]) {
    losses.qualityFocalLoss(pred.data, labels, { weight: { data: weight, dims } });
  }
  losses.qualityFocalLoss(pred.data, labels, { weight: { data: pred.data, dims: [6, 4] } });
  const wrong = () => losses.qualityFocalLoss(pred.data, labels, { weight: { data: pred.data, dims: [4, 6] } });
  throws(wrong, TypeError, "options.weight", "(4, 6)", "(6, 4)");
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
  const labels = Int32Array.of(0, 1);
  const bad = { labels, scores: Float32Array.of(0.5, 1.5) };
  throws(() => sync.qualityFocalLoss(x, bad), RangeError, "target.scores[1]", "1.5");
  throws(() => sync.qualityFocalLoss(x, { labels: Int32Array.of(1) }), TypeError, "target.labels", "Int32Array(2)");
  // @ts-expect-error a loss without labels
  throws(() => sync.qualityFocalLoss(x, { label: labels } as never), TypeError, "target.label is", "mean labels?");
  throws(() => sync.qualityFocalLoss(x, [0, 1] as never), TypeError, "target is an array of 2");
  close(sync.qualityFocalLoss(x, { labels }, { reduction: "none" }).loss, [0.75 * Math.LN2, 0.75 * Math.LN2], 1e-7);
  close([sync.binaryCrossEntropyWithLogits(x, y).loss], [Math.LN2], 1e-7);
});

test.run();
