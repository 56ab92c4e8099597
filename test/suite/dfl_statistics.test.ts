import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import { close, same, throws } from "../compare.ts";
import { extremes, sweep, worstError } from "../distribution_cases.ts";
import { floats, random } from "../random.ts";
import { channelsFirst } from "../reference/dfl_decode.ts";
import { dflStatistics } from "../reference/dfl_statistics.ts";
import { engines } from "./builds.ts";

const test = suite("dflStatistics");
const engine = await createEngine();
const { sync } = engine;
const NAMES = ["std", "entropy", "top", "saturation", "excess"] as const;
/** Absolute error allowed, as a share of the range of bins. */
const BOUND = operations.dflStatistics.bounds.result.wasm;

test("both layouts, several bin counts and lengths", () => {
  const r = random(1);
  for (const bins of [2, 3, 5, 8, 16, 17, 33, 64]) {
    for (const anchors of [0, 1, 3, 4, 5, 15, 16, 17, 37]) {
      const dist = floats(anchors * 4 * bins, () => r.normal() * 3);
      const wanted = dflStatistics(dist, { bins });
      const rows = sync.dflStatistics({ data: dist, dims: [anchors, 4 * bins] }, { bins });
      const columns = { data: channelsFirst(dist, 4 * bins), dims: [4 * bins, anchors] };
      const channels = sync.dflStatistics(columns, { bins, layout: "channels-first" });
      for (const name of NAMES) {
        close(rows[name], wanted[name], BOUND * (bins - 1), `${bins} bins, ${anchors} anchors, ${name}`);
        same(channels[name], rows[name], name);
      }
    }
  }
});

test("a peak, a tie, an even spread, infinities and NaN", () => {
  const sides = [
    [50, 0, 0, 0],
    [0, 0, 0, 0],
    [0, 10, 10, 0],
    [-1e4, -1e4, -1e4, 1e4],
    [Infinity, 0, 0, 0],
    [-Infinity, -Infinity, 0, 0],
    [0, NaN, 0, 0],
    [3, 2, 1, 0],
  ];
  const dist = Float32Array.from(sides.flat());
  const got = sync.dflStatistics({ data: dist, dims: [2, 16] }, { bins: 4 });
  const wanted = dflStatistics(dist, { bins: 4 });
  for (const name of NAMES) close(got[name], wanted[name], BOUND * 3, name);
  assert.is(got.top[0], 1);
  assert.is(got.saturation[3], 1);
});

test("logits from -130 to 130, huge and infinite ones", () => {
  for (
    const [bins, rows] of [
      ...[2, 8, 16, 17, 33, 64].map((bins) => [bins, sweep(bins)] as const),
      [4, extremes()] as const,
    ]
  ) {
    const wanted = dflStatistics(rows, { bins });
    for (const { sync } of engines) {
      const got = sync.dflStatistics(rows, { bins });
      for (const name of NAMES) close(got[name], wanted[name], BOUND * (bins - 1), `${bins} bins, ${name}`);
    }
  }
});

test("the worst that a search finds is within the documented bound, for every number of bins", async () => {
  const r = random(3);
  const worst = new Map<string, number>();
  for (let bins = 2; bins <= 64; bins++) {
    for (const name of NAMES) {
      const error = await worstError(r, bins, (rows) => {
        const wanted = dflStatistics(rows, { bins })[name];
        const found = engines.map(({ sync }) => sync.dflStatistics(rows, { bins })[name]);
        return wanted.map((value, i) => Math.max(...found.map((got) => Math.abs(got[i] - value))) / (bins - 1));
      });
      worst.set(name, Math.max(worst.get(name) ?? 0, error));
    }
  }
  for (const [name, error] of worst) assert.ok(error > 0 && error <= BOUND, `${name}: ${error} of the range of bins`);
});

test("excess: none on two neighbouring bins, wherever the mean is; all of it where the mean is on a bin", () => {
  const bins = 16;
  for (let bin = 0; bin < bins - 1; bin++) {
    // The upper one has from 1 - 1e-12 down to 1e-12 of the mass; beside it the third weighs nothing.
    const pairs = floats(4 * 56, (i) => (i >> 2) - 28);
    const rows = floats(pairs.length * bins, (i) => {
      const at = i % bins;
      return at === bin ? 0 : at === bin + 1 ? pairs[Math.floor(i / bins)] : -Infinity;
    });
    const { excess, std } = sync.dflStatistics(rows, { bins });
    same(excess, new Float32Array(pairs.length), `bins ${bin} and ${bin + 1}`);
    assert.ok(std.every((value) => value > 0));
  }
  // Two bins apart, a mean on the bin between: the whole deviation.
  const apart = Float32Array.from({ length: 4 * 8 }, (_, i) => i % 8 === 2 || i % 8 === 4 ? 0 : -Infinity);
  const { excess, std } = sync.dflStatistics(apart, { bins: 8 });
  same(excess, std);
  assert.equal([...std], [1, 1, 1, 1]);
});

test("wrong input", () => {
  throws(() => sync.dflStatistics(new Float32Array(10), { bins: 8 }), TypeError, "dflStatistics", "dist");
  throws(
    () => sync.dflStatistics(new Float32Array(32), { bins: 100 }),
    RangeError,
    "dflStatistics",
    "options.bins",
    "100",
  );
});

test.run();
