import { createEngine } from "densehead";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close, same, throws } from "../compare.ts";
import fixtures from "../fixtures/atss_assign.json" with { type: "json" };
import { boxes as randomBoxes, random } from "../random.ts";
import { atssAssign, type AtssScene } from "../reference/atss_assign.ts";
import { times } from "./walk.ts";

const test = suite("atssAssign");
const engine = await createEngine();
const { sync } = engine;

const GRID = { imageSize: [64, 64] as [number, number], strides: [8, 16] };

function groundTruth(boxes: ArrayLike<number>, ignore?: ArrayLike<number>) {
  return {
    boxes: Float32Array.from(boxes),
    labels: new Int32Array(boxes.length / 4),
    ...(ignore === undefined ? {} : { ignore: Float32Array.from(ignore) }),
  };
}

function assign({ boxes, ignore, ...options }: AtssScene) {
  return sync.atssAssign(options, groundTruth(boxes, ignore));
}

function agrees(scene: AtssScene): void {
  const [got, wanted] = [assign(scene), atssAssign(scene)];
  same(got.gtIndex, wanted.gtIndex, `${JSON.stringify(scene)}: gtIndex`);
  same(got.iou, Float32Array.from(wanted.iou), "iou");
}

interface Fixture extends Omit<AtssScene, "boxes" | "ignore"> {
  boxes: number[][];
  ignore?: number[][];
  positives: [anchor: number, gt: number, iou: number][];
  ignored: number[];
}

test("agrees with exact fractions, and so does the reference", () => {
  for (const { positives, ignored, boxes, ignore = [], ...rest } of fixtures as unknown as Fixture[]) {
    const scene = { ...rest, boxes: boxes.flat(), ignore: ignore.flat() };
    for (const { gtIndex, iou } of [assign(scene), atssAssign(scene)]) {
      const wanted = Array.from(gtIndex, () => -1);
      const overlaps = Array.from(gtIndex, () => 0);
      for (const [anchor, gt, overlap] of positives) [wanted[anchor], overlaps[anchor]] = [gt, overlap];
      for (const anchor of ignored) wanted[anchor] = -2;
      same(gtIndex, wanted, `${JSON.stringify(rest)}: gtIndex`);
      close(iou, overlaps, 3e-8, "iou");
    }
  }
});

test("agrees with every pair in float64, on grids and with objects of all kinds", () => {
  const place = fc.integer({ min: -80, max: 320 }).map((v) => v / 2);
  const side = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 200 }), fc.double({ min: 0, max: 300, noNaN: true }));
  const box = fc.tuple(place, place, side, side).map(([x, y, w, h]) => [x, y, x + w, y + h].map(Math.fround));
  const boxes = fc.array(box, { maxLength: 12 }).map((list) => list.flat());
  const scene = fc.record({
    imageSize: fc.tuple(fc.integer({ min: 1, max: 150 }), fc.integer({ min: 1, max: 150 })),
    strides: fc.uniqueArray(fc.constantFrom(8, 10, 16, 25, 32, 64), { minLength: 1, maxLength: 4 }),
    anchorOffset: fc.constantFrom(0, 0.5, -0.5, 0.25),
    anchorScale: fc.constantFrom(8, 5, 1, 2.5),
    topk: fc.constantFrom(9, 1, 2, 4, 13, 50),
    boxes,
    ignore: boxes,
  });
  fc.assert(fc.property(scene, agrees), { numRuns: times(200), seed: 7 });
});

test("ties go to the lower anchor and the first object", () => {
  // Objects of one size that cover the image: all IoUs are equal, so that all candidates become positive.
  const centre = fc.tuple(fc.integer({ min: -8, max: 40 }), fc.integer({ min: -8, max: 40 }));
  const covers = fc.array(centre.map(([x, y]) => [2 * x - 500, 2 * y - 500, 2 * x + 500, 2 * y + 500]), {
    minLength: 1,
  });
  const settings = fc.record({ topk: fc.integer({ min: 2, max: 20 }), anchorOffset: fc.constantFrom(0, 0.5) });
  const check = (boxes: number[][], options: { topk: number; anchorOffset: number }) =>
    agrees({ imageSize: [60, 70], strides: [8], ...options, boxes: boxes.flat() });
  fc.assert(fc.property(covers, settings, check), { numRuns: 100, seed: 9 });
});

test("objects far away find the nearest cells", () => {
  for (const far of [1e3, 1e4, 1e5, 1e6]) {
    for (const [x, y] of [[-1, 0.3], [1, 0.7], [0.2, -1], [0.5, 1], [-1, -1], [1, -0.6]]) {
      // One side is near: the box covers the image, and its centre is far.
      const covering = [Math.min(x * far, -9), Math.min(y * far, -9), Math.max(x * far, 99), Math.max(y * far, 99)];
      const away = [x * far, y * far, x * far + 30, y * far + 20];
      agrees({ ...GRID, anchorOffset: 0.5, boxes: Float32Array.from([...covering, ...away]) });
    }
  }
});

test("many objects", () => {
  const r = random(40);
  const boxes = Float32Array.from({ length: 4 * 400 }, () => r.uniform(-10, 170));
  for (let i = 0; i < boxes.length; i += 4) boxes.set([...boxes.subarray(i, i + 4)].sort((a, b) => a - b), i);
  agrees({ imageSize: [150, 170], strides: [8, 16, 32], boxes });
  const used = engine.memory.used;
  const crowd = groundTruth(Float32Array.from({ length: 4 * 10_000 }, (_, i) => i % 4 < 2 ? i % 1000 : i % 1000 + 50));
  const { gtIndex } = sync.atssAssign({ imageSize: [800, 1333], strides: [8, 16, 32, 64, 128] }, crowd);
  assert.is(gtIndex.length, 22_300);
  assert.ok(gtIndex.every((gt) => gt >= -1 && gt < 10_000));
  assert.is(engine.memory.used, used);
});

test("defaults; a crowd takes nothing from an object", async () => {
  const boxes = [10, 10, 70, 66];
  const options = { imageSize: [64, 96] as [number, number], strides: [8, 16] };
  const plain = await engine.atssAssign(options, groundTruth(boxes));
  const written = sync.atssAssign({ ...options, anchorOffset: 0, anchorScale: 8, topk: 9 }, groundTruth(boxes));
  same(plain.gtIndex, written.gtIndex);
  same(plain.iou, written.iou);
  assert.ok(plain.gtIndex.includes(0));
  const crowded = sync.atssAssign(options, groundTruth(boxes, [-100, -100, 200, 200]));
  same(crowded.gtIndex, plain.gtIndex.map((gt) => gt === -1 ? -2 : gt));
  same(crowded.iou, plain.iou);
});

test("many crowds ignore the union of what each ignores", () => {
  const r = random(31);
  const regions = Array.from(randomBoxes(r, 200, 90, 150));
  const gt = groundTruth([10, 10, 50, 40], regions);
  const all = sync.atssAssign(GRID, gt).gtIndex;
  const ignored = all.map(() => 0);
  for (let i = 0; i < regions.length; i += 4) {
    const one = sync.atssAssign(GRID, groundTruth([10, 10, 50, 40], regions.slice(i, i + 4))).gtIndex;
    one.forEach((index, anchor) => ignored[anchor] |= Number(index === -2));
  }
  same(all.map((index) => Number(index === -2)), ignored);
});

test("input is not changed", () => {
  const gt = groundTruth([10, 10, 50, 40, 0, 0, 9, 9], [0, 0, 30, 30]);
  sync.atssAssign(GRID, gt);
  same(gt.boxes, [10, 10, 50, 40, 0, 0, 9, 9]);
  same(gt.ignore as Float32Array, [0, 0, 30, 30]);
});

test("wrong input", () => {
  const gt = groundTruth([1, 2, 3, 4]);
  const bad = (options: object, kind: ErrorConstructor, ...parts: string[]) =>
    throws(() => sync.atssAssign({ ...GRID, ...options }, gt), kind, "atssAssign", ...parts);
  bad({ imageSize: [64] }, TypeError, "options.imageSize");
  bad({ imageSize: [0, 64] }, RangeError, "options.imageSize");
  bad({ imageSize: [1e9, 1e9] }, RangeError, "options.imageSize", "anchors");
  bad({ imageSize: [46340, 46340], strides: [1] }, RangeError, "options.imageSize", "2147395600 anchors", "67108864");
  bad({ strides: Array(65).fill(8) }, RangeError, "options.strides", "65 strides", "at most 64");
  bad({ strides: [] }, TypeError, "options.strides");
  bad({ strides: [8, 0] }, RangeError, "options.strides[1]");
  bad({ anchorOffset: NaN }, RangeError, "options.anchorOffset");
  bad({ anchorScale: 0 }, RangeError, "options.anchorScale");
  bad({ topk: 0 }, RangeError, "options.topk");
  bad({ topk: 1.5 }, RangeError, "options.topk");
  const badTruth = (value: unknown, kind: ErrorConstructor, ...parts: string[]) =>
    throws(() => sync.atssAssign(GRID, value as typeof gt), kind, "atssAssign", ...parts);
  badTruth(undefined, TypeError, "gt", "undefined");
  badTruth({ ...gt, boxes: [1, 2, 3, 4] }, TypeError, "gt.boxes", "Float32Array");
  badTruth({ ...gt, boxes: new Float32Array(5) }, TypeError, "gt.boxes", "Float32Array(5)");
  badTruth({ ...gt, labels: new Int32Array(2) }, TypeError, "gt.labels", "Int32Array(1)");
  badTruth({ ...gt, labels: [0] }, TypeError, "gt.labels");
  badTruth(groundTruth([0, 0, 1, 1, 5, 5, 4, 9]), RangeError, "gt.boxes[1]", "[5, 5, 4, 9]", "x1 ≤ x2");
  badTruth(groundTruth([0, NaN, 1, 1]), RangeError, "gt.boxes[0]", "NaN");
  badTruth(groundTruth([0, 0, Infinity, 1]), RangeError, "gt.boxes[0]", "Infinity");
  badTruth(groundTruth([0, 0, 1, 1], [0, 0, 1, -1]), RangeError, "gt.ignore[0]");
  badTruth({ ...gt, ignore: null }, TypeError, "gt.ignore", "null");
  // @ts-expect-error options are needed
  throws(() => sync.atssAssign(undefined, gt), TypeError, "atssAssign", "options");
});

test.run();
