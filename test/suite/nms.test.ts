import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { same, throws } from "../compare.ts";
import { boxes, floats, random } from "../random.ts";
import { batchedNms } from "../reference/batched_nms.ts";
import { nms } from "../reference/nms.ts";

const test = suite("nms, batchedNms");
const engine = await createEngine();
const { sync } = engine;

test("agrees with all pairs in float64, at every density and threshold", () => {
  const r = random(20);
  for (const count of [0, 1, 2, 5, 17, 130, 900]) {
    for (const extent of [50, 300, 2000]) {
      const corners = boxes(r, count, 90, extent);
      const scores = floats(count, () => r.uniform());
      for (const iouThreshold of [0, 0.01, 0.3, 0.6, 0.95, 1]) {
        same(
          sync.nms(corners, scores, { iouThreshold }),
          nms(corners, scores, iouThreshold),
          `${count}, ${iouThreshold}`,
        );
      }
    }
  }
});

test("classes of any value compete only among themselves", () => {
  const r = random(21);
  for (
    const values of [
      [0],
      [0, 1, 2],
      [-5, 2 ** 31 - 1, 7, 7 + 128, 7 - 128],
      Array.from({ length: 200 }, (_, i) => i),
    ]
  ) {
    const corners = boxes(r, 700, 90, 300);
    const scores = floats(700, () => r.uniform());
    const classes = Int32Array.from({ length: 700 }, () => values[r.integer(values.length)]);
    for (const iouThreshold of [0.1, 0.6]) {
      const got = sync.batchedNms(corners, scores, classes, { iouThreshold });
      same(got, batchedNms(corners, scores, classes, iouThreshold));
    }
  }
});

test("sizes from a pixel to the whole image share a grid", () => {
  const r = random(22);
  const corners = new Float32Array(4 * 1200);
  for (let i = 0; i < 1200; i++) {
    const side = 2 ** r.uniform(0, 10);
    const x = r.uniform(-500, 500);
    const y = r.uniform(-500, 500);
    corners.set([x, y, x + side * r.uniform(0.5, 2), y + side * r.uniform(0.5, 2)], 4 * i);
  }
  const scores = floats(1200, () => r.uniform());
  for (const iouThreshold of [0.05, 0.45, 0.7]) {
    same(sync.nms(corners, scores, { iouThreshold }), nms(corners, scores, iouThreshold));
  }
});

test("an IoU equal to the threshold stays, whatever float32 makes of it", () => {
  // Boxes of width 100 that share k columns have IoU k / (200 - k).
  for (const [shared, iouThreshold] of [[50, 1 / 3], [75, 0.6], [80, 2 / 3], [100, 1]] as const) {
    const pair = Float32Array.of(0, 0, 100, 10, 100 - shared, 0, 200 - shared, 10);
    same(sync.nms(pair, Float32Array.of(0.9, 0.8), { iouThreshold }), [0, 1], `IoU ${iouThreshold}`);
    if (shared < 100) same(sync.nms(pair, Float32Array.of(0.9, 0.8), { iouThreshold: iouThreshold - 1e-9 }), [0]);
  }
  const third = Float32Array.of(0, 0, 10, 10, 0, 0, 10, 7);
  same(sync.nms(third, Float32Array.of(0.9, 0.8), { iouThreshold: 0.7 }), [0, 1], "IoU 0.7");
});

test("equal scores keep the lower index; zeros of both signs are equal; NaN never passes", () => {
  const apart = floats(24, (i) => 20 * Math.floor(i / 4) + (i % 4 < 2 ? 0 : 10));
  same(sync.nms(apart, Float32Array.of(0.5, 0.7, 0.5, NaN, 0.7, 0.5), { iouThreshold: 0.5 }), [1, 4, 0, 2, 5]);
  same(sync.nms(apart, Float32Array.of(-0, 0, -0, 0, NaN, -1), { iouThreshold: 0.5 }), [0, 1, 2, 3, 5]);
  const infinite = Float32Array.of(-Infinity, Infinity, 0, 1, -1, NaN);
  same(sync.nms(apart, infinite, { iouThreshold: 0.5 }), [1, 3, 2, 4, 0]);
});

test("score threshold and limit", () => {
  const apart = floats(20, (i) => 20 * Math.floor(i / 4) + (i % 4 < 2 ? 0 : 10));
  const scores = Float32Array.of(0.1, 0.5, 0.3, 0.9, 0.7);
  same(sync.nms(apart, scores, { iouThreshold: 0.5, scoreThreshold: Math.fround(0.3) }), [3, 4, 1]);
  same(sync.nms(apart, scores, { iouThreshold: 0.5, maxDetections: 2 }), [3, 4]);
  same(sync.nms(apart, scores, { iouThreshold: 0.5, maxDetections: 0 }), []);
  same(sync.nms(apart, scores, { iouThreshold: 0.5, scoreThreshold: 1 }), []);
});

test("empty, inverted and non-finite boxes neither go nor suppress", () => {
  const odd = Float32Array.from([
    [0, 0, 10, 10],
    [5, 5, 5, 5],
    [5, 5, 5, 5],
    [10, 10, 0, 0],
    [NaN, 0, 10, 10],
    [-Infinity, 0, Infinity, 10],
    [0, 0, 10, 10],
  ].flat());
  const scores = floats(7, (i) => 0.9 - i * 0.1);
  same(sync.nms(odd, scores, { iouThreshold: 0.5 }), [0, 1, 2, 3, 4, 5]);
  const huge = Float32Array.of(-3e38, -3e38, 3e38, 3e38, -3e38, -3e38, 3e38, 3e38, 0, 0, 1e20, 1e20, 0, 0, 1e20, 1e20);
  same(sync.nms(huge, floats(4, (i) => 1 - i / 10), { iouThreshold: 0.5 }), [0, 2]);
});

test("half, quantised and in-memory input; promises", async () => {
  const corners = { data: Uint8Array.of(0, 0, 100, 100, 2, 2, 100, 100, 150, 150, 200, 200), dims: [3, 4], scale: 0.5 };
  const scores = { data: Uint16Array.of(0x3800, 0x3a00, 0x3c00), dims: [3] };
  const options = { iouThreshold: 0.5 };
  same(sync.nms(corners, scores, options), [2, 1]);
  using resident = engine.tensor([3]);
  resident.data.set([0.5, 0.75, 1]);
  same(await engine.nms(corners, resident, options), [2, 1]);
  same(await engine.batchedNms(corners, resident, Int32Array.of(1, 2, 1), options), [2, 1, 0]);
});

test("wrong input", () => {
  const corners = new Float32Array(8);
  const scores = new Float32Array(2);
  throws(
    () => sync.nms(corners, scores, { iouThreshold: 1.5 }),
    RangeError,
    "nms",
    "options.iouThreshold",
    "1.5",
    "0 to 1",
  );
  throws(() => sync.nms(corners, scores, { iouThreshold: NaN }), RangeError, "nms", "options.iouThreshold", "NaN");
  throws(() => sync.nms(corners, new Float32Array(3), { iouThreshold: 0.5 }), TypeError, "nms", "scores", "3", "(2)");
  const classes = new Int32Array(3);
  throws(
    () => sync.batchedNms(corners, scores, classes, { iouThreshold: 0.5 }),
    TypeError,
    "batchedNms",
    "classes",
    "Int32Array(2)",
  );
  const limit = { iouThreshold: 0.5, maxDetections: -1 };
  throws(() => sync.nms(corners, scores, limit), RangeError, "options.maxDetections", "-1");
  // @ts-expect-error no options
  throws(() => sync.nms(corners, scores), TypeError, "nms", "options", "undefined");
  same(sync.nms(corners, scores, { iouThreshold: 0.5 }), [0, 1]);
});

test("100 000 boxes fit the default memory and agree with a coarser grid's result", () => {
  const r = random(23);
  const corners = boxes(r, 100000, 60, 3000);
  const scores = floats(100000, () => r.uniform());
  const kept = sync.nms(corners, scores, { iouThreshold: 0.5 });
  const again = sync.batchedNms(corners, scores, new Int32Array(100000), { iouThreshold: 0.5 });
  same(again, kept);
  assert.ok(kept.length > 1000 && kept.length < 100000);
});

test.run();
