import { createEngine, heads, type VfnetCriterionInput, type VfnetCriterionOptions } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { throws } from "../compare.ts";
import { agrees, criterionScene, distancesFor, groundTruth } from "../criterion_scene.ts";
import { halfBits } from "../half.ts";
import { random } from "../random.ts";
import { atssAssign } from "../reference/atss_assign.ts";
import { points } from "../reference/detect.ts";
import { vfnetCriterion } from "../reference/vfnet_criterion.ts";

const test = suite("vfnetCriterion");
const engine = await createEngine();
const { sync } = engine;
const head = heads.vfnet({ numClasses: 5, strides: [8, 16, 32] });
const imageSize = [72, 104] as const;
const anchors = points(head, imageSize).length;

/** A batch of images with that many objects each. */
function example(seed: number, objects: readonly number[] = [3, 5], given = head) {
  const r = random(seed);
  const scene = criterionScene(r, given, imageSize, objects);
  return { ...scene, distances: distancesFor(r, scene, 0.2), refined: distancesFor(r, scene, 0.05) };
}

function compare(input: ReturnType<typeof example>, options: VfnetCriterionOptions) {
  const got = sync.vfnetCriterion(input, { ...options, grad: true });
  agrees(got, vfnetCriterion(input, options), JSON.stringify(options));
  return got;
}

test("both normalizers, in several heads, with images that have no objects", () => {
  const variants = [heads.vfnet({ numClasses: 80 }), heads.vfnet({ numClasses: 1, anchorOffset: 0.5 })];
  for (const [i, given] of [head, ...variants].entries()) {
    for (const objects of [[1], [4, 0, 2], [0, 3]]) {
      const input = example(300 + i, objects, given);
      for (const normalizer of ["paper", "mmdet"] as const) compare(input, { normalizer });
    }
  }
});

test("options", () => {
  const input = example(310);
  compare(input, { lambdaBox: 0.5, lambdaRefine: 3, alpha: 0.25, gamma: 1 });
  compare(input, { normalizer: "mmdet", lambdaBox: 0, lambdaRefine: 0, gamma: 0 });
  assert.is(sync.vfnetCriterion(input).grad, undefined);
});

test("mmdet's divisor is at least 1 where the IoUs sum to less", () => {
  const input = example(312, [2]);
  const gtIndex = input.gtIndex.map((indices) => {
    const first = indices.findIndex((index) => index >= 0);
    return indices.map((index, i) => index < 0 || i === first ? index : -1);
  });
  // Two thirds of the sides: less than half of the area.
  const [distances, refined] = [0.66, 0.5].map((share) =>
    distancesFor(random(1), input, 0).map((side) => side * share)
  );
  const got = compare({ ...input, gtIndex, distances, refined }, { normalizer: "mmdet" });
  assert.is(got.numPos, 1);
  assert.equal(
    got,
    sync.vfnetCriterion({ ...input, gtIndex, distances, refined }, { normalizer: "paper", grad: true }),
  );
});

test("boxes that miss, are inverted, empty or huge", () => {
  const input = example(311);
  const positive = input.gtIndex[0].findIndex((index) => index >= 0);
  for (const sides of [[-50, -50, 51, 51], [-5, 3, -5, 3], [0, 0, 0, 0], [1e4, 1e4, 1e4, 1e4]]) {
    const distances = input.distances.slice();
    const refined = input.refined.slice();
    distances.set(sides, 4 * positive);
    refined.set(sides, 4 * positive);
    compare({ ...input, distances, refined }, { normalizer: "mmdet" });
  }
  const huge = input.refined.map(() => 1e25);
  const { total, grad } = sync.vfnetCriterion({ ...input, refined: huge }, { grad: true });
  assert.ok(Number.isFinite(total) && grad?.refined.every(Number.isFinite));
});

test("ignored anchors are negatives", () => {
  const input = example(312);
  const counted = input.gtIndex.map((indices) => indices.map((index) => Math.max(index, -1)));
  const wanted = sync.vfnetCriterion({ ...input, gtIndex: counted }, { grad: true });
  assert.equal(sync.vfnetCriterion(input, { grad: true }), wanted);
});

test("without gtIndex ATSS assigns", () => {
  const input = example(313, [2, 4, 0]);
  const gtIndex = input.gt.map(({ boxes }) =>
    Int32Array.from(atssAssign({ imageSize: [...imageSize], strides: [...head.strides], boxes }).gtIndex)
  );
  const wanted = sync.vfnetCriterion({ ...input, gtIndex }, { grad: true });
  assert.ok(wanted.numPos > 5);
  assert.equal(sync.vfnetCriterion({ ...input, gtIndex: undefined }, { grad: true }), wanted);
});

test("no positives, no images", () => {
  const input = example(314, [0, 2]);
  const none = input.gtIndex.map((indices) => indices.map(() => -1));
  for (const normalizer of ["paper", "mmdet"] as const) {
    const got = compare({ ...input, gtIndex: none }, { normalizer });
    assert.equal([got.numPos, got.parts.box, got.parts.boxRefine], [0, 0, 0]);
    const maps = { cls: new Float32Array(0), distances: new Float32Array(0), refined: new Float32Array(0) };
    const nothing = sync.vfnetCriterion({ head, imageSize, gt: [], ...maps }, { normalizer, grad: true });
    assert.equal([nothing.total, nothing.numPos, nothing.grad?.cls.length], [0, 0, 0]);
  }
});

test("NaN stays in its anchor and in the sums", () => {
  const input = example(315, [3]);
  const plain = sync.vfnetCriterion(input, { grad: true });
  const positive = input.gtIndex[0].findIndex((index) => index >= 0);
  const distances = input.distances.slice();
  distances[4 * positive + 1] = NaN;
  const initial = sync.vfnetCriterion({ ...input, distances }, { grad: true });
  assert.ok(Number.isNaN(initial.total) && Number.isNaN(initial.parts.box));
  assert.equal([initial.parts.cls, initial.parts.boxRefine], [plain.parts.cls, plain.parts.boxRefine]);
  const nan = [...initial.grad?.distances ?? []].flatMap((v, i) => Number.isNaN(v) ? [i] : []);
  assert.equal(nan, [0, 1, 2, 3].map((side) => 4 * positive + side));
  const refined = input.refined.slice();
  refined[4 * positive] = NaN;
  const refinement = sync.vfnetCriterion({ ...input, refined });
  assert.ok([refinement.total, refinement.parts.cls, refinement.parts.boxRefine].every(Number.isNaN));
  assert.equal(sync.vfnetCriterion(input, { grad: true }), plain);
});

test("half, double, quantised and in-memory maps, one image without a batch axis", async () => {
  const input = example(316, [4]);
  const exact = (map: Float32Array) => map.map((v) => Math.max(-8, Math.min(8, Math.round(v * 8) / 8)));
  const maps = { cls: exact(input.cls), distances: exact(input.distances), refined: exact(input.refined) };
  const wanted = sync.vfnetCriterion({ ...input, ...maps }, { grad: true });
  const dims = [anchors, 4];
  const clsDims = [1, anchors, 5];
  using cls = engine.tensor(clsDims);
  using refined = engine.tensor([1, ...dims]);
  cls.data.set(maps.cls);
  refined.data.set(maps.refined);
  const bytes = { data: Uint8Array.from(maps.distances, (v) => v * 8 + 100), dims, scale: 1 / 8, zeroPoint: 100 };
  const kinds: Partial<VfnetCriterionInput>[] = [
    { cls: { data: Float64Array.from(maps.cls), dims: clsDims }, refined: { data: maps.refined, dims } },
    { distances: { data: Uint16Array.from(maps.distances, halfBits), dims } },
    { distances: bytes, refined: { data: Int8Array.from(maps.refined, (v) => v * 8), dims, scale: 1 / 8 } },
    { cls, refined },
  ];
  for (const kind of kinds) {
    assert.equal(await engine.vfnetCriterion({ ...input, ...maps, ...kind }, { grad: true }), wanted);
  }
});

test("a small memory gives the same bits; ten thousand objects", async () => {
  const small = await createEngine({ maxMemory: 512 * 1024 });
  const used = small.memory.used;
  const input = example(317, [9, 9, 9, 9]);
  assert.equal(small.sync.vfnetCriterion(input, { grad: true }), sync.vfnetCriterion(input, { grad: true }));
  assert.is(small.memory.used, used);
  const crowded = example(318, [1]);
  const gt = [groundTruth(random(319), head, imageSize, 10000)];
  assert.ok(small.sync.vfnetCriterion({ ...crowded, gt, gtIndex: undefined }).numPos > anchors / 2);
});

test("wrong input", () => {
  const input = example(320);
  const run = (change: object, options = {}) => () => sync.vfnetCriterion({ ...input, ...change }, options);
  throws(run({ head: heads.gfl() }), TypeError, "vfnetCriterion", "input.head", "gfl", "distances");
  throws(
    run({ head: { ...head, objectness: "multiply" } }),
    TypeError,
    "input.head.objectness",
    '"multiply"',
    '"none"',
  );
  throws(run({ cls: new Float32Array(5) }), TypeError, "input.cls", `(2, ${anchors}, 5)`);
  throws(run({ distances: input.distances.subarray(4) }), TypeError, "input.distances", `(2, ${anchors}, 4)`);
  throws(run({ refined: { data: input.refined, dims: [2 * anchors, 4] } }), TypeError, "input.refined", "2 images");
  const labels = Int32Array.of(0, 9, 1);
  throws(run({ gt: [{ ...input.gt[0], labels }, input.gt[1]] }), RangeError, "input.gt[0].labels[1]", "9", "0 to 4");
  throws(run({}, { normalizer: "none" }), TypeError, "options.normalizer");
  for (const name of ["lambdaBox", "lambdaRefine", "alpha", "gamma"]) {
    throws(run({}, { [name]: -1 }), RangeError, `options.${name}`, "-1");
  }
  // @ts-expect-error no refined boxes
  throws(() => sync.vfnetCriterion({ ...input, refined: undefined }), TypeError, "input.refined", "undefined");
  assert.ok(sync.vfnetCriterion(input).total > 0);
});

test.run();
