/** Every row operation by its record: float64, PyTorch, lengths, hard values, memory and kinds of data, and its bounds. */
// kinds: row operation
import { createEngine, type TensorLike } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { RowCall } from "../../src/ops/row_call.ts";
import { same } from "../compare.ts";
import { ofKind, type Options, referenceOf, type RowOperationReference, settingsOf } from "../conformance.ts";
import { halfBits } from "../half.ts";
import { type Random, random } from "../random.ts";
import { arraysOf, checkRows, testPyTorch, worstOfRows } from "../row_cases.ts";
import { worstOf } from "../search.ts";
import { engines } from "./builds.ts";
import { note } from "./notes.ts";
import { walk } from "./walk.ts";

const test = suite("row operations");
const engine = await createEngine();

type Run = (...args: unknown[]) => unknown;
type Inputs = readonly TensorLike[];

/** Floats of a chunk of the kernels, of the widest input or output. */
const CHUNK = 65536;
const HARD = [0, -0, 1e-30, -1, 20, 104, 1e4, -1e4, 1e30, Infinity, -Infinity, NaN];

for (const operation of ofKind("row operation")) {
  const { name } = operation;
  const of = () => referenceOf<RowOperationReference>(operation);
  const run = (inputs: Inputs, options: Options, on: unknown = engine.sync) => {
    return (on as Record<string, Run>)[name](...inputs, options);
  };
  const checked = (inputs: Inputs, options: Options) => {
    return (operation.check as unknown as (...args: unknown[]) => RowCall)(...inputs, options).checked;
  };

  test(`${name}: every option, lengths around every block`, () => {
    const c = of();
    const r = random(40);
    for (const [i, options] of settingsOf(c).entries()) {
      const { columns, inputs } = checked(c.file.inputs(r, 1, options), options);
      const widest = Math.max(columns, ...inputs.map((input) => input.columns));
      const chunk = Math.floor(CHUNK / widest / 16) * 16;
      const around = i === 0 ? [chunk - 1, chunk, chunk + 1] : [];
      for (const rows of [...Array(18).keys(), 31, 33, 63, 65, 129, 257, ...around]) {
        const given = c.file.inputs(r, rows, options);
        for (const { sync } of engines) {
          checkRows(c, { inputs: given, options, found: run(given, options, sync), on: "wasm" }, `${rows} rows`);
        }
      }
    }
  });

  test(`${name}: hard values are right, and change nothing beside their row`, () => {
    const c = of();
    const r = random(41);
    for (const options of settingsOf(c).filter((each) => each.layout === undefined)) {
      const calm = c.file.inputs(r, 21, options);
      const before = arraysOf(run(calm, options));
      for (const [k, { columns, shared }] of checked(calm, options).inputs.entries()) {
        if (shared) continue;
        for (const [i, value] of HARD.entries()) {
          const given = calm.map((array) => array.slice());
          given[k][7 * columns + i % columns] = value;
          const found = run(given, options);
          const what = `input ${k}, ${value}, ${JSON.stringify(options)}`;
          checkRows(c, { inputs: given, options, found, on: "wasm", hard: value }, what);
          for (const [member, values] of Object.entries(arraysOf(found))) {
            const width = values.length / 21;
            const others = (array: ArrayLike<number>) =>
              Array.from(array).filter((_, at) => Math.floor(at / width) !== 7);
            same(others(values), others(before[member]), `${what}: ${member} of other rows`);
          }
        }
      }
    }
  });

  test(`${name}: the worst that a search finds is within its bound`, async () => {
    const c = of();
    let worst = 0;
    for (const options of settingsOf(c)) {
      const lengths = c.file.inputs(random(43), 1, options).map(({ length }) => length);
      const ends = lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b));
      const errors = (tried: readonly number[][]) =>
        tried.map((flat) => {
          const inputs = ends.map((end, i) => Float32Array.from(flat.slice(end - lengths[i], end)));
          return worstOfRows(c, { inputs, options, found: run(inputs, options), on: "wasm" }).share;
        });
      const start = (r: Random) => c.file.inputs(r, 1, options).flatMap((array) => [...array]);
      const near = (flat: readonly number[], r: Random) => {
        const spot = r.integer(flat.length);
        const by = 10 ** -r.uniform(0, 7);
        return flat.map((v, i) => i === spot ? Math.fround(v * (1 + by * r.normal())) : v);
      };
      const { error, input } = await worstOf({ width: 32, rounds: 6, start, near, errors }, random(44));
      assert.ok(error <= 1, `${error} of the bound, ${JSON.stringify(options)}, at ${input}`);
      worst = Math.max(worst, error);
    }
    note(`${name}: the worst case takes ${(worst * 100).toFixed(0)} % of its bound`);
  });

  test(`${name}: streamed, in-memory and converted input gives the same bits, also as promises`, async () => {
    const c = of();
    const r = random(42);
    const small = await createEngine({ maxMemory: 512 * 1024 });
    for (const options of walk(settingsOf(c))) {
      // Quarters, which every kind of data has.
      const inputs = c.file.inputs(r, 3001, options).map((array) => array.map((v) => Math.round(v * 4) % 120 / 4 + 0));
      const dims = checked(inputs, options).inputs.map(({ source }) => source.dims);
      const tensors = (kind: (data: Float32Array, dims: readonly number[]) => object) => {
        return inputs.map((data, i) => kind(data, dims[i]) as TensorLike);
      };
      const wanted = arraysOf(run(inputs, options));
      const others: [string, unknown][] = [
        ["little memory", run(inputs, options, small.sync)],
        ["promise", await run(inputs, options, engine)],
        ["float64", run(tensors((data, dims) => ({ data: Float64Array.from(data), dims })), options)],
        ["half", run(tensors((data, dims) => ({ data: Uint16Array.from(data, halfBits), dims })), options)],
        [
          "int8",
          run(tensors((data, dims) => ({ data: Int8Array.from(data, (v) => v * 4), dims, scale: 1 / 4 })), options),
        ],
      ];
      const residents = inputs.map((data, i) => {
        const resident = engine.tensor([...dims[i]]);
        resident.data.set(data);
        return resident;
      });
      others.push(["in memory", run(residents, options)]);
      if (inputs.length > 1) others.push(["one in memory", run([inputs[0], ...residents.slice(1)], options)]);
      for (const resident of residents) resident.dispose();
      for (const [what, other] of others) {
        for (const [member, values] of Object.entries(arraysOf(other))) {
          same(values, wanted[member], `${what}: ${member}`);
        }
      }
    }
  });

  test(`${name}: what PyTorch finds`, () => {
    testPyTorch(operation, engine.sync, of(), note);
  });
}

test.run();
