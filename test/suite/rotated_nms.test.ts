import { createEngine } from "densehead";
import type { RotatedNmsOptions } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { same, throws } from "../compare.ts";
import { floats, type Random, random } from "../random.ts";
import { nms } from "../reference/nms.ts";
import { overlapsOf, rotatedNms } from "../reference/rotated_nms.ts";
import { times } from "./walk.ts";

const test = suite("rotatedNms");
const engine = await createEngine();
const { sync } = engine;

type Options = Required<Pick<RotatedNmsOptions, "overlap" | "suppression">>;

const WAYS: readonly Options[] = [
  { overlap: "polygon", suppression: "greedy" },
  { overlap: "polygon", suppression: "fast" },
  { overlap: "probiou", suppression: "greedy" },
  { overlap: "probiou", suppression: "fast" },
];

function boxesOf(count: number, box: (i: number) => readonly number[]): Float32Array<ArrayBuffer> {
  return Float32Array.from(Array.from({ length: count }, (_, i) => box(i)).flat());
}

/** Sides from 4 to 80 in a square, at any angle. */
function scattered(r: Random, count: number, extent: number): Float32Array<ArrayBuffer> {
  return boxesOf(count, () => [
    r.uniform(0, extent),
    r.uniform(0, extent),
    r.uniform(4, 80),
    r.uniform(4, 80),
    r.uniform(-4, 4),
  ]);
}

/** In every way, at every threshold. */
function agrees(
  boxes: Float32Array,
  scores: Float32Array,
  thresholds: readonly number[],
  what: string,
  classes?: Int32Array,
) {
  const overlaps = { polygon: overlapsOf(boxes, "polygon"), probiou: overlapsOf(boxes, "probiou") };
  for (const way of WAYS) {
    const isOpen = way.overlap === "probiou" && way.suppression === "greedy";
    for (const given of thresholds) {
      // A ProbIoU under 2^-53 is 0 or not by how 1 − x is rounded.
      const iouThreshold = isOpen ? Math.max(given, 1e-15) : given;
      const options = { ...way, iouThreshold, classes };
      const wanted = rotatedNms(boxes, scores, options, overlaps[way.overlap]);
      same(
        sync.rotatedNms(boxes, scores, options),
        wanted,
        `${what}, ${way.suppression} ${way.overlap} at ${iouThreshold}`,
      );
    }
  }
}

test("agrees with all pairs in float64, at every density and threshold", () => {
  const r = random(60);
  for (const count of [0, 1, 2, 5, 17, times(250)]) {
    for (const extent of [20, 300, 2000]) {
      const scores = floats(count, () => r.uniform());
      agrees(scattered(r, count, extent), scores, [0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1], `${count} in ${extent}`);
    }
  }
});
test("boxes that spoil a structure: thin, piled, of all sizes, far out, hardly different, in far classes", () => {
  const count = times(160);
  const r = random(61);
  const spot = (extent: number) => [r.uniform(0, extent), r.uniform(0, extent)];
  const sizes = (low: number, high: number) => [2 ** r.uniform(low, high), 2 ** r.uniform(low, high)];
  const angle = () => r.uniform(-3, 3);
  const cases: [string, (i: number) => number[]][] = [
    ["thin", () => [...spot(600), r.uniform(100, 300), r.uniform(0.5, 3), angle()]],
    ["needles through a point", () => [50, 50, 300, 1, angle()]],
    ["needles side by side", (i) => [50 - 0.7 * i, 50 + 0.7 * i, 300, 1, Math.PI / 4]],
    ["a pile", () => [...spot(1), 100, 50, angle()]],
    ["a pile of squares", () => [...spot(1), 50, 50, angle()]],
    ["all sizes", () => [...spot(500), ...sizes(0, 12), angle()]],
    ["all sizes around a centre", () => [0, 0, ...sizes(-6, 6), angle()]],
    ["near the largest", () => [0, 0].map(() => r.uniform(-1e38, 1e38)).concat(sizes(120, 127.9), angle())],
    ["near the least", () => [0, 0].map(() => r.uniform(-1e-38, 1e-38)).concat(sizes(-132, -125), angle())],
    ["at 1e6", () => [1e6 + r.integer(40) / 16, 1e6 + r.integer(40) / 16, ...sizes(-3, 2), angle()]],
    ["at 1e30", () => [1e30, 1e30, ...sizes(80, 84), angle()]],
    ["hardly different", () => [...spot(1e-3), 10 + r.uniform(0, 1e-3), 5 + r.uniform(0, 1e-3), r.uniform(0, 1e-4)]],
    ["quarter turns", () => [r.integer(60), r.integer(60), 4, 16, r.integer(4) * Math.PI / 2]],
    ["angles of 1e6", () => [...spot(200), 60, 20, r.uniform(-1e6, 1e6)]],
    ["one as wide as 1e8", (i) => i === 7 ? [0, 0, 1e8, 1, 0.4] : [...spot(300), ...sizes(2, 5), angle()]],
    ["one at 1e8", (i) => i === 7 ? [1e8, 1e8, 9, 9, 0.4] : [...spot(300), ...sizes(2, 5), angle()]],
  ];
  const ids = Int32Array.from({ length: count }, (_, i) => [2 ** 31 - 1, -(2 ** 31), 7, 7 + 128][i & 3]);
  for (const [name, box] of cases) {
    const boxes = boxesOf(count, box);
    agrees(boxes, floats(count, () => r.uniform()), [0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99], name);
    agrees(boxes, floats(count, (i) => i / count), [0.05, 0.5, 0.95], `${name}, classes`, ids);
  }
});

test("more boxes than a grid takes well go to the tree", () => {
  const r = random(62);
  const boxes = boxesOf(
    times(600),
    () => [r.uniform(0, 60), r.uniform(0, 60), r.uniform(2, 90), r.uniform(2, 9), r.uniform(0, 3)],
  );
  agrees(boxes, floats(boxes.length / 5, () => r.uniform()), [0.3, 0.8], "crowded");
});

test("upright boxes as `nms` has them, equality with the threshold included", () => {
  const r = random(63);
  const boxes = boxesOf(600, () => [r.integer(90), r.integer(90), 2 * (1 + r.integer(8)), 2 * (1 + r.integer(8)), 0]);
  const corners = floats(4 * 600, (i) => {
    const [centre, side] = [boxes[5 * (i >> 2) + (i & 1)], boxes[5 * (i >> 2) + 2 + (i & 1)]];
    return centre + (i & 2 ? side : -side) / 2;
  });
  const scores = floats(600, () => r.uniform());
  for (const iouThreshold of [0, 0.2, 0.25, 1 / 3, 0.5, 0.6, 0.75]) {
    same(sync.rotatedNms(boxes, scores, { iouThreshold }), nms(corners, scores, { iouThreshold }), `${iouThreshold}`);
  }
});

test("rectangles of known overlap: equality stays with greedy, goes with fast", () => {
  const scores = Float32Array.of(0.9, 0.8);
  const pair = (second: number[]) => Float32Array.of(0, 0, 100, 10, 0, ...second);
  const kept = (boxes: Float32Array, iouThreshold: number, suppression: "greedy" | "fast") =>
    Array.from(sync.rotatedNms(boxes, scores, { iouThreshold, suppression }));
  // Those of width 100 that share k columns have an IoU of k / (200 - k).
  for (const [shared, iou] of [[50, 1 / 3], [75, 0.6], [80, 2 / 3], [100, 1]] as const) {
    const boxes = pair([100 - shared, 0, 100, 10, 0]);
    assert.equal(kept(boxes, iou, "greedy"), [0, 1], `${iou}`);
    assert.equal(kept(boxes, iou, "fast"), [0], `${iou}`);
    if (iou < 1) assert.equal(kept(boxes, iou + 1e-9, "fast"), [0, 1], `${iou}`);
    assert.equal(kept(boxes, iou - 1e-9, "greedy"), [0], `${iou}`);
  }
  // A square and itself turned by an eighth have an octagon in common: IoU √(1/2), and ProbIoU 1.
  const square = Float32Array.of(5, 5, 20, 20, 0, 5, 5, 20, 20, Math.PI / 4);
  assert.equal(kept(square, 0.7071, "greedy"), [0]);
  assert.equal(kept(square, 0.7072, "greedy"), [0, 1]);
  same(sync.rotatedNms(square, scores, { iouThreshold: 0.9999, overlap: "probiou" }), [0]);
  // Squares shifted by half a side: an IoU of 1/3, and 1 − √(1 − e^(−3/8)) by hand.
  const shifted = Float32Array.of(0, 0, 20, 20, 0, 10, 0, 20, 20, 0);
  same(sync.rotatedNms(shifted, scores, { iouThreshold: 0.4407, overlap: "probiou" }), [0]);
  same(sync.rotatedNms(shifted, scores, { iouThreshold: 0.4408, overlap: "probiou" }), [0, 1]);
});

test("a dropped box drops others only with fast", () => {
  // Each overlaps its neighbour by 3/5, and the next but one by 1/3.
  const row = boxesOf(4, (i) => [25 * Math.cos(0.3) * i, 25 * Math.sin(0.3) * i, 100, 10, 0.3]);
  const scores = Float32Array.of(0.9, 0.8, 0.7, 0.6);
  same(sync.rotatedNms(row, scores, { iouThreshold: 0.5 }), [0, 2]);
  same(sync.rotatedNms(row, scores, { iouThreshold: 0.5, suppression: "fast" }), [0]);
});

test("equal scores keep the lower index; NaN never passes; score threshold and limit", () => {
  const apart = boxesOf(6, (i) => [20 * i, 0, 10, 10, i]);
  same(sync.rotatedNms(apart, Float32Array.of(0.5, 0.7, 0.5, NaN, 0.7, 0.5), { iouThreshold: 0.5 }), [1, 4, 0, 2, 5]);
  const scores = Float32Array.of(0.1, 0.5, 0.3, 0.9, 0.7, -Infinity);
  for (const way of WAYS) {
    const options = { ...way, iouThreshold: 0.5 };
    same(sync.rotatedNms(apart, scores, { ...options, scoreThreshold: Math.fround(0.3) }), [3, 4, 1]);
    same(sync.rotatedNms(apart, scores, { ...options, maxDetections: 2 }), [3, 4]);
    same(sync.rotatedNms(apart, scores, { ...options, maxDetections: 0 }), []);
    same(sync.rotatedNms(apart, scores, options), [3, 4, 1, 2, 0, 5]);
  }
});

test("boxes without area and non-finite ones neither go nor suppress, but at 0 with fast", () => {
  const odd = boxesOf(9, (i) =>
    [
      [5, 5, 10, 10, 1],
      [5, 5, 0, 10, 1],
      [5, 5, 0, 10, 1],
      [5, 5, -10, -10, 1],
      [NaN, 5, 10, 10, 1],
      [5, 5, 10, Infinity, 1],
      [5, 5, 10, 10, NaN],
      [5, 5, 10, 10, -Infinity],
      [5, 5, 10, 10, 1],
    ][i]);
  const scores = floats(9, (i) => 0.9 - i * 0.1);
  for (const way of WAYS) {
    for (const iouThreshold of [0.3, 0.9]) {
      same(sync.rotatedNms(odd, scores, { ...way, iouThreshold }), [0, 1, 2, 3, 4, 5, 6, 7]);
    }
    const atZero = sync.rotatedNms(odd, scores, { ...way, iouThreshold: 0 });
    same(atZero, way.suppression === "fast" ? [0, 4, 5, 6, 7] : [0, 1, 2, 3, 4, 5, 6, 7]);
  }
});

/** The largest float32. */
const F = 3.4028234663852886e38;

test("sizes at the ends of float32", () => {
  const scores = Float32Array.of(0.9, 0.8);
  const pairs: [string, number[], number[], number, number][] = [
    ["all of float32", [0, 0, F, F, 0], [0, 0, F, F / 2, 0], 0.49, 0.51],
    ["turned, past it", [F, F, F, F / 4, 0.7], [F, F, F, F / 8, 0.7], 0.49, 0.51],
    ["the least sides", [0, 0, 1e-45, 1e-45, 0], [0, 0, 1e-45, 3e-45, 0], 0.49, 0.51],
    ["a million times as long", [0, 0, 1e6, 1, 0.3], [0, 0, 5e5, 1, 0.3], 0.49, 0.51],
  ];
  for (const [name, better, worse, under, over] of pairs) {
    const pair = Float32Array.of(...better, ...worse);
    same(sync.rotatedNms(pair, scores, { iouThreshold: under }), [0], name);
    same(sync.rotatedNms(pair, scores, { iouThreshold: over }), [0, 1], name);
  }
});

test("half, quantised and in-memory input; promises; upright NMS afterwards", async () => {
  const boxes = { data: Int8Array.of(0, 0, 40, 40, 0, 2, 0, 40, 40, 0, 90, 90, 40, 40, 1), dims: [3, 5], scale: 0.5 };
  const scores = { data: Uint16Array.of(0x3800, 0x3a00, 0x3c00), dims: [3] };
  const options = { iouThreshold: 0.5 };
  same(sync.rotatedNms(boxes, scores, options), [2, 1]);
  using resident = engine.tensor([3, 5]);
  resident.data.set([0, 0, 20, 20, 0, 1, 0, 20, 20, 0, 45, 45, 20, 20, 0.5]);
  same(await engine.rotatedNms(resident, scores, { ...options, classes: Int32Array.of(1, 2, 1) }), [2, 1, 0]);
  // Two rectangles that overlap as upright boxes of four numbers.
  same(sync.nms(Float32Array.of(0, 0, 10, 10, 1, 0, 11, 10), Float32Array.of(1, 0.5), options), [0]);
});

test("wrong input", () => {
  const boxes = new Float32Array(10);
  const scores = new Float32Array(2);
  const call = (options: object) => () => sync.rotatedNms(boxes, scores, options as RotatedNmsOptions);
  throws(call({}), TypeError, "rotatedNms", "options.iouThreshold", "undefined");
  throws(call({ iouThreshold: 1.5 }), RangeError, "rotatedNms", "options.iouThreshold", "1.5");
  throws(call({ iouThreshold: 0.5, overlap: "iou" }), TypeError, "options.overlap", "iou", "polygon", "probiou");
  throws(call({ iouThreshold: 0.5, suppression: "none" }), TypeError, "options.suppression", "none", "greedy", "fast");
  throws(call({ iouThreshold: 0.5, classes: new Int32Array(3) }), TypeError, "options.classes", "3", "(2)");
  throws(call({ iouThreshold: 0.5, classes: [1, 2] }), TypeError, "options.classes", "Int32Array");
  throws(call({ iouThreshold: 0.5, strategy: "fast" }), TypeError, "rotatedNms", "strategy");
  throws(() => sync.rotatedNms(new Float32Array(8), scores, { iouThreshold: 0.5 }), TypeError, "boxes", "(N, 5)");
  same(sync.rotatedNms(boxes, scores, { iouThreshold: 0.5 }), [0, 1]);
});

test.run();
