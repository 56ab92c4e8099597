import { createEngine, type TensorLike } from "densehead";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close, same, throws } from "../compare.ts";
import fixtures from "../fixtures/task_aligned_assign.json" with { type: "json" };
import { boxes as randomBoxes, floats, random } from "../random.ts";
import { taskAlignedAssign, type TaskAlignedScene } from "../reference/task_aligned_assign.ts";

const test = suite("taskAlignedAssign");
const engine = await createEngine();
const { sync } = engine;

function truthOf({ gtBoxes, labels, ignore = [] }: TaskAlignedScene) {
  return {
    boxes: Float32Array.from(gtBoxes),
    labels: Int32Array.from(labels),
    ignore: Float32Array.from(ignore),
  };
}

function assign(scene: TaskAlignedScene) {
  const { topk, alpha, beta } = scene;
  const scores = Float32Array.from(scene.scores.flatMap((row) => Array.from(row)));
  const points = Float32Array.from(scene.points.flat());
  return sync.taskAlignedAssign(scores, Float32Array.from(scene.boxes), points, truthOf(scene), { topk, alpha, beta });
}

function agrees(scene: TaskAlignedScene): void {
  const [got, wanted] = [assign(scene), taskAlignedAssign(scene)];
  same(got.gtIndex, wanted.gtIndex, `${JSON.stringify(scene)}: gtIndex`);
  close(got.iou, wanted.iou, 3e-8, "iou");
  close(got.targetScores, wanted.targetScores, 6e-8, "targetScores");
}

interface Fixture {
  scores: number[][];
  boxes: number[][];
  points: [number, number][];
  gtBoxes: number[][];
  labels: number[];
  ignore?: number[][];
  topk?: number;
  positives: [anchor: number, gt: number, iou: number, target: number][];
  ignored: number[];
}

test("agrees with exact fractions, and so does the reference", () => {
  for (const { positives, ignored, ...rest } of fixtures as unknown as Fixture[]) {
    const { ignore = [], labels } = rest;
    const scene = { ...rest, boxes: rest.boxes.flat(), gtBoxes: rest.gtBoxes.flat(), ignore: ignore.flat() };
    for (const { gtIndex, iou, targetScores } of [assign(scene), taskAlignedAssign(scene)]) {
      const wanted = rest.points.map(() => -1);
      const overlaps = rest.points.map(() => 0);
      const targets = rest.scores.map((row) => row.map(() => 0));
      for (const [anchor, gt, overlap, target] of positives) {
        [wanted[anchor], overlaps[anchor], targets[anchor][labels[gt]]] = [gt, overlap, target];
      }
      for (const anchor of ignored) wanted[anchor] = -2;
      same(gtIndex, wanted, `topk ${rest.topk}: gtIndex`);
      close(iou, overlaps, 3e-8, "iou");
      close(targetScores, targets.flat(), 6e-8, "targetScores");
    }
  }
});

test("agrees with every pair in float64", () => {
  const place = fc.integer({ min: -20, max: 100 });
  const side = fc.integer({ min: 0, max: 60 });
  const box = fc.tuple(place, place, side, side).map(([x, y, w, h]) => [x, y, x + w, y + h]);
  const score = fc.oneof(fc.constantFrom(0, 0.25, 0.5, 1), fc.float({ min: 0, max: 1, noNaN: true }));
  const anchor = fc.record({
    scores: fc.array(score, { minLength: 3, maxLength: 3 }),
    box,
    point: fc.tuple(place, place),
  });
  const object = fc.record({ box, label: fc.integer({ min: 0, max: 2 }) });
  const options = fc.record({
    topk: fc.constantFrom(13, 1, 2, 5),
    alpha: fc.constantFrom(1, 0, 0.5, 2),
    beta: fc.constantFrom(6, 0, 1, 2.5),
  });
  const lists = fc.tuple(
    fc.array(anchor, { maxLength: 60 }),
    fc.array(object, { maxLength: 8 }),
    fc.array(box),
    options,
  );
  fc.assert(
    fc.property(lists, ([anchors, objects, ignore, settings]) =>
      agrees({
        ...settings,
        scores: anchors.map(({ scores }) => scores),
        boxes: anchors.flatMap((each) => each.box),
        points: anchors.map(({ point }) => point),
        gtBoxes: objects.flatMap((each) => each.box),
        labels: objects.map(({ label }) => label),
        ignore: ignore.flat(),
      })),
    { numRuns: 300, seed: 8 },
  );
});

/** A head's worth of anchors: more than a chunk. */
function largeScene() {
  const r = random(41);
  const [anchors, classes] = [1500, 80];
  return {
    anchors,
    classes,
    scores: floats(anchors * classes, () => r.integer(256) / 256),
    boxes: floats(anchors * 4, (i) => i % 4 < 2 ? r.integer(300) : 300 + r.integer(300)),
    points: floats(anchors * 2, () => r.integer(512)),
    gt: { boxes: randomBoxes(r, 30, 300, 300), labels: Int32Array.from({ length: 30 }, () => r.integer(classes)) },
  };
}

test("agrees with every pair in float64 over many chunks", () => {
  const { anchors, classes, scores, boxes, points, gt } = largeScene();
  agrees({
    scores: Array.from({ length: anchors }, (_, i) => scores.subarray(i * classes, (i + 1) * classes)),
    boxes,
    points: Array.from({ length: anchors }, (_, i) => [points[2 * i], points[2 * i + 1]] as const),
    gtBoxes: gt.boxes,
    labels: gt.labels,
  });
});

test("a point is inside by more than 0.01", () => {
  const [near, inside] = [1 / 128, 1 / 64];
  const points = [[inside, 5], [near, 5], [10 - inside, 5], [10 - near, 5]];
  const both = [...points, ...points.map(([x, y]) => [y, x])];
  const boxes = Float32Array.from(both.flatMap(() => [0, 0, 10, 10]));
  const gt = { boxes: Float32Array.of(0, 0, 10, 10), labels: Int32Array.of(0) };
  const { gtIndex } = sync.taskAlignedAssign(new Float32Array(8).fill(1), boxes, Float32Array.from(both.flat()), gt);
  same(gtIndex, [0, -1, 0, -1, 0, -1, 0, -1]);
});

test("every kind of storage gives the same, chunk by chunk and in memory", () => {
  const { anchors, classes, scores, boxes, points, gt } = largeScene();
  const wanted = sync.taskAlignedAssign(scores, boxes, points, gt);
  assert.ok(wanted.gtIndex.filter((index) => index >= 0).length > 100);
  const dims = [anchors, classes];
  using inMemory = engine.tensor(dims);
  using boxesInMemory = engine.tensor([anchors, 4]);
  inMemory.data.set(scores);
  boxesInMemory.data.set(boxes);
  const same_ = (given: TensorLike, corners: TensorLike, at: TensorLike) => {
    const got = sync.taskAlignedAssign(given, corners, at, gt);
    same(got.gtIndex, wanted.gtIndex);
    same(got.iou, wanted.iou);
    same(got.targetScores, wanted.targetScores);
  };
  same_(inMemory, boxesInMemory, points);
  same_({ data: Float64Array.from(scores), dims }, boxes, { data: Float64Array.from(points), dims: [anchors, 2] });
  const bytes = { data: Uint8Array.from(scores, (v) => v * 256), dims, scale: 1 / 256 };
  same_(bytes, { data: Float64Array.from(boxes), dims: [anchors, 4] }, points);
  const signed = { data: Int8Array.from(scores, (v) => v * 256 - 128), dims, scale: 1 / 256, zeroPoint: -128 };
  same_(signed, boxes, points);
  const half = (v: number) => {
    if (v === 0) return 0;
    const exponent = Math.floor(Math.log2(v));
    return (exponent + 15) * 1024 + (v / 2 ** exponent - 1) * 1024;
  };
  same_({ data: Uint16Array.from(scores, half), dims }, boxes, {
    data: Uint16Array.from(points, half),
    dims: [anchors, 2],
  });
});

test("memory is that of a chunk", () => {
  const { scores, boxes, points, gt } = largeScene();
  const used = engine.memory.used;
  sync.taskAlignedAssign(scores, boxes, points, gt);
  assert.is(engine.memory.used, used);
  assert.ok(engine.memory.peak < 3 * 2 ** 20);
});

test("NaN, infinite and inverted predictions belong to no object", async () => {
  const gt = { boxes: Float32Array.of(0, 0, 10, 10), labels: Int32Array.of(1) };
  const good = [0, 0, 9, 10];
  const scores = Float32Array.of(1, 0.5, 0, NaN, 0, 1, 0, 1, 0, 1, 0, Infinity, 0, -1);
  const boxes = Float32Array.of(
    ...[...good, ...good, NaN, 0, 9, 10, -Infinity, -Infinity, Infinity, Infinity],
    ...[9, 10, 0, 0, ...good, ...good],
  );
  const points = new Float32Array(14).fill(5);
  for (const options of [{}, { alpha: 2, beta: 1 }, { alpha: 0 }]) {
    const got = await engine.taskAlignedAssign({ data: scores, dims: [7, 2] }, boxes, points, gt, options);
    const infinite = options.alpha === 0 ? 0 : -1;
    same(got.gtIndex, [0, -1, -1, -1, -1, infinite, -1]);
    assert.ok(got.targetScores.every(Number.isFinite));
  }
  const { gtIndex } = sync.taskAlignedAssign({ data: scores, dims: [7, 2] }, boxes, points, gt, { beta: 0 });
  same(gtIndex, [0, -1, -1, 0, 0, -1, -1]);
  const nowhere = sync.taskAlignedAssign({ data: scores, dims: [7, 2] }, boxes, new Float32Array(14).fill(NaN), gt);
  same(nowhere.gtIndex, new Int32Array(7).fill(-1));
});

test("nothing to assign", () => {
  const none = { boxes: new Float32Array(0), labels: new Int32Array(0) };
  const empty = sync.taskAlignedAssign(none.boxes, none.boxes, none.boxes, none);
  assert.is(empty.gtIndex.length + empty.iou.length + empty.targetScores.length, 0);
  const one = { boxes: Float32Array.of(0, 0, 9, 9), labels: Int32Array.of(1) };
  assert.is(sync.taskAlignedAssign(none.boxes, none.boxes, none.boxes, one).gtIndex.length, 0);
  const negative = sync.taskAlignedAssign(new Float32Array(6), new Float32Array(8), new Float32Array(4), none);
  same(negative.gtIndex, [-1, -1]);
  same(negative.targetScores, new Float32Array(6));
});

test("any number of an object's best: one, some, all but one, all", () => {
  const r = random(44);
  const count = 300;
  const points = Array.from(
    { length: count },
    () => [r.uniform(5, 95), r.uniform(5, 95)].map(Math.fround) as [number, number],
  );
  const scene = {
    // Few values, so that alignments are equal often.
    scores: points.map(() => [Math.fround((1 + r.integer(4)) / 8)]),
    boxes: points.flatMap(([x, y], i) =>
      i % 2 === 0 ? [0, 0, 100, 100] : [x - 50, y - 50, x + 50, y + 50].map(Math.fround)
    ),
    points,
    gtBoxes: [0, 0, 100, 100, 20, 20, 80, 90],
    labels: [0, 0],
    alpha: 1,
    beta: 6,
  };
  for (const topk of [1, 2, 3, 17, 150, count - 1, count, 1000]) agrees({ ...scene, topk });
});

test("wrong input", () => {
  const [scores, boxes, points] = [new Float32Array(6), new Float32Array(8), new Float32Array(4)];
  const gt = { boxes: Float32Array.of(0, 0, 9, 9, 1, 1, 2, 2), labels: Int32Array.of(0, 2) };
  const bad = (args: unknown[], kind: ErrorConstructor, ...parts: string[]) =>
    throws(() => sync.taskAlignedAssign(...args as Parameters<typeof sync.taskAlignedAssign>), kind, ...[
      "taskAlignedAssign",
      ...parts,
    ]);
  bad([scores, boxes, new Float32Array(5), gt], TypeError, "points", "Float32Array(5)");
  bad([scores, new Float32Array(12), points, gt], TypeError, "boxes", "3 rows", "2");
  bad([new Float32Array(7), boxes, points, gt], TypeError, "scores", "Float32Array(7)", "(2, C)");
  bad([{ data: scores, dims: [3, 2] }, boxes, points, gt], TypeError, "scores", "(3, 2)");
  bad([{ data: new Uint8Array(6), dims: [2, 3] }, boxes, points, gt], TypeError, "scores.scale");
  bad([scores, boxes, points, { ...gt, labels: Int32Array.of(0, 3) }], RangeError, "gt.labels[1]", "3", "0 to 2");
  bad([scores, boxes, points, { ...gt, labels: Int32Array.of(-1, 0) }], RangeError, "gt.labels[0]", "-1");
  bad([scores, boxes, points, { ...gt, boxes: gt.boxes.toReversed() }], RangeError, "gt.boxes[0]");
  bad([scores, boxes, points, gt, { topk: 0 }], RangeError, "options.topk");
  bad([scores, boxes, points, gt, { alpha: -1 }], RangeError, "options.alpha");
  bad([scores, boxes, points, gt, { beta: Infinity }], RangeError, "options.beta");
  bad([scores, boxes, points, gt, 13], TypeError, "options");
});

test.run();
