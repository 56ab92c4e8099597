import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close, same, throws } from "../compare.ts";
import { floats, random } from "../random.ts";
import { channelsFirst } from "../reference/dfl_decode.ts";
import { dflStatistics } from "../reference/dfl_statistics.ts";

const test = suite("dflStatistics");
const engine = await createEngine();
const { sync } = engine;
const NAMES = ["std", "entropy", "top", "saturation"] as const;

test("both layouts, several bin counts and lengths, are within 1e-6 of the range", () => {
  const r = random(1);
  for (const bins of [2, 3, 5, 8, 16, 17, 33, 64]) {
    for (const anchors of [0, 1, 3, 4, 5, 15, 16, 17, 37]) {
      const dist = floats(anchors * 4 * bins, () => r.normal() * 3);
      const wanted = dflStatistics(dist, bins);
      const rows = sync.dflStatistics({ data: dist, dims: [anchors, 4 * bins] }, { bins });
      const columns = { data: channelsFirst(dist, 4 * bins), dims: [4 * bins, anchors] };
      const channels = sync.dflStatistics(columns, { bins, layout: "channels-first" });
      for (const name of NAMES) {
        close(rows[name], wanted[name], 1e-6 * (bins - 1), `${bins} bins, ${anchors} anchors, ${name}`);
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
  const wanted = dflStatistics(dist, 4);
  for (const name of NAMES) close(got[name], wanted[name], 3e-6, name);
  assert.is(got.top[0], 1);
  assert.is(got.saturation[3], 1);
});

test("streamed and in-memory input give the same bits, also as promises", async () => {
  const r = random(2);
  const dist = floats(3000 * 32, () => r.normal());
  const small = await createEngine({ maxMemory: 512 * 1024 });
  const streamed = sync.dflStatistics({ data: dist, dims: [3000, 32] }, { bins: 8 });
  using resident = engine.tensor([3000, 32]);
  resident.data.set(dist);
  const others = [
    sync.dflStatistics(resident, { bins: 8 }),
    small.sync.dflStatistics(dist, { bins: 8 }),
    await engine.dflStatistics(dist, { bins: 8 }),
  ];
  for (const other of others) for (const name of NAMES) same(other[name], streamed[name], name);
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
