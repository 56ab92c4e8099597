/** Labels of matchabilityAwareLoss: scores of 0, and scores that are raised once however the call is cut. */
import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close, same } from "../compare.ts";
import { floats, random } from "../random.ts";
import { matchabilityAwareLoss } from "../reference/matchability_aware_loss.ts";

const test = suite("matchabilityAwareLoss");
const { sync } = await createEngine();
const each = { reduction: "none", grad: true } as const;

test("a label of score 0 is a positive, a dense 0 is not", () => {
  for (const gamma of [0, 0.7, 1, 1.5, 2]) {
    const pred = { data: Float32Array.of(1, -2), dims: [2, 1] };
    const byLabel = sync.matchabilityAwareLoss(pred, { labels: new Int32Array(2), scores: new Float32Array(2) }, {
      ...each,
      gamma,
    });
    const positives = [1, -2].map((x) => matchabilityAwareLoss(x, 0, { gamma, positive: true }));
    close(byLabel.loss, positives.map(({ value }) => value), 3e-7);
    close(byLabel.grad, positives.map(({ grad }) => grad), 3e-7);
    const dense = sync.matchabilityAwareLoss(pred, new Float32Array(2), { ...each, gamma });
    const negatives = [1, -2].map((x) => matchabilityAwareLoss(x, 0, { gamma }));
    close(dense.loss, negatives.map(({ value }) => value), 3e-7);
  }
});

test("any quality over 0 is a positive's, and NaN stays NaN, where the exponent has a path of its own and elsewhere", () => {
  for (const gamma of [1.4, 1.5]) {
    const target = Float32Array.of(1e-38, 1e-20, 0, 0.3, NaN, 1);
    const pred = floats(6, () => 1);
    const { loss } = sync.matchabilityAwareLoss(pred, target, { reduction: "none", gamma });
    const wanted = target.map((q) => Number.isNaN(q) ? NaN : matchabilityAwareLoss(1, q, { gamma }).value);
    close(loss, wanted, 4e-7);
  }
});

test("scores are raised once where memory is short and a row is cut, and the caller's stay as they are", async () => {
  const small = await createEngine({ maxMemory: 512 * 1024 });
  const r = random(90);
  for (const [rows, classes] of [[3, 50_000], [40, 3001], [20_000, 3]]) {
    const pred = { data: floats(rows * classes, () => r.normal() * 3), dims: [rows, classes] };
    const labels = Int32Array.from({ length: rows }, () => r.integer(classes + 1) - 1);
    const scores = floats(rows, () => r.uniform());
    const before = scores.slice();
    const found = sync.matchabilityAwareLoss(pred, { labels, scores }, each);
    same(small.sync.matchabilityAwareLoss(pred, { labels, scores }, each).grad, found.grad);
    same(scores, before);
    labels.forEach((label, row) => {
      if (label < 0) return;
      const at = row * classes + label;
      const { grad } = matchabilityAwareLoss(pred.data[at], scores[row]);
      assert.ok(Math.abs(found.grad[at] - grad) < 4e-7, `row ${row}: ${found.grad[at]}, wanted ${grad}`);
    });
  }
});

test.run();
