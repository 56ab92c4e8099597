/** What the options that all losses share mean, for every loss. */
import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close, same, throws } from "../compare.ts";
import { type AnyLoss, LOSS_CALLS } from "../loss_calls.ts";

const test = suite("options of all losses");
const { sync } = await createEngine();
const losses = sync as unknown as Record<string, AnyLoss>;

for (const { name, pred, target, byRow } of LOSS_CALLS) {
  const run = losses[name];
  const title = `${name}${"labels" in (target(1) as object) ? " by labels" : ""}`;

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
    if (["Iou", "iou", "distribution"].some((part) => name.includes(part))) {
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

  test(`${title}: a weight or a factor of 0 makes the loss 0`, () => {
    const zeros = run(pred(40), target(40), { weight: new Float32Array(40), grad: true });
    assert.is(zeros.loss, 0);
    assert.ok(zeros.grad?.every((v) => v === 0));
    assert.is(run(pred(40), target(40), { lossWeight: 0 }).loss, 0);
    const each = run(pred(40), target(40), { lossWeight: 0, reduction: "none", grad: true });
    assert.ok([...each.loss as Float32Array, ...each.grad as Float32Array].every((v) => v === 0));
  });
}

test("an infinite loss of weight 0 is 0, NaN stays", () => {
  const data = Float32Array.of(Infinity, 1, -Infinity, 2, NaN, 0);
  const pred = { data, dims: [3, 2] };
  const dense = { data: Float32Array.of(0, 0, 1, 0, 0, 0), dims: [3, 2] };
  const labels = { labels: Int32Array.of(-1, 0, 1) };
  const weights = [
    { data: Float32Array.of(0, 1, 0, 1, 0, 1), dims: [3, 2] },
    { data: Float32Array.of(0, 0, 0), dims: [3] },
  ];
  for (const name of ["binaryCrossEntropyWithLogits", "sigmoidFocalLoss", "qualityFocalLoss", "varifocalLoss"]) {
    for (const weight of weights) {
      const each = losses[name](pred, dense, { reduction: "none", weight, grad: true });
      assert.equal([...each.loss as Float32Array].filter((_, i) => i % 2 === 0), [0, 0, NaN], name);
      assert.equal([...each.grad as Float32Array].map(Math.abs).filter((_, i) => i % 2 === 0), [0, 0, NaN]);
      const rows = losses[name](pred, labels, { reduction: "none", weight }).loss as Float32Array;
      assert.ok(rows[0] < 10 && rows[1] < 10 && Number.isNaN(rows[2]), `${name}: ${rows}`);
      const finite = { data: data.map((v) => Number.isNaN(v) ? 0 : v), dims: [3, 2] };
      for (const target of [dense, labels]) {
        assert.ok(losses[name](finite, target, { reduction: "sum", weight }).loss as number < 30, name);
        assert.is(losses[name](finite, target, { reduction: "sum", lossWeight: 0 }).loss, 0);
        assert.ok(Number.isNaN(losses[name](pred, target, { reduction: "sum", lossWeight: 0 }).loss));
      }
    }
  }
});

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

test.run();
