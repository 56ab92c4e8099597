/** Labels of varifocalLoss, whose own elements may be positives of quality 0. */
import { createEngine, type VarifocalOptions } from "densehead";
import { suite } from "uvu";
import { close, same, throws } from "../compare.ts";
import { type ElementReference, referenceOf, settingsOf } from "../conformance.ts";
import { floats, random } from "../random.ts";
import { varifocalLoss } from "../reference/varifocal_loss.ts";
import { operations } from "../../src/registry.ts";

const test = suite("varifocalLoss");
const { sync } = await createEngine();
const c = referenceOf<ElementReference>(operations.varifocalLoss);

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
    for (const options of settingsOf(c).filter((each) => !("positives" in each))) {
      const found = Array.from(data, (x, i) => {
        const q = own(i) ? scores[Math.floor(i / classes)] : 0;
        return varifocalLoss(x, q, { ...options, positive: own(i) });
      });
      const sums = floats(
        rows,
        (row) => found.slice(row * classes, (row + 1) * classes).reduce((sum, { value }) => sum + value, 0),
      );
      const target = { labels, scores };
      const each = sync.varifocalLoss({ data, dims: [rows, classes] }, target, { ...options, reduction: "none" });
      sums.forEach((sum, row) => close([each.loss[row]], [sum], 2.4e-6 * sum + 1e-36, `row ${row}`));
      const sum = sync.varifocalLoss({ data, dims: [rows, classes] }, target, {
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

test.run();
