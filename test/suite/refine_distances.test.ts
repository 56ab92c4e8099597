import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import { same, throws } from "../compare.ts";
import { floats, random } from "../random.ts";
import { refineDistances } from "../reference/refine_distances.ts";
import { worstOf } from "../search.ts";

const test = suite("refineDistances");
const engine = await createEngine();
const { sync } = engine;
const r = random(13);
const KINDS = ["multiply", "exp"] as const;
const input = (count: number) => ({
  distances: floats(count * 4, () => r.uniform(0, 200)),
  deltas: floats(count * 4, () => r.uniform(-3, 3)),
});

/** Every normal value within `ulps` units of the last place; zeros, infinities and NaN as they are wanted. */
function closeInUlps(got: Float32Array, wanted: readonly number[], ulps: number): void {
  assert.is(got.length, wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    const rounded = Math.fround(wanted[i]);
    if (Object.is(got[i], rounded)) continue;
    const unit = 2 ** (Math.floor(Math.log2(Math.abs(wanted[i]))) - 23);
    const error = Math.abs(got[i] - wanted[i]) / Math.max(unit, 2 ** -149);
    assert.ok(error <= ulps, `value ${i} is ${got[i]}; wanted ${wanted[i]}, ${error} ULP away`);
  }
}

test("the exponential is within 1 ULP over all of float32, and exact at its ends", () => {
  const ones = (count: number) => new Float32Array(count).fill(1);
  const exp = (deltas: Float32Array) => sync.refineDistances(ones(deltas.length), deltas, { kind: "exp" });
  const deltas = floats(80_000, (i) => -104 + i * (193 / 80_000));
  closeInUlps(exp(deltas), refineDistances(ones(deltas.length), deltas, { kind: "exp" }), 1);
  const hard = Float32Array.of(1e-30, -1e-40, 88.72283, 88.72284, -87.33655, -103.97, -103.98, 1e30);
  closeInUlps(exp(hard), refineDistances(ones(hard.length), hard, { kind: "exp" }), 1);
  same(exp(Float32Array.of(0, -0, 89, Infinity, -104, -Infinity, NaN, 0)), [1, 1, Infinity, Infinity, 0, 0, NaN, 1]);
});

test("the product holds its bound wherever it is a normal number, whatever the exponential is", async () => {
  const bound = operations.refineDistances.bounds.result.wasm;
  const exp = (distances: Float32Array, deltas: Float32Array) =>
    sync.refineDistances(distances, deltas, { kind: "exp" });
  const errors = (inputs: readonly number[][]) => {
    const distances = floats(4 * inputs.length, (i) => inputs[i >> 2][0]);
    const deltas = floats(4 * inputs.length, (i) => inputs[i >> 2][1]);
    const got = exp(distances, deltas);
    const wanted = refineDistances(distances, deltas, { kind: "exp" });
    return inputs.map((_, i) => {
      const size = Math.abs(wanted[4 * i]);
      const normal = size > 2 ** -126 && size < 2 ** 128 * (1 - 2 ** -22);
      return normal ? Math.abs(got[4 * i] - wanted[4 * i]) / size / bound : 0;
    });
  };
  const { error, input } = await worstOf({
    width: 2000,
    rounds: 20,
    start: (r) => {
      const exponent = r.uniform(-87, 88);
      // Half of them near an end of float32.
      const product = r.integer(2) === 0 ? r.uniform(-87, 88) : [-87, 88][r.integer(2)] + r.normal();
      return [Math.exp(exponent) * (r.integer(2) * 2 - 1), product - exponent];
    },
    near: ([distance, delta], r) => [distance * (1 + r.normal() * 1e-3), delta + r.normal() * 10 ** -r.integer(6)],
    errors,
  }, random(14));
  assert.ok(error > 0.1 && error <= 1, `${error} of the bound at ${input}`);
  const [large, small] = exp(Float32Array.of(3e38, 1e30, 0, 0), Float32Array.of(-1.94, -97.1, 0, 0));
  closeInUlps(Float32Array.of(large, small), [
    Math.fround(3e38) * Math.exp(Math.fround(-1.94)),
    Math.fround(1e30) * Math.exp(Math.fround(-97.1)),
  ], 3);
  same(exp(Float32Array.of(1e-30, -1e-30, 1e30, 0), Float32Array.of(300, 300, -300, 300)), [Infinity, -Infinity, 0, 0]);
});

test("a distance of 0 stays 0, NaN stays in its element", () => {
  const distances = Float32Array.of(0, -0, NaN, 2);
  const deltas = Float32Array.of(5, 5, 1, NaN);
  for (const kind of KINDS) same(sync.refineDistances(distances, deltas, { kind }), [0, -0, NaN, NaN]);
  same(sync.refineDistances(new Float32Array(4), floats(4, () => Infinity), { kind: "exp" }), Array(4).fill(NaN));
});

test("wrong input", () => {
  const { distances, deltas } = input(4);
  throws(() => sync.refineDistances(distances, deltas.subarray(4)), TypeError, "refineDistances", "deltas", "3 rows");
  throws(() => sync.refineDistances(distances.subarray(1), deltas), TypeError, "refineDistances", "distances");
  throws(
    // @ts-expect-error no kind of refinement
    () => sync.refineDistances(distances, deltas, { kind: "add" }),
    TypeError,
    "options.kind",
    '"add"',
    '"multiply" or "exp"',
  );
});

test.run();
