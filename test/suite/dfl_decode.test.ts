import { createEngine, type DflStatistics } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import { close, same, throws } from "../compare.ts";
import { extremes, sweep, worstError } from "../distribution_cases.ts";
import { floats, random } from "../random.ts";
import { channelsFirst, dflDecode } from "../reference/dfl_decode.ts";
import { engines } from "./builds.ts";

const test = suite("dflDecode");
const engine = await createEngine();
const { sync } = engine;

/** Absolute error allowed, as a share of the range of bins. */
const BOUND = operations.dflDecode.bounds.result.wasm;

const logits = (seed: number, count: number, spread = 3) => {
  const r = random(seed);
  return floats(count, () => r.normal() * spread);
};

test("images without anchors take no time, however many they are", () => {
  const many = { data: new Float32Array(0), dims: [Number.MAX_SAFE_INTEGER, 8, 0] };
  const layout = "channels-first";
  assert.is(sync.dflDecode(many, { bins: 2, layout }).length, 0);
  assert.is(sync.dflStatistics(many, { bins: 2, layout }).excess.length, 0);
  const rows = { data: new Float32Array(0), dims: [Number.MAX_SAFE_INTEGER, 0, 8] };
  assert.is(sync.dflDecode(rows, { bins: 2 }).length, 0);
});

test("rows and channels, every bin count", () => {
  let worst = 0;
  for (let bins = 2; bins <= 64; bins++) {
    for (const anchors of [1, 3, 4, 17]) {
      const dist = logits(bins * 100 + anchors, anchors * 4 * bins);
      const wanted = dflDecode(dist, { bins });
      const range = bins - 1;
      const rows = sync.dflDecode({ data: dist, dims: [anchors, 4 * bins] }, { bins });
      worst = Math.max(worst, close(rows, wanted, BOUND * range, `${bins} bins, row`) / range);
      const columns = { data: channelsFirst(dist, 4 * bins), dims: [4 * bins, anchors] };
      const channels = sync.dflDecode(columns, { bins, layout: "channels-first" });
      worst = Math.max(worst, close(channels, wanted, BOUND * range, `${bins} bins, channels`) / range);
    }
  }
  assert.ok(worst > 0 && worst < BOUND, `worst ${worst}`);
});

test("a batch axis, a bare array, first bin and step", () => {
  const dist = logits(7, 2 * 5 * 32);
  const options = { bins: 8, firstBin: -2, binStep: 0.5 };
  const wanted = dflDecode(dist, options);
  const batch = sync.dflDecode({ data: dist, dims: [2, 5, 32] }, options);
  close(batch, wanted, BOUND * 7);
  same(sync.dflDecode(dist, options), batch);
  const perImage = [dist.subarray(0, 160), dist.subarray(160)].map((image) => [...channelsFirst(image, 32)]);
  const columns = { data: Float32Array.from(perImage.flat()), dims: [2, 32, 5] };
  close(sync.dflDecode(columns, { ...options, layout: "channels-first" }), wanted, BOUND * 7);
});

/** The same distributions in both layouts, by every build. */
function everyWay(rows: Float32Array, bins: number): Float32Array[] {
  const anchors = rows.length / (4 * bins);
  const columns = channelsFirst(rows, 4 * bins);
  return engines.flatMap(({ sync }) => [
    sync.dflDecode({ data: rows, dims: [anchors, 4 * bins] }, { bins }),
    sync.dflDecode({ data: columns, dims: [4 * bins, anchors] }, { bins, layout: "channels-first" }),
  ]);
}

test("logits from -130 to 130: no result is infinite, and all are right", () => {
  for (const bins of [2, 8, 16, 17, 33, 64]) {
    const rows = sweep(bins);
    const wanted = dflDecode(rows, { bins });
    for (const got of everyWay(rows, bins)) close(got, wanted, BOUND * (bins - 1), `${bins} bins`);
  }
});

test("huge and infinite logits in every combination", () => {
  const rows = extremes();
  for (const got of everyWay(rows, 4)) close(got, dflDecode(rows, { bins: 4 }), BOUND * 3);
});

test("the worst that a search finds is within the documented bound, for every number of bins", async () => {
  const r = random(12);
  let worst = 0;
  for (let bins = 2; bins <= 64; bins++) {
    worst = Math.max(
      worst,
      await worstError(r, bins, (rows) => {
        const wanted = dflDecode(rows, { bins });
        const found = everyWay(rows, bins);
        return wanted.map((value, i) => Math.max(...found.map((got) => Math.abs(got[i] - value))) / (bins - 1));
      }),
    );
  }
  assert.ok(worst > 0 && worst <= BOUND, `${worst} of the range of bins`);
});

test("logits that overflow, vanish, saturate or are infinite have their limit", () => {
  const hard: number[][] = [
    [0, 0, 0, 0],
    [-0, 1e-30, -1e-30, 0],
    [20, -20, 20, -20],
    [88, 88, 88, 88],
    [104, -104, 0, 104],
    [-104, -104, -104, -104],
    [-104, -103, -102, -101],
    [1e4, 0, 0, 0],
    [-1e4, -1e4, -1e4, -1e4 + 1],
    [3e38, 3e38, -3e38, 0],
    [Infinity, 0, 0, 0],
    [0, Infinity, Infinity, 0],
    [-Infinity, 0, 0, -Infinity],
    [-Infinity, -Infinity, -Infinity, -Infinity],
    [-Infinity, -Infinity, 5, Infinity],
    [90, 89, 88, 87],
  ];
  const dist = Float32Array.from(hard.flat());
  const anchors = hard.length / 4;
  const wanted = dflDecode(dist, { bins: 4 });
  close(sync.dflDecode({ data: dist, dims: [anchors, 16] }, { bins: 4 }), wanted, BOUND * 3, "side");
  const columns = { data: channelsFirst(dist, 16), dims: [16, anchors] };
  close(sync.dflDecode(columns, { bins: 4, layout: "channels-first" }), wanted, BOUND * 3, "side");
});

test("NaN stays in its side, and a hard anchor changes no bit of its neighbours", () => {
  for (const layout of ["rows", "channels-first"] as const) {
    const calm = logits(3, 40 * 64);
    const shape = layout === "rows" ? [40, 64] : [64, 40];
    const before = sync.dflDecode({ data: calm, dims: shape }, { bins: 16, layout });
    const spot = layout === "rows" ? 5 * 64 + 2 * 16 + 3 : (2 * 16 + 3) * 40 + 5;
    for (const value of [NaN, 1e4, -1e4, Infinity]) {
      const data = calm.slice();
      data[spot] = value;
      const after = sync.dflDecode({ data, dims: shape }, { bins: 16, layout });
      const changed = [...after].flatMap((v, i) => Object.is(v, before[i]) ? [] : [i]);
      assert.ok(
        changed.every((i) => Math.floor(i / 4) === 5),
        `${value}: ${changed}`,
      );
      const undefinedSides = [...after].flatMap((v, i) => Number.isNaN(v) ? [i] : []);
      assert.equal(undefinedSides, Number.isNaN(value) ? [22] : []);
    }
  }
});

test("64 bins are streamed through the least memory, to the same bits", async () => {
  const [bins, anchors] = [64, 300];
  const dist = logits(13, anchors * 4 * bins, 40);
  for (const layout of ["rows", "channels-first"] as const) {
    const dims = layout === "rows" ? [anchors, 4 * bins] : [4 * bins, anchors];
    const [wanted, shape] = [sync.dflDecode, sync.dflStatistics].map((op) =>
      op({ data: dist, dims }, { bins, layout })
    );
    for (const kib of [256, 320]) {
      const small = await createEngine({ maxMemory: kib * 1024 });
      same(
        small.sync.dflDecode({ data: dist, dims }, { bins, layout }),
        wanted as Float32Array,
        `${layout}, ${kib} KiB`,
      );
      const { excess } = small.sync.dflStatistics({ data: dist, dims }, { bins, layout });
      same(excess, (shape as DflStatistics).excess, `${layout}, ${kib} KiB`);
    }
  }
});

test("the gradient's axes are those of the distributions, whatever the number of values", () => {
  const [dist, grad] = [logits(8, 2 * 3 * 12), logits(9, 2 * 3 * 4)];
  const run = (on: number[], from: number[], layout: "rows" | "channels-first" = "rows") => {
    return sync.dflDecodeGradient({ data: dist, dims: on }, { data: grad, dims: from }, { bins: 3, layout });
  };
  const wanted = run([6, 12], [6, 4]);
  same(run([2, 3, 12], [2, 3, 4]), wanted);
  same(sync.dflDecodeGradient({ data: dist, dims: [2, 3, 12] }, grad, { bins: 3 }), wanted, "no axes");
  same(sync.dflDecodeGradient(dist, grad, { bins: 3 }), wanted, "no axes on either side");
  const op = "dflDecodeGradient: grad is of shape";
  throws(() => run([2, 3, 12], [3, 2, 4]), TypeError, `${op} (3, 2, 4); wanted shape (2, 3, 4)`);
  throws(() => run([2, 3, 12], [6, 4]), TypeError, `${op} (6, 4); wanted shape (2, 3, 4)`);
  throws(() => run([6, 12], [2, 3, 4]), TypeError, `${op} (2, 3, 4); wanted shape (6, 4)`);
  throws(() => run([6, 12], [1, 6, 4]), TypeError, `${op} (1, 6, 4); wanted shape (6, 4)`);
  throws(() => run([2, 12, 3], [3, 2, 4], "channels-first"), TypeError, `${op} (3, 2, 4); wanted shape (2, 3, 4)`);
  throws(() => run([12, 6], [2, 3, 4], "channels-first"), TypeError, `${op} (2, 3, 4); wanted shape (6, 4)`);
  const channels = run([2, 12, 3], [2, 3, 4], "channels-first");
  const images = [0, 36].flatMap((at) => {
    const image = { data: dist.subarray(at, at + 36), dims: [12, 3] };
    const slopes = grad.subarray(at / 3, at / 3 + 12);
    return [...sync.dflDecodeGradient(image, slopes, { bins: 3, layout: "channels-first" })];
  });
  same(channels, images, "channels-first, image by image");
  throws(() => sync.dflDecodeGradient(dist, grad.subarray(4), { bins: 3 }), TypeError, "Float32Array(20)", "(6, 4)");
});

test("values of bins stand in for the first and the step, given at their defaults too", () => {
  const [dist, grad] = [logits(10, 24), logits(11, 8)];
  const binValues = [0, 1, 2];
  const wanted = sync.dflDecode(dist, { bins: 3, binValues });
  close(wanted, sync.dflDecode(dist, { bins: 3 }), 2 * BOUND);
  same(sync.dflDecode(dist, { bins: 3, binValues, firstBin: undefined, binStep: undefined }), wanted);
  for (const [name, value] of [["firstBin", 0], ["binStep", 1], ["firstBin", 3], ["binStep", 2]] as const) {
    const options = { bins: 3, binValues, [name]: value };
    const parts = ["options.binValues is given with", `${name} ${value}`, `no ${name}`];
    throws(() => sync.dflDecode(dist, options), TypeError, "dflDecode: ", ...parts);
    throws(() => sync.dflDecodeGradient(dist, grad, options), TypeError, "dflDecodeGradient: ", ...parts);
  }
});

test("wrong input", () => {
  const data = new Float32Array(64);
  throws(
    () => sync.dflDecode({ data, dims: [1, 64] }, { bins: 1 }),
    RangeError,
    "dflDecode",
    "options.bins",
    "1",
    "2 to 64",
  );
  throws(() => sync.dflDecode({ data, dims: [1, 64] }, { bins: 65 }), RangeError, "options.bins");
  throws(() => sync.dflDecode({ data, dims: [1, 64] }, { bins: 8 }), TypeError, "dist", "(1, 64)", "32");
  throws(() => sync.dflDecode({ data, dims: [64] }, { bins: 16 }), TypeError, "dist");
  throws(() => sync.dflDecode(new Float32Array(63), { bins: 16 }), TypeError, "dist", "63");
  // @ts-expect-error a name that is no layout
  throws(
    () => sync.dflDecode({ data, dims: [1, 64] }, { bins: 16, layout: "columns" }),
    TypeError,
    "options.layout",
    "columns",
  );
  // @ts-expect-error no options
  throws(() => sync.dflDecode({ data, dims: [1, 64] }), TypeError, "dflDecode", "options");
  assert.is(sync.dflDecode({ data, dims: [1, 64] }, { bins: 16 })[0], 7.5);
});

test.run();
