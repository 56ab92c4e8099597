import { createEngine, type TensorLike } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Found, type Pairs, search } from "../classification_bounds.ts";
import { CASES } from "../classification_cases.ts";
import { close, same } from "../compare.ts";
import { random } from "../random.ts";
import { note } from "./notes.ts";

const test = suite("bounds of the classification losses");
const { sync } = await createEngine();

const ROUNDS = 9;
const each = { reduction: "none", grad: true } as const;

type Run = (pred: TensorLike, target: unknown, options: object) => Found;

for (const c of CASES) {
  const run = (sync as unknown as Record<string, Run>)[c.name];

  test(`${c.name}: the worst case that is found keeps its bounds, dense, by labels and in sums`, async () => {
    let worst = 0;
    for (const options of c.settings) {
      const ways = [
        ({ x, y }: Pairs) => run(x, y, { ...options, ...each }),
        ({ x, y }: Pairs) => {
          const labels = Int32Array.from(y, (v) => v === 0 ? -1 : 0);
          return run({ data: x, dims: [x.length, 1] }, { labels, scores: y }, { ...options, ...each });
        },
        ({ x, y }: Pairs) => {
          const { loss } = run(x, y, { ...options, ...each });
          return { loss, grad: run(x, y, { ...options, reduction: "sum", grad: true }).grad };
        },
      ].slice(0, c.name === "generalizedFocalLoss" ? 1 : 3);
      worst = Math.max(worst, await search(c, options, ROUNDS, (pairs, round) => ways[round % ways.length](pairs)));
    }
    note(`${c.name}: the worst case takes ${(worst * 100).toFixed(0)} % of its bound`);
    assert.ok(worst > 0.1, "a search that finds nothing");
  });
}

test("targets at half of a logit of 0 lose nothing", () => {
  const y = Float32Array.of(0.4999999, 0.5 - 2 ** -25, 0.3, 0.123456, 1e-9, 0.50000006, 0.7);
  for (const x of [0, -0]) {
    const { grad } = sync.binaryCrossEntropyWithLogits(y.map(() => x), y, each);
    same(grad, y.map((v) => 0.5 - v));
  }
});

test("a sum over rows whose labels are certain keeps its digits", () => {
  const r = random(701);
  const rows = 4096;
  const x = Float32Array.from({ length: rows }, () => r.uniform(8, 12));
  const pred = { data: x, dims: [rows, 1] };
  const labels = new Int32Array(rows);
  for (const c of CASES.slice(0, 4)) {
    const run = (sync as unknown as Record<string, (...args: unknown[]) => { loss: number }>)[c.name];
    const wanted = x.reduce((sum, v) => sum + c.reference(v, 1, {}).value, 0);
    close([run(pred, { labels }, { reduction: "sum" }).loss], [wanted], 1e-6 * wanted, c.name);
  }
});

test.run();
