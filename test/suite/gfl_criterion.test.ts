import { createEngine, type CriterionResult, type GflCriterionInput, type GflCriterionOptions, heads } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { throws } from "../compare.ts";
import { agrees, criterionScene, distributionsFor, groundTruth } from "../criterion_scene.ts";
import { halfBits } from "../half.ts";
import { floats, random } from "../random.ts";
import { atssAssign } from "../reference/atss_assign.ts";
import { points } from "../reference/detect.ts";
import { gflCriterion } from "../reference/gfl_criterion.ts";

const test = suite("gflCriterion");
const engine = await createEngine();
const { sync } = engine;
const head = heads.gfl({ numClasses: 5, bins: 9, anchorOffset: 0.5, strides: [8, 16, 32] });
const imageSize = [72, 104] as const;
const anchors = points(head, imageSize).length;

/** A batch of images with that many objects each. */
function example(seed: number, objects: readonly number[] = [3, 5], given = head) {
  const r = random(seed);
  const scene = criterionScene(r, given, imageSize, objects);
  return { ...scene, dist: distributionsFor(r, scene, 0.1) };
}

function compare(input: ReturnType<typeof example>, options: GflCriterionOptions): CriterionResult {
  const got = sync.gflCriterion(input, { ...options, grad: true });
  agrees(got, gflCriterion(input, options), JSON.stringify(options));
  return got;
}

test("both normalizers, in heads of all kinds, with images that have no objects", () => {
  const variants = [heads.gfl({ numClasses: 3 }), heads.nanodet({ numClasses: 80 }), heads.yolov8({ numClasses: 1 })];
  for (const [i, given] of [head, ...variants, heads.gfl({ bins: 2 }), heads.gfl({ bins: 64 })].entries()) {
    for (const objects of [[1], [4, 0, 2], [0, 3]]) {
      const input = example(200 + i, objects, given);
      for (const normalizer of ["paper", "mmdet"] as const) compare(input, { normalizer });
    }
  }
});

test("options", () => {
  const input = example(210);
  compare(input, { lambdaBox: 0.5, lambdaDfl: 3, beta: 1 });
  compare(input, { normalizer: "mmdet", lambdaBox: 0, lambdaDfl: 0, beta: 0.5 });
  const { total, parts } = sync.gflCriterion(input, { lambdaBox: 0, lambdaDfl: 0 });
  assert.equal(parts, { cls: total, box: 0, dfl: 0 });
  assert.is(sync.gflCriterion(input).grad, undefined);
});

test("saturated logits, and distributions that are certain", () => {
  const input = example(211);
  const cls = input.cls.map((x, i) => i % 3 === 0 ? 40 * Math.sign(x) : x);
  compare({ ...input, cls, dist: input.dist.map((x) => 25 * x) }, {});
  compare({ ...input, cls: cls.map((x) => Math.min(x, -60)) }, { normalizer: "mmdet" });
});

test("distributions of any finite size", () => {
  const input = example(216);
  for (const by of [-100, 80, 85, 87, 88.5, 100]) compare({ ...input, dist: input.dist.map((x) => x + by) }, {});
  for (const size of [1e20, 3e38]) {
    const dist = input.dist.map((x, i) => i % 9 < 5 ? size * Math.sign(x) : x);
    const { total, grad = {} } = sync.gflCriterion({ ...input, dist }, { grad: true });
    assert.ok(Number.isFinite(total) && total > size / 100, `${size}: ${total}`);
    assert.ok([...grad.dist, ...grad.cls].every(Number.isFinite));
  }
});

test("a box that misses its object, one that is the object, and a small one in a far corner", () => {
  const size = [4096, 4096] as const;
  const far = heads.gfl({ numClasses: 1, strides: [64], bins: 8 });
  const gt = [{ boxes: Float32Array.of(4000, 4000, 4003, 4003, 0, 0, 128, 128), labels: Int32Array.of(0, 0) }];
  const gtIndex = [new Int32Array(64 * 64).fill(-1)];
  gtIndex[0][64 * 62 + 62] = 0;
  gtIndex[0][64 + 1] = 1;
  gtIndex[0][5] = 1;
  const dist = new Float32Array(64 * 64 * 32);
  for (let side = 0; side < 4; side++) {
    dist[(65 * 4 + side) * 8 + 1] = 200;
    dist[((64 * 62 + 62) * 4 + side) * 8] = 8;
  }
  const cls = floats(64 * 64, (i) => i % 7 - 3);
  compare({ head: far, imageSize: size, gt, gtIndex, cls, dist }, {});
});

test("ignored anchors have no loss", () => {
  const input = example(212);
  const { grad = {}, parts } = sync.gflCriterion(input, { grad: true });
  const ignored = input.gtIndex.flatMap((indices) => [...indices]).flatMap((index, row) => index === -2 ? [row] : []);
  assert.ok(ignored.length > 3);
  for (const row of ignored) {
    assert.ok(grad.cls.subarray(row * 5, row * 5 + 5).every((v) => v === 0));
    assert.ok(grad.dist.subarray(row * 36, row * 36 + 36).every((v) => v === 0));
  }
  for (const logit of [Infinity, -Infinity, 3e38]) {
    const cls = input.cls.slice();
    for (const row of ignored) cls.fill(logit, row * 5, row * 5 + 5);
    assert.equal(sync.gflCriterion({ ...input, cls }, { grad: true }).parts, parts);
  }
  const counted = input.gtIndex.map((indices) => indices.map((index) => Math.max(index, -1)));
  assert.ok(sync.gflCriterion({ ...input, gtIndex: counted }).parts.cls > parts.cls);
});

test("without gtIndex ATSS assigns", () => {
  const input = example(213, [2, 4, 0]);
  const { strides, anchorOffset } = head;
  const gtIndex = input.gt.map(({ boxes }) =>
    Int32Array.from(atssAssign({ imageSize: [...imageSize], strides: [...strides], anchorOffset, boxes }).gtIndex)
  );
  const wanted = sync.gflCriterion({ ...input, gtIndex }, { grad: true });
  assert.ok(wanted.numPos > 5);
  assert.equal(sync.gflCriterion({ ...input, gtIndex: undefined }, { grad: true }), wanted);
});

test("no positives, no objects, no images", () => {
  const input = example(214, [0, 2]);
  const none = input.gtIndex.map((indices) => indices.map(() => -1));
  for (const normalizer of ["paper", "mmdet"] as const) {
    const got = compare({ ...input, gtIndex: none }, { normalizer });
    assert.is(got.numPos, 0);
    assert.ok(got.grad?.dist.every((v) => v === 0) && got.parts.cls > 0 && got.parts.box === 0);
    const empty = { head, imageSize, gt: [], cls: new Float32Array(0), dist: new Float32Array(0) };
    const nothing = sync.gflCriterion(empty, { normalizer, grad: true });
    assert.equal([nothing.total, nothing.numPos, nothing.grad?.cls.length], [0, 0, 0]);
  }
});

test("NaN stays in its anchor and in the sums", () => {
  const input = example(215, [3]);
  const plain = sync.gflCriterion(input, { grad: true });
  const nanRows = (
    values: Float32Array = new Float32Array(0),
    columns: number,
  ) => [...new Set([...values].flatMap((v, i) => Number.isNaN(v) ? [Math.floor(i / columns)] : []))];
  const positive = input.gtIndex[0].findIndex((index) => index >= 0);
  const negative = input.gtIndex[0].indexOf(-1);
  const dist = input.dist.slice();
  dist[positive * 36 + 2] = NaN;
  dist[negative * 36] = NaN;
  const box = sync.gflCriterion({ ...input, dist }, { grad: true });
  assert.ok([box.total, ...Object.values(box.parts)].every(Number.isNaN));
  assert.equal([nanRows(box.grad?.cls, 5), nanRows(box.grad?.dist, 36)], [[positive], [positive]]);
  const cls = input.cls.slice();
  cls[negative * 5] = NaN;
  const one = sync.gflCriterion({ ...input, cls }, { grad: true });
  assert.ok(Number.isNaN(one.total) && Number.isNaN(one.parts.cls));
  assert.equal([one.parts.box, one.parts.dfl], [plain.parts.box, plain.parts.dfl]);
  assert.equal([nanRows(one.grad?.cls, 5), nanRows(one.grad?.dist, 36)], [[negative], []]);
  cls[positive * 5 + 4] = NaN;
  for (const normalizer of ["paper", "mmdet"] as const) {
    const weight = sync.gflCriterion({ ...input, cls }, { normalizer });
    assert.ok([weight.total, ...Object.values(weight.parts)].every(Number.isNaN));
  }
  assert.equal(sync.gflCriterion(input, { grad: true }), plain);
});

test("half, double, quantised and in-memory maps, bare arrays and one image without a batch axis", async () => {
  const input = example(216, [4]);
  const exact = (map: Float32Array) => map.map((v) => Math.max(-8, Math.min(8, Math.round(v * 8) / 8)));
  const maps = { cls: exact(input.cls), dist: exact(input.dist) };
  const wanted = sync.gflCriterion({ ...input, ...maps }, { grad: true });
  const clsDims = [1, anchors, 5];
  const distDims = [anchors, 36];
  using cls = engine.tensor(clsDims);
  using dist = engine.tensor([1, anchors, 36]);
  cls.data.set(maps.cls);
  dist.data.set(maps.dist);
  const signed = (map: Float32Array) => ({ data: Int8Array.from(map, (v) => v * 8), scale: 1 / 8 });
  const unsigned = (map: Float32Array) => {
    return { data: Uint8Array.from(map, (v) => v * 8 + 100), scale: 1 / 8, zeroPoint: 100 };
  };
  const kinds: Partial<GflCriterionInput>[] = [
    { cls: { data: Float64Array.from(maps.cls), dims: clsDims }, dist: { data: maps.dist, dims: distDims } },
    { cls: { data: Uint16Array.from(maps.cls, halfBits), dims: clsDims } },
    { dist: { data: Uint16Array.from(maps.dist, halfBits), dims: distDims } },
    { cls: { ...signed(maps.cls), dims: clsDims }, dist: { ...unsigned(maps.dist), dims: distDims } },
    { cls, dist },
  ];
  for (const kind of kinds) {
    assert.equal(await engine.gflCriterion({ ...input, ...maps, ...kind }, { grad: true }), wanted);
  }
});

test("memory grows while it holds the maps", async () => {
  const input = example(220, [4]);
  const wanted = sync.gflCriterion(input, { grad: true });
  const dims = [1, anchors, 5];
  for (const bare of [false, true]) {
    using own = await createEngine();
    const cls = own.tensor(dims);
    const dist = own.tensor([1, anchors, 36]);
    cls.data.set(input.cls);
    dist.data.set(input.dist);
    const { reserved, used } = own.memory;
    own.tensor([Math.floor((reserved - used) / 4) - 256]);
    const maps = bare ? { cls: cls.data, dist: dist.data } : { cls, dist };
    assert.equal(own.sync.gflCriterion({ ...input, ...maps }, { grad: true }), wanted);
    assert.ok(own.memory.reserved > reserved);
  }
});

test("a small memory gives the same bits; nothing is left allocated", async () => {
  const input = example(217, [9, 9, 9, 9]);
  const small = await createEngine({ maxMemory: 512 * 1024 });
  const used = small.memory.used;
  assert.equal(small.sync.gflCriterion(input, { grad: true }), sync.gflCriterion(input, { grad: true }));
  assert.is(small.memory.used, used);
});

test("ten thousand objects", async () => {
  const own = await createEngine();
  const r = random(218);
  const scene = criterionScene(r, head, imageSize, [1]);
  const gt = [groundTruth(r, head, imageSize, 10000)];
  const before = own.memory.peak;
  const { numPos, total } = own.sync.gflCriterion({
    ...scene,
    gt,
    gtIndex: undefined,
    dist: distributionsFor(r, scene, 0.1),
  });
  assert.ok(numPos > anchors / 2 && numPos <= anchors && total > 0);
  assert.ok(own.memory.peak - before < 1024 * 1024);
});

test("wrong input", () => {
  const input = example(219);
  const run = (change: object, options = {}) => () => sync.gflCriterion({ ...input, ...change }, options);
  const { gt, gtIndex } = input;
  const changed = (image: number, change: object) => gt.map((each, i) => i === image ? { ...each, ...change } : each);
  throws(run({ head: heads.vfnet() }), TypeError, "gflCriterion", "input.head", "vfnet", "distribution");
  throws(
    run({ head: { ...head, objectness: "multiply" } }),
    TypeError,
    "input.head.objectness",
    '"multiply"',
    '"none"',
  );
  throws(run({ cls: input.cls.subarray(5) }), TypeError, "input.cls", `(2, ${anchors}, 5)`, "2 images");
  throws(run({ dist: { data: input.dist, dims: [2 * anchors, 36] } }), TypeError, "input.dist", "2 images");
  throws(run({ gt: gt.slice(1) }), TypeError, "input.gtIndex", "an array of 2", "1");
  throws(run({ gt: gt.slice(1), gtIndex: undefined }), TypeError, "input.cls", "1 image");
  throws(run({ gt: gt[0] }), TypeError, "input.gt", "an array");
  throws(
    run({ gt: changed(1, { labels: Int32Array.of(0, 1, 5, 2, 2) }) }),
    RangeError,
    "input.gt[1].labels[2]",
    "5",
    "0 to 4",
  );
  throws(run({ gt: changed(0, { labels: Int32Array.of(0, -1, 1) }) }), RangeError, "input.gt[0].labels[1]", "-1");
  throws(run({ gt: changed(1, { labels: new Float32Array(5) }) }), TypeError, "input.gt[1].labels", "Int32Array(5)");
  const inverted = gt[1].boxes.slice();
  inverted[6] = inverted[4] - 1;
  throws(run({ gt: changed(1, { boxes: inverted }) }), RangeError, "input.gt[1].boxes[1]");
  throws(run({ gtIndex: [gtIndex[0]] }), TypeError, "input.gtIndex", "an array of 1", "2");
  throws(run({ gtIndex: [gtIndex[0], new Int32Array(7)] }), TypeError, "input.gtIndex[1]", `Int32Array(${anchors})`);
  for (const index of [3, -3]) {
    const wrong = gtIndex[0].slice();
    wrong[17] = index;
    throws(run({ gtIndex: [wrong, gtIndex[1]] }), RangeError, "input.gtIndex[0][17]", `${index}`, "below 3");
  }
  throws(run({ imageSize: [0, 5] }), RangeError, "input.imageSize");
  throws(run({}, { normalizer: "sum" }), TypeError, "options.normalizer", '"paper" or "mmdet"');
  throws(run({}, { lambdaBox: -1 }), RangeError, "options.lambdaBox", "-1");
  throws(run({}, { lambdaDfl: NaN }), RangeError, "options.lambdaDfl");
  throws(run({}, { beta: -2 }), RangeError, "options.beta");
  throws(run({}, { grad: 1 }), TypeError, "options.grad");
  // @ts-expect-error no input
  throws(() => sync.gflCriterion(), TypeError, "gflCriterion", "input");
  assert.ok(sync.gflCriterion(input).total > 0);
});

test.run();
