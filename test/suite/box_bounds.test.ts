/** The bounds that the documentation states for the box losses, on the worst pairs that a search finds. */
import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { documentedBounds } from "../bounds.ts";
import { type Both, check, EXTREME, product, rowOf, scaleOf } from "../box_cases.ts";
import { boxSearch, FOUND } from "../box_search.ts";
import { close, same } from "../compare.ts";
import { random } from "../random.ts";
import { ciouLoss } from "../reference/ciou_loss.ts";
import { diouLoss } from "../reference/diou_loss.ts";
import { eiouLoss } from "../reference/eiou_loss.ts";
import { giouLoss } from "../reference/giou_loss.ts";
import { iouLoss } from "../reference/iou_loss.ts";
import { siouLoss } from "../reference/siou_loss.ts";
import { worstOf } from "../search.ts";
import { note } from "./notes.ts";

const test = suite("bounds of the box losses");
const { sync } = await createEngine();
const LOSSES = { iouLoss, giouLoss, diouLoss, ciouLoss, eiouLoss, siouLoss };
const each = { reduction: "none", grad: true } as const;
/** As the kernels have it: two terms may differ by less than what rounding makes of it. */
const EPS = Math.fround(1e-7);

for (const [name, reference] of Object.entries(LOSSES)) {
  const run = (pred: Float32Array, target: Float32Array, eps?: number) =>
    sync[name as keyof typeof LOSSES](pred, target, { ...each, eps }) as Both;
  const wanted = (pred: Float32Array, target: Float32Array, eps = EPS) => (i: number) =>
    reference(rowOf(pred, i), rowOf(target, i), eps);

  for (const [k, part] of (["value", "gradient"] as const).entries()) {
    test(`${name}: the worst ${part} that a search finds is within its bound`, async () => {
      const bounds = documentedBounds(name);
      assert.is(bounds.length, 2, "bounds of value and gradient");
      const search = boxSearch(k as 0 | 1, bounds[k], run, (p, t) => reference(p, t, EPS), {
        width: 200,
        rounds: 24,
      });
      const known = Math.max(...await search.errors(FOUND));
      assert.ok(known <= 1, `${known} of the bound on a known pair`);
      const { error, input } = await worstOf(search, random(20));
      assert.ok(error > 0.05 && error <= 1, `${error} of ${bounds[k]} at ${input}`);
      note(`${name.padEnd(8)} ${part.padEnd(8)} ${error.toFixed(2)} of ${bounds[k]}`);
    });
  }

  test(`${name}: boxes of 1e-40 to 3e38 have the values of float64`, () => {
    const [pred, target] = product(EXTREME);
    for (const eps of [1e-7, 1e-30, 1e30]) {
      const { loss } = run(pred, target, eps);
      loss.forEach((value, i) => {
        const right = Math.min(wanted(pred, target, Math.fround(eps))(i).value, 2 ** 128 - 2 ** 104);
        close([value], [right], 1e-6 * Math.max(1, right), `eps ${eps}: ${rowOf(pred, i)} on ${rowOf(target, i)}`);
      });
    }
  });

  test(`${name}: long boxes of any size have the gradients of their likes`, () => {
    // Axes that differ by 2^90: what one says of x does not depend on the size of y.
    const pred = Float32Array.of(0, 0, 10, 1e30, 1, 3e29, 9, 1e30, 0, 0, 1e30, 10, -1e30, 5, 1e30, 6);
    const target = Float32Array.of(0, 0, 8, 1e30, 0, 0, 8, 1e30, 1e29, 2, 9e29, 11, -1e30, 4, 5e29, 6);
    const found = run(pred, target);
    check(found, wanted(pred, target), pred, "long");
    for (let i = 0; i < 4; i++) {
      const { grad } = wanted(pred, target)(i);
      for (const axis of [0, 1]) {
        // Each axis by its own scale.
        const [low, high] = [grad[axis], grad[axis + 2]];
        const scale = Math.max(Math.abs(low), Math.abs(high));
        close(
          [found.grad[4 * i + axis], found.grad[4 * i + axis + 2]],
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
    const found = run(some, others);
    const likes = run(finite(some), finite(others));
    close(found.loss, likes.loss, 0);
    close(found.grad, likes.grad, 0);
    assert.ok([...found.loss, ...found.grad].every(Number.isFinite));
  });

  test(`${name}: inverted boxes far apart, and a value that does not depend on the gradient`, () => {
    const pred = Float32Array.of(9e17, 9e17, 8e17, 8e17, 3e18, 0, -3e18, 1, 50, 60, 10, 20, 300, 8, 100, 40);
    const target = Float32Array.of(-9e17, 3, -8e17, 1, 5, 3e18, 9, 2e18, 900, 20, 700, 10, 3, 90, 1, 20);
    const found = run(pred, target);
    for (let i = 0; i < 4; i++) {
      const { value, grad } = wanted(pred, target)(i);
      const right = Math.min(value, 2 ** 128 - 2 ** 104);
      close([found.loss[i]], [right], 1e-6 * Math.max(1, right), `value of ${i}`);
      close(rowOf(found.grad, i), grad, 1e-6 * scaleOf(rowOf(pred, i), grad), `gradient of ${i}`);
    }
    const [some, others] = product(EXTREME);
    same(sync[name as keyof typeof LOSSES](some, others, { reduction: "none" }).loss, run(some, others).loss);
  });
}

test.run();
