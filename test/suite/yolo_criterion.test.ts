import { createEngine, type CriterionResult, heads, type HeadSpec, type YoloCriterionOptions } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close, throws } from "../compare.ts";
import { groundTruth } from "../criterion_scene.ts";
import { halfBits } from "../half.ts";
import { floats, random } from "../random.ts";
import type { Criterion } from "../reference/criterion.ts";
import { points } from "../reference/detect.ts";
import { yoloConstants, yoloCriterion } from "../reference/yolo_criterion.ts";
import { type YoloExample, yoloExample } from "../yolo_scene.ts";

const test = suite("yoloCriterion");
const engine = await createEngine();
const { sync } = engine;
const imageSize = [72, 104] as const;
const head = heads.yolov8({ numClasses: 5, bins: 9, strides: [8, 16, 32] });
const plain = heads.yolo26Raw({ numClasses: 5, strides: [8, 16, 32] });
const anchors = points(head, imageSize).length;

function example(seed: number, objects: readonly number[] = [3, 5], given: HeadSpec = head): YoloExample {
  return yoloExample(seed, given, imageSize, objects);
}

/** Parts within 1e-5 of themselves, gradients within 1e-5 of the largest of their map. */
function agrees(got: CriterionResult, wanted: Criterion, what: string): void {
  const parts: Record<string, number | undefined> = got.parts;
  assert.is(got.numPos, wanted.numPos, what);
  assert.equal(Object.keys(parts), ["cls", "box", "dfl"]);
  for (const [name, value] of Object.entries({ ...wanted.parts, total: wanted.total })) {
    close([name === "total" ? got.total : parts[name] as number], [value], 1e-5 * value + 1e-8, `${what}: ${name}`);
  }
  if (got.grad === undefined) return;
  for (const [name, values] of Object.entries(wanted.grad)) {
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    close(got.grad[name] as Float32Array, values, 1e-5 * largest, `${what}: d/d ${name}`);
  }
}

function compare(input: YoloExample, options: YoloCriterionOptions = {}): CriterionResult {
  const got = sync.yoloCriterion(input, { ...options, grad: true });
  agrees(got, yoloCriterion(input, options), JSON.stringify(options));
  return got;
}

test("heads of all kinds, with images that have no objects", () => {
  const small = { numClasses: 3, strides: [8, 16] };
  const distances = (["pixel", "stride", "image"] as const).map((boxUnit) => heads.yolo26Raw({ ...small, boxUnit }));
  const given = [head, heads.yolov8({ numClasses: 80 }), heads.yolov8({ numClasses: 1, bins: 2 }), ...distances];
  for (const [i, each] of given.entries()) {
    for (const objects of [[1], [4, 0, 2], [0, 3], [30]]) {
      const { numPos } = compare(example(500 + i, objects, each));
      assert.ok(numPos > 0);
    }
  }
});

test("options", () => {
  for (const given of [head, plain]) {
    const input = example(510, [4, 6], given);
    const all = compare(input);
    const batch = compare(input, { timesBatch: true });
    close([batch.total], [2 * all.total], 1e-5 * all.total);
    compare(input, { gains: { box: 1, cls: 2, dfl: 0.25 } });
    compare(input, { gains: { cls: 0 } });
    const { total, parts } = sync.yoloCriterion(input, { gains: { box: 0, dfl: 0 } });
    assert.equal(parts, { cls: total, box: 0, dfl: 0 });
    compare(input, { topk: 3 });
    compare(input, { topk: 1000 });
    compare(input, { topk: Infinity, alpha: 1, beta: 2 });
    compare(input, { alpha: 0, beta: 1.5 });
    compare(input, { beta: 0 });
    assert.is(sync.yoloCriterion(input).grad, undefined);
  }
});

test("one-to-one: as many positives as objects, or fewer", () => {
  for (const given of [head, plain]) {
    for (const objects of [[1], [6, 0, 3], [40]]) {
      const input = example(520, objects, given);
      const { numPos } = compare(input, { topk: 7, topk2: 1 });
      assert.ok(numPos > 0 && numPos <= objects.reduce((sum, count) => sum + count));
      assert.ok(compare(input, { topk: 10, topk2: 3 }).numPos >= numPos);
    }
  }
});

/** Nine anchors of stride 8, in an image of 24 × 24, whose boxes are all the same: pixels from the anchors' points. */
function nine(
  boxes: readonly (readonly number[])[],
  labels: readonly number[],
  box: (anchor: number) => readonly number[],
) {
  const of9 = heads.yolo26Raw({ numClasses: 2, strides: [8], boxUnit: "pixel" });
  const gt = [{ boxes: Float32Array.from(boxes.flat()), labels: Int32Array.from(labels) }];
  const dist = floats(36, (i) => {
    const anchor = Math.floor(i / 4);
    const point = [anchor % 3 * 8 + 4, Math.floor(anchor / 3) * 8 + 4];
    const side = i % 4;
    return side < 2 ? point[side] - box(anchor)[side] : box(anchor)[side] - point[side - 2];
  });
  return { head: of9, imageSize: [24, 24] as const, gt, cls: new Float32Array(18), dist };
}

test("an anchor goes to the best overlap around its point, also where that object did not choose it", () => {
  // The middle anchor overlaps the third object most. With topk 1 the first two choose the middle, the third chooses the corner,
  // whose score is higher.
  const input = nine([[1, 1, 20, 20], [2, 2, 20, 20], [3, 3, 21, 21]], [0, 0, 1], (anchor) => {
    return anchor === 4 ? [3, 3, 21, 21] : anchor === 8 ? [3, 3, 21, 20] : [30, 30, 31, 31];
  });
  input.cls[17] = 9;
  input.cls[9] = -9;
  const wanted = compare(input, { topk: 1 });
  assert.is(wanted.numPos, 2);
  const { gtIndex } = yoloConstants(input, { topk: 1 });
  assert.equal(gtIndex[0], [-1, -1, -1, -1, 2, -1, -1, -1, 2]);
  // With more anchors to choose, the losers keep none; then the third is left its best one.
  assert.is(compare(input, { topk: 1, topk2: 1 }).numPos, 1);
});

test("ties go to the lower anchor and the first object", () => {
  const whole = () => [0, 0, 24, 24];
  const input = nine([[0, 0, 24, 24], [0, 0, 24, 24]], [1, 0], whole);
  for (const topk of [1, 4, 9]) {
    const { numPos, grad = {} } = compare(input, { topk });
    assert.is(numPos, topk);
    // The first object's class learns.
    const learning = Array.from(grad.cls, (slope, i) => slope <= 0 ? i : -1).filter((i) => i >= 0);
    assert.equal(learning, Array.from({ length: topk }, (_, anchor) => 2 * anchor + 1));
  }
});

test("a point is inside from 1e-9 pixels on", () => {
  const edge = (x1: number) => nine([[x1, 0, 24, 24]], [0], () => [0, 0, 24, 24]);
  assert.is(compare(edge(4), { topk: 9 }).numPos, 6);
  assert.is(compare(edge(4 - 2 ** -20), { topk: 9 }).numPos, 9);
});

test("boxes that are their objects: no loss of boxes, no slope of distances", () => {
  const { parts, grad = {}, numPos } = compare(nine([[0, 0, 24, 24]], [0], () => [0, 0, 24, 24]));
  assert.is(numPos, 9);
  assert.ok(parts.box < 1e-6 && parts.dfl === 0);
  assert.ok(grad.dist.every((slope) => Math.abs(slope) < 1e-6));
});

test("saturated logits, and distributions that are certain", () => {
  const input = example(530);
  const cls = input.cls.map((x, i) => i % 3 === 0 ? 40 * Math.sign(x) : x);
  compare({ ...input, cls, dist: input.dist.map((x) => 25 * x) });
  compare({ ...input, cls: cls.map((x) => Math.min(x, -60)) });
  for (const by of [-100, 80, 88.5, 100]) compare({ ...input, dist: input.dist.map((x) => x + by) });
  for (const size of [1e20, 3e38]) {
    const dist = input.dist.map((x, i) => i % 9 < 5 ? size * Math.sign(x) : x);
    const { total, grad = {} } = sync.yoloCriterion({ ...input, dist }, { grad: true });
    assert.ok(Number.isFinite(total));
    assert.ok([...grad.dist, ...grad.cls].every(Number.isFinite));
  }
});

test("small objects in a far corner, thin ones, ones without area, ones beyond the image", () => {
  const size = [2048, 2048] as const;
  const coarse = { numClasses: 1, strides: [16, 64] };
  for (const far of [heads.yolov8({ ...coarse, bins: 8 }), heads.yolo26Raw(coarse)]) {
    const r = random(531);
    const grid = points(far, size);
    const boxes = [
      [2000, 2000, 2013, 2011],
      [2010, 1900, 2040, 1901.5],
      [7, 7, 7, 30],
      [100, 100, 100, 100],
      [-50, -50, 3000, 60],
      [3000, 3000, 3100, 3100],
      [-1e6, -1e6, 1e6, 1e6],
    ];
    const gt = [{ boxes: Float32Array.from(boxes.flat()), labels: new Int32Array(7) }];
    const dist = floats(grid.length * (far.bins > 0 ? 32 : 4), () => far.bins > 0 ? r.normal() : r.uniform(0.2, 3));
    const cls = floats(grid.length, () => r.normal());
    compare({ head: far, imageSize: size, gt, cls, dist });
  }
});

test("distances that are negative, infinite or NaN", () => {
  const input = example(532, [4], plain);
  const dist = input.dist.map((x, i) => i % 7 === 0 ? -x : x);
  compare({ ...input, dist });
  compare({ ...input, dist }, { beta: 0 });
  for (const value of [Infinity, -Infinity, 3e38, NaN]) {
    const spoilt = input.dist.map((x, i) => i % 24 === 1 ? value : x);
    const { total, grad = {}, numPos } = sync.yoloCriterion({ ...input, dist: spoilt }, { grad: true });
    assert.ok(Number.isFinite(total) && numPos > 0, `${value}: ${total}`);
    assert.ok([...grad.dist, ...grad.cls].every(Number.isFinite), `${value}`);
  }
});

test("NaN has no object; that of a logit stays in its anchor and in the sum", () => {
  const input = example(533, [4]);
  const { gtIndex: [indices] } = yoloConstants(input);
  const positive = indices.findIndex((index) => index >= 0);
  const dist = input.dist.slice();
  dist[positive * 36 + 2] = NaN;
  const boxless = compare({ ...input, dist });
  assert.ok(boxless.grad?.dist.subarray(positive * 36, positive * 36 + 36).every((slope) => slope === 0));
  const cls = input.cls.slice();
  const label = input.gt[0].labels[indices[positive]];
  cls[positive * 5 + label] = NaN;
  const { parts, total, grad = {} } = sync.yoloCriterion({ ...input, cls }, { grad: true });
  assert.ok(Number.isNaN(parts.cls) && Number.isNaN(total) && parts.box > 0 && Number.isFinite(parts.box));
  assert.equal(grad.cls.findIndex(Number.isNaN), positive * 5 + label);
  assert.is(grad.cls.filter(Number.isNaN).length, 1);
  assert.ok(grad.dist.every(Number.isFinite));
});

test("no objects, no images", () => {
  for (const given of [head, plain]) {
    const input = example(534, [0, 0], given);
    const { parts, numPos, grad = {} } = compare(input);
    assert.equal([numPos, parts.box, parts.dfl], [0, 0, 0]);
    assert.ok(parts.cls > 0 && grad.dist.length === input.dist.length && grad.dist.every((slope) => slope === 0));
    const empty = { head: given, imageSize, gt: [], cls: new Float32Array(0), dist: new Float32Array(0) };
    const nothing = sync.yoloCriterion(empty, { timesBatch: true, grad: true });
    assert.equal([nothing.total, nothing.numPos, nothing.grad?.cls.length, nothing.grad?.dist.length], [0, 0, 0, 0]);
  }
});

test("crowd regions: an anchor there without an object has no loss", () => {
  const input = example(535, [3]);
  const gt = [{ ...input.gt[0], ignore: Float32Array.of(0, 0, 50, 72, 60, 20, 80, 40) }];
  const { grad = {}, parts } = compare({ ...input, gt });
  const { gtIndex: [indices] } = yoloConstants({ ...input, gt });
  const ignored = [...indices.keys()].filter((anchor) => indices[anchor] === -2);
  assert.ok(ignored.length > 3);
  const cls = input.cls.slice();
  for (const anchor of ignored) {
    assert.ok(grad.cls.subarray(anchor * 5, anchor * 5 + 5).every((slope) => slope === 0));
    cls.fill(-Infinity, anchor * 5, anchor * 5 + 5);
  }
  assert.equal(sync.yoloCriterion({ ...input, gt, cls }, { grad: true }).parts, parts);
});

test("images are independent but for the divisor", () => {
  for (const given of [head, plain]) {
    const input = example(536, [3, 0, 5], given);
    const divisorOf = (scene: YoloExample) => Math.max(yoloConstants(scene).scores.reduce((a, b) => a + b, 0), 1);
    const { parts, grad = {}, numPos } = sync.yoloCriterion(input, { grad: true });
    const ones = input.gt.map((gt, image) => {
      const slice = (map: Float32Array<ArrayBuffer>) => {
        const length = map.length / 3;
        return map.slice(image * length, (image + 1) * length);
      };
      const one = { ...input, gt: [gt], cls: slice(input.cls), dist: slice(input.dist) };
      return { scale: divisorOf(one) / divisorOf(input), ...sync.yoloCriterion(one, { grad: true }) };
    });
    assert.is(ones.reduce((sum, one) => sum + one.numPos, 0), numPos);
    for (const name of ["cls", "box", "dfl"] as const) {
      const sum = ones.reduce((all, one) => all + (one.parts[name] as number) * one.scale, 0);
      close([parts[name] as number], [sum], 1e-6 * sum, name);
    }
    for (const name of ["cls", "dist"]) {
      const each = ones.flatMap((one) => Array.from(one.grad?.[name] ?? [], (slope) => slope * one.scale));
      close(grad[name], each, 1e-7, name);
    }
  }
});

test("half, double, quantised and in-memory maps, bare arrays and one image without a batch axis", async () => {
  const input = example(540, [4]);
  const exact = (map: Float32Array) => map.map((v) => Math.max(-8, Math.min(8, Math.round(v * 8) / 8)));
  const maps = { cls: exact(input.cls), dist: exact(input.dist) };
  const wanted = sync.yoloCriterion({ ...input, ...maps }, { grad: true });
  const clsDims = [1, anchors, 5];
  const distDims = [anchors, 36];
  using cls = engine.tensor(clsDims);
  using dist = engine.tensor([1, anchors, 36]);
  cls.data.set(maps.cls);
  dist.data.set(maps.dist);
  const signed = (map: Float32Array) => ({ data: Int8Array.from(map, (v) => v * 8), scale: 1 / 8 });
  const kinds = [
    { cls: { data: Float64Array.from(maps.cls), dims: clsDims }, dist: { data: maps.dist, dims: distDims } },
    { cls: { data: Uint16Array.from(maps.cls, halfBits), dims: clsDims } },
    { dist: { data: Uint16Array.from(maps.dist, halfBits), dims: distDims } },
    { cls: { ...signed(maps.cls), dims: clsDims }, dist: { ...signed(maps.dist), dims: distDims } },
    { cls, dist },
    { cls: cls.data, dist: dist.data },
  ];
  for (const kind of kinds) {
    assert.equal(await engine.yoloCriterion({ ...input, ...maps, ...kind }, { grad: true }), wanted);
  }
});

test("a small memory gives the same bits; nothing is left allocated", async () => {
  const input = example(541, [9, 9, 9, 9]);
  const small = await createEngine({ maxMemory: 512 * 1024 });
  const used = small.memory.used;
  assert.equal(small.sync.yoloCriterion(input, { grad: true }), sync.yoloCriterion(input, { grad: true }));
  assert.is(small.memory.used, used);
});

test("ten thousand objects", async () => {
  const own = await createEngine();
  const input = example(542, [1]);
  const gt = [groundTruth(random(543), head, imageSize, 10000)];
  const before = own.memory.peak;
  const { numPos, total } = own.sync.yoloCriterion({ ...input, gt });
  assert.ok(numPos > anchors / 2 && numPos <= anchors && total > 0);
  assert.ok(own.memory.peak - before < 1024 * 1024);
});

test("wrong input", () => {
  const input = example(544);
  const run = (change: object, options = {}) => () => sync.yoloCriterion({ ...input, ...change }, options);
  throws(
    run({ head: heads.nanodet({ boxes: "xyxy", bins: 0 }) }),
    TypeError,
    "input.head",
    '"distribution" or "distances"',
  );
  throws(run({ head: heads.yolov8({ angle: "radians" }) }), TypeError, "input.head.angle", '"radians"', '"none"');
  for (const objectness of ["multiply", "sqrt-multiply"] as const) {
    const own = { ...head, objectness };
    throws(run({ head: own }), TypeError, "yoloCriterion: input.head.objectness", `"${objectness}"`, '"none"');
  }
  assert.equal(run({ head: { ...head, objectness: "none" } })(), run({})());
  throws(run({ cls: input.cls.subarray(5) }), TypeError, "input.cls", `(2, ${anchors}, 5)`, "2 images");
  throws(run({ dist: { data: input.dist, dims: [2 * anchors, 36] } }), TypeError, "input.dist", "2 images");
  throws(run({ head: plain }), TypeError, "input.dist", `(2, ${anchors}, 4)`);
  throws(run({ gt: input.gt[0] }), TypeError, "input.gt", "an array");
  throws(run({ gtIndex: [] }), TypeError, "input.gtIndex is unknown");
  const labels = Int32Array.of(0, 1, 5);
  throws(run({ gt: [{ ...input.gt[0], labels }, input.gt[1]] }), RangeError, "input.gt[0].labels[2]", "5", "0 to 4");
  throws(run({}, { gains: 3 }), TypeError, "options.gains", "3", "an object");
  throws(run({}, { gains: { boxes: 3 } }), TypeError, "options.gains.boxes is unknown", "did you mean box?");
  throws(run({}, { gains: { dfl: -1 } }), RangeError, "options.gains.dfl", "-1");
  throws(run({}, { gains: { cls: "1" } }), TypeError, "options.gains.cls");
  throws(run({}, { topk: 0 }), RangeError, "options.topk", "0");
  throws(run({}, { topk2: 0.5 }), RangeError, "options.topk2", "0.5");
  throws(run({}, { alpha: -1 }), RangeError, "options.alpha");
  throws(run({}, { beta: NaN }), RangeError, "options.beta");
  throws(run({}, { timesBatch: 1 }), TypeError, "options.timesBatch");
  throws(run({}, { normalizer: "mmdet" }), TypeError, "options.normalizer is unknown");
  // @ts-expect-error no input
  throws(() => sync.yoloCriterion(), TypeError, "yoloCriterion", "input");
  assert.ok(sync.yoloCriterion(input).total > 0);
});

test.run();
