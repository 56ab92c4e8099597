/** Every row loss by its record: float64, lengths, hard values, memory, options, and its bounds. */
// kinds: row loss
import { createEngine, type TensorLike } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close, same } from "../compare.ts";
import { ofKind, type Options, referenceOf, type RowReference, settingsOf } from "../conformance.ts";
import { extremes, HARD_ROWS, sweep, worstError } from "../distribution_cases.ts";
import { floats, random } from "../random.ts";
import { engines } from "./builds.ts";
import { walk } from "./walk.ts";

const test = suite("row losses");
const engine = await createEngine();
const each = { reduction: "none", grad: true } as const;

interface Found {
  readonly loss: Float32Array;
  readonly grad: Float32Array;
}
type Run = (pred: TensorLike, target: TensorLike, options?: object) => Found;

function run(name: string, pred: TensorLike, target: TensorLike, options: object = {}, on: unknown = engine.sync) {
  return (on as Record<string, Run>)[name](pred, target, options);
}

/** Every row, with the share of the range of targets that each has. */
function check(
  { name, reference, file, operation: { bounds } }: RowReference,
  pred: Float32Array<ArrayBuffer>,
  shareOf: (row: number) => number,
  columns: number,
  options: Options = {},
): void {
  const rows = pred.length / columns;
  const target = floats(rows, (row) => file.targetAt(shareOf(row), columns, options));
  const { loss, grad } = run(name, { data: pred, dims: [rows, columns] }, target, { ...options, ...each });
  target.forEach((y, row) => {
    const wanted = reference(pred.subarray(row * columns, (row + 1) * columns), y, options);
    const what = `${columns} columns, row ${row}`;
    close([loss[row]], [Math.fround(wanted.value)], bounds.loss.wasm * Math.max(1, Math.abs(wanted.value)), what);
    const slopes = grad.subarray(row * columns, (row + 1) * columns);
    close(slopes, wanted.grad, bounds.gradient.wasm, `${what}, gradient`);
  });
}

for (const operation of ofKind("row loss")) {
  const { name, bounds } = operation;
  const of = () => referenceOf<RowReference>(operation);

  test(`${name}: every number of columns and option, lengths around every block`, () => {
    const c = of();
    const r = random(80);
    for (const columns of c.file.columns) {
      for (const rows of [0, 1, 2, 3, 5, 33]) {
        check(c, floats(rows * columns, () => r.normal() * 3), () => r.uniform(), columns);
      }
    }
    for (const rows of [15, 16, 17, 119, 120, 121, 127, 128, 129, 255, 257, 963, 964, 3000]) {
      check(c, floats(rows * 17, () => r.normal() * 3), () => r.uniform(), 17);
    }
    for (const options of settingsOf(c)) {
      // Whole columns too, and the last of them.
      check(c, floats(40 * 9, () => r.normal() * 2), (i) => i % 2 === 0 ? i % 9 / 8 : r.uniform(), 9, options);
    }
  });

  test(`${name}: saturated, huge and infinite logits`, () => {
    const c = of();
    for (const share of [0, 1 / 6, 1 / 3, 0.75, 1]) check(c, Float32Array.from(HARD_ROWS.flat()), () => share, 4);
    for (const columns of [2, 8, 16, 17, 33, 64].filter((columns) => c.file.columns.includes(columns))) {
      check(c, sweep(columns), (i) => (i % 7) / 6, columns);
    }
    for (const share of [0, 1 / 12, 0.5, 2 / 3, 1]) check(c, extremes(), () => share, 4);
  });

  test(`${name}: infinite logits have their limits, in each row of a group of four and in every length`, () => {
    const c = of();
    for (const columns of [8, 16, 33]) {
      for (const rows of walk([1, 2, 3, 4, 5, 16, 31, 32, 33, 34, 35, 36, 63, 64, 65, 96, 128])) {
        for (let spot = 0; spot < Math.min(rows, 8); spot++) {
          for (const value of [Infinity, -Infinity]) {
            const pred = floats(rows * columns, (i) => (i % 5) / 4);
            pred[spot * columns + 7] = value;
            check(c, pred, () => 0.5 / (columns - 1), columns);
            check(c, pred, () => 7 / (columns - 1), columns);
            pred.fill(value, spot * columns, (spot + 1) * columns);
            check(c, pred, () => 6.25 / (columns - 1), columns);
          }
        }
      }
    }
  });

  test(`${name}: the worst that a search finds is within its bounds, for every number of columns`, async () => {
    const { reference, file } = of();
    const r = random(85);
    const worst = { loss: 0, gradient: 0 };
    for (const columns of file.columns) {
      for (const member of ["loss", "gradient"] as const) {
        const error = await worstError(r, columns, (pred) => {
          const rows = pred.length / columns;
          const target = floats(rows, () => {
            const share = r.integer(3) === 0 ? r.integer(columns) / (columns - 1) : r.uniform();
            return file.targetAt(share, columns, {});
          });
          const found = engines.map(({ sync }) => run(name, { data: pred, dims: [rows, columns] }, target, each, sync));
          return Array.from(target, (y, row) => {
            const wanted = reference(pred.subarray(row * columns, (row + 1) * columns), y, {});
            return Math.max(...found.map(({ loss, grad }) => {
              if (member === "loss") return Math.abs(loss[row] - wanted.value) / Math.max(1, Math.abs(wanted.value));
              return Math.max(...wanted.grad.map((slope, i) => Math.abs(grad[row * columns + i] - slope)));
            }));
          });
        });
        worst[member] = Math.max(worst[member], error);
      }
    }
    for (const member of ["loss", "gradient"] as const) {
      assert.ok(worst[member] > 0 && worst[member] <= bounds[member].wasm, `${member}: ${worst[member]}`);
    }
  });

  test(`${name}: NaN stays in its row`, () => {
    const { file } = of();
    const r = random(82);
    const pred = floats(5 * 6, () => r.normal());
    pred[2 * 6 + 1] = NaN;
    const target = floats(5, (i) => file.targetAt((i + 1) / 5, 6, {}));
    const { loss, grad } = run(name, { data: pred, dims: [5, 6] }, target, each);
    assert.equal([...loss].flatMap((v, i) => Number.isNaN(v) ? [i] : []), [2]);
    assert.equal([...new Set([...grad].flatMap((v, i) => Number.isNaN(v) ? [Math.floor(i / 6)] : []))], [2]);
  });

  test(`${name}: reductions, weights, avgFactor, lossWeight, out`, () => {
    const { file } = of();
    const r = random(83);
    const rows = 300;
    const pred = { data: floats(rows * 16, () => r.normal() * 2), dims: [rows, 16] };
    const target = floats(rows, () => file.targetAt(r.uniform(), 16, {}));
    const weight = floats(rows, () => r.uniform(0, 2));
    const plain = run(name, pred, target, each);
    const total = (factor: (row: number) => number) => plain.loss.reduce((sum, v, row) => sum + v * factor(row), 0);
    const sum = (options: object) => run(name, pred, target, options).loss as unknown as number;
    close([sum({})], [total(() => 1 / rows)], 1e-6);
    close([sum({ reduction: "sum" })], [total(() => 1)], 1e-4);
    const out = { grad: new Float32Array(rows * 16) };
    const weighed = run(name, pred, target, { weight, avgFactor: 5, lossWeight: 0.25, grad: true, out });
    close([weighed.loss as unknown as number], [total((row) => weight[row] / 20)], 1e-5);
    assert.is(weighed.grad, out.grad);
    close(out.grad, plain.grad.map((v, i) => v * weight[Math.floor(i / 16)] / 20), 1e-6);
  });

  test(`${name}: streamed and in-memory input give the same bits, also as promises`, async () => {
    const { file } = of();
    const r = random(84);
    const rows = 5000;
    const dims = [rows, 17];
    using pred = engine.tensor(dims);
    pred.data.set(floats(rows * 17, () => r.normal() * 3));
    const data = pred.data.slice();
    const target = floats(rows, () => file.targetAt(r.uniform(), 17, {}));
    const small = await createEngine({ maxMemory: 1024 * 1024 });
    for (const reduction of ["none", "sum", "mean"]) {
      const options = { reduction, grad: true };
      const wanted = run(name, { data, dims }, target, options);
      const others = [
        run(name, pred, target, options),
        run(name, data, target, options, small.sync),
        await run(name, pred, target, options, engine),
      ];
      for (const other of others) {
        if (reduction === "none") same(other.loss, wanted.loss);
        else assert.is(other.loss, wanted.loss);
        same(other.grad, wanted.grad);
      }
    }
  });
}

test.run();
