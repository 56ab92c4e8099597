/**
 * densehead/eval: against pycocotools on small data sets, by hand where pycocotools has nothing, in parts, and on wrong input.
 */
import {
  type CocoDataset,
  cocoEvaluate,
  type CocoEvaluation,
  CocoEvaluator,
  type CocoOptions,
  type EvalResult,
  rle,
} from "densehead/eval";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close, same, throws } from "../compare.ts";
import fixture from "../fixtures/eval.json" with { type: "json" };
import { random } from "../random.ts";

const test = suite("eval");

interface Case {
  readonly dataset: CocoDataset;
  readonly results: EvalResult[];
  readonly options: CocoOptions;
  readonly stats: number[] | null;
  readonly counts: number[];
  readonly precision: number;
  readonly recall: number;
}

const cases = fixture.cases as unknown as Case[];

/** As the fixture keeps arrays. */
function digest(values: Float64Array): number {
  return values.reduce((sum, value, i) => sum + value * (1 + i % 97), 0) / values.length;
}

/** All numbers, as text: their bits. */
function bits(evaluation: CocoEvaluation): string {
  return JSON.stringify(evaluation, (_, value) => ArrayBuffer.isView(value) ? [...value as Float64Array] : value);
}

// ── COCO ────────────────────────────────────────────────────────────────────────

for (const { dataset, results, options, ...wanted } of cases) {
  test(`${JSON.stringify(options)} is what pycocotools says`, () => {
    const found = cocoEvaluate(dataset, results, options);
    assert.equal(found.counts, wanted.counts);
    close(
      [digest(found.precision), digest(found.recall)],
      [wanted.precision, wanted.recall],
      1e-12,
      "precision, recall",
    );
    if (wanted.stats !== null) close(Object.values(found.stats), wanted.stats, 1e-12, "stats");
  });
}

test("the statistics have pycocotools' names and order, and those of other maxDets their numbers", () => {
  const names = (options: CocoOptions) => Object.keys(cocoEvaluate(cases[0].dataset, [], options).stats).join(" ");
  const areas = "APsmall APmedium APlarge";
  assert.is(names({}), `AP AP50 AP75 ${areas} AR1 AR10 AR100 ARsmall ARmedium ARlarge`);
  assert.is(names({ maxDets: [300, 2] }), `AP AP50 AP75 ${areas} AR2 AR300 ARsmall ARmedium ARlarge`);
  const { dataset, results, options } = cases.find((each) => each.options.kind === "keypoints") as Case;
  const { stats } = cocoEvaluate(dataset, results, options);
  assert.is(Object.keys(stats).join(" "), "AP AP50 AP75 APmedium APlarge AR AR50 AR75 ARmedium ARlarge");
});

const CATS = [{ id: 1, name: "cat" }, { id: 2 }];

/** One image with a box for each score and place; truths at the given places. */
function scene(truths: number[][], found: number[][], kind?: CocoOptions): CocoEvaluation {
  const evaluator = new CocoEvaluator(CATS, kind);
  evaluator.add(
    1,
    truths.map((bbox) => ({ image_id: 1, category_id: 1, bbox })),
    found.map(([score, ...bbox]) => ({ image_id: 1, category_id: 1, bbox, score })),
  );
  return evaluator.evaluate();
}

test("AP of the largest maxDets, −1 where there is nothing to take a mean of", () => {
  const { stats, classes, precision } = scene([[0, 0, 10, 10]], [[0.9, 50, 50, 9, 9], [0.8, 0, 0, 10, 10]], {
    maxDets: [1, 2],
    iouThresholds: [0.6],
  });
  close([stats.AP, stats.AP50, stats.AR1, stats.AR2, stats.APlarge], [0.5, -1, 0, 1, -1], 1e-15);
  close([classes[0].AP, classes[0].AR, classes[0].objects], [0.5, 1, 1], 1e-15);
  close([classes[1].AP, classes[1].AP50, classes[1].AR, classes[1].objects], [-1, -1, -1, 0], 0);
  assert.is(precision.length, 101 * 2 * 4 * 2);
  assert.equal(classes.map(({ id, name }) => [id, name]), [[1, "cat"], [2, undefined]]);
});

test("equal scores count in the order of images: numbers rising, then texts by code unit", () => {
  const right = { category_id: 1, bbox: [0, 0, 10, 10] };
  const apOf = (ids: readonly (number | string)[]) => {
    // The first of the ids has a wrong detection, the others are right: the later it comes, the better.
    const images = ids.map((id) => ({ id })).reverse();
    const annotations = ids.slice(1).map((id) => ({ ...right, image_id: id }));
    const wrong = { category_id: 1, bbox: [70, 70, 10, 10] };
    const results = ids.map((id, i) => ({ ...(i === 0 ? wrong : right), image_id: id, score: 0.5 }));
    return cocoEvaluate({ images, categories: CATS, annotations }, results).stats.AP50;
  };
  close([apOf([2, 10, "1"]), apOf([10, 2, "1"]), apOf(["b", "B", 3]), apOf(["é", "z", "a"])], [
    2 / 3,
    // One right before it, one behind.
    (51 + 50 * 2 / 3) / 101,
    1,
    1,
  ], 1e-12);
});

// ── Beyond COCO ─────────────────────────────────────────────────────────────────

test("missing members of annotations: area of the box, no crowd, labelled keypoints", () => {
  const points = [10, 10, 2, 20, 10, 1, 15, 20, 0];
  const keypoints = { kind: "keypoints", sigmas: [0.1, 0.1, 0.1] } as const;
  const object = { image_id: 1, category_id: 1, bbox: [0, 0, 40, 40], keypoints: points };
  const results = [{ image_id: 1, category_id: 1, keypoints: points, score: 1 }];
  const run = (annotation: object) =>
    cocoEvaluate(
      { images: [{ id: 1 }], categories: CATS, annotations: [annotation as typeof object] },
      results,
      keypoints,
    );
  assert.is(bits(run(object)), bits(run({ ...object, area: 1600, iscrowd: 0, num_keypoints: 2 })));
  assert.is(run(object).classes[0].objects, 1);
  assert.is(run({ ...object, num_keypoints: 0 }).classes[0].objects, 0);
  assert.is(run({ ...object, keypoints: points.map((v, i) => i % 3 === 2 ? 0 : v) }).classes[0].objects, 0);
});

test("a detection's area is that of its keypoints or its mask, also when it has a bbox", () => {
  // Unmatched in an image without objects of that size: ignored where its area is not of the range.
  const found = { image_id: 1, category_id: 1, score: 0.9, bbox: [0, 0, 1, 1] };
  const keypoints = Array.from({ length: 17 }, (_, i) => [100 + i * 10, 100 + i * 10, 1]).flat();
  const truth = { image_id: 1, category_id: 1, bbox: [300, 300, 160, 160], keypoints: keypoints.map((v) => v + 300) };
  const { stats } = cocoEvaluate(
    { images: [{ id: 1 }], categories: CATS, annotations: [truth] },
    [{ ...found, keypoints }, { ...found, score: 0.5, keypoints: truth.keypoints }],
    { kind: "keypoints" },
  );
  close([stats.AP, stats.APlarge], [0.5, 0.5], 1e-12);
});

/** Area of what two convex polygons share: their corners inside of the other and crossings of their sides, around the middle. */
function sharedArea(a: number[][], b: number[][]): number {
  const cross = (o: number[], p: number[], q: number[]) =>
    (p[0] - o[0]) * (q[1] - o[1]) - (p[1] - o[1]) * (q[0] - o[0]);
  const sides = (polygon: number[][]) => polygon.map((p, i) => [p, polygon[(i + 1) % polygon.length]]);
  const inside = (p: number[], polygon: number[][]) => {
    const turns = sides(polygon).map(([from, to]) => cross(from, to, p));
    return turns.every((turn) => turn >= -1e-9) || turns.every((turn) => turn <= 1e-9);
  };
  const points = [...a.filter((p) => inside(p, b)), ...b.filter((p) => inside(p, a))];
  for (const [p, q] of sides(a)) {
    for (const [r, s] of sides(b)) {
      const [d1, d2, d3, d4] = [cross(r, s, p), cross(r, s, q), cross(p, q, r), cross(p, q, s)];
      if (d1 * d2 < 0 && d3 * d4 < 0) points.push([0, 1].map((n) => p[n] + d1 / (d1 - d2) * (q[n] - p[n])));
    }
  }
  const middle = [0, 1].map((n) => points.reduce((sum, p) => sum + p[n], 0) / points.length);
  const angle = (p: number[]) => Math.atan2(p[1] - middle[1], p[0] - middle[0]);
  const around = points.sort((p, q) => angle(p) - angle(q));
  return sides(around).reduce((sum, [p, q]) => sum + cross(middle, p, q), 0) / 2;
}

function cornersOf([x, y, width, height, angle]: number[]): number[][] {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [ux, uy, vx, vy] = [width / 2 * cos, width / 2 * sin, -height / 2 * sin, height / 2 * cos];
  return [[x + ux + vx, y + uy + vy], [x + ux - vx, y + uy - vy], [x - ux - vx, y - uy - vy], [
    x - ux + vx,
    y - uy + vy,
  ]];
}

/** The IoU that the evaluation has of two boxes: what LRP makes of the only hit. */
function rotatedIou(a: number[], b: number[]): number {
  return 1 - scene([a], [[0.5, ...b]], { kind: "rotated" }).lrp.localization;
}

test("rotated boxes overlap as their polygons do", () => {
  const r = random(1);
  let hits = 0;
  for (let i = 0; i < 300; i++) {
    const box = () => [r.uniform(0, 4), r.uniform(0, 4), r.uniform(4, 9), r.uniform(4, 9), r.uniform(-4, 4)];
    const [a, b] = [box(), box()];
    const both = sharedArea(cornersOf(a), cornersOf(b));
    const iou = both / (a[2] * a[3] + b[2] * b[3] - both);
    if (iou < 0.5) {
      assert.is(scene([a], [[0.5, ...b]], { kind: "rotated" }).lrp.oLRP, 1, `${a} ${b}: ${iou}`);
    } else {
      close([rotatedIou(a, b)], [iou], 1e-12, `${a} ${b}`);
      hits++;
    }
  }
  assert.ok(hits > 50, `${hits} hits`);
  close([rotatedIou([5, 5, 4, 2, 0.3], [5, 5, 4, 2, 0.3])], [1], 0, "the same box");
  close([rotatedIou([5, 5, 4, 2, 0], [5, 5, 2, 4, Math.PI / 2])], [1], 0, "a quarter turn");
  close([rotatedIou([5e6, 5e6, 4, 2, 1], [5e6, 5e6, 2, 2, 1])], [0.5], 1e-9, "far away");
  // Exactly at a threshold, as upright boxes are.
  close([scene([[8, 8, 4, 4, 0]], [[0.5, 8, 8, 4, 3, 0]], { kind: "rotated" }).stats.AP75], [1], 1e-15);
});

test("optimal LRP by hand", () => {
  const truths = [[0, 0, 10, 10], [100, 0, 10, 10], [200, 0, 10, 10]];
  // IoU 1, then wrong, 0.8, wrong twice.
  const found = [[0.9, 0, 0, 10, 10], [0.8, 50, 50, 9, 9], [0.7, 100, 0, 10, 8], [0.6, 60, 60, 9, 9], [
    0.5,
    70,
    70,
    9,
    9,
  ]];
  const { lrp, classes } = scene(truths, found);
  // At 0.9: 2 missed of 3. At 0.7: (0.2 / 0.5 + 1 + 1) / 4.
  close([lrp.oLRP, lrp.localization, lrp.falsePositive, lrp.falseNegative], [0.6, 0.1, 1 / 3, 1 / 3], 1e-12);
  close([classes[0].oLRP, classes[0].threshold, classes[1].oLRP, classes[1].threshold], [0.6, 0.7, -1, -1], 1e-12);
  const missed = scene(truths, [[0.8, 50, 50, 9, 9]]);
  close(
    [missed.lrp.oLRP, missed.lrp.localization, missed.lrp.falsePositive, missed.lrp.falseNegative],
    [1, -1, -1, 1],
    0,
  );
  close([missed.classes[0].oLRP, missed.classes[0].threshold], [1, NaN], 0);
  assert.is(scene([], []).lrp.oLRP, -1);
});

test("calibration by hand", () => {
  const truths = [[0, 0, 10, 10], [100, 0, 10, 10]];
  const found = [[0.95, 0, 0, 10, 10], [0.3, 100, 0, 10, 8], [0.35, 50, 50, 9, 9], [1, 60, 60, 9, 9]];
  const { calibration: { ECE, LaECE, rankCorrelation, bins } } = scene(truths, found);
  // Bins of 0.3 and 0.9: two detections each, one of which is right.
  close([ECE], [(Math.abs(0.65 - 1) + Math.abs(1.95 - 1)) / 4], 1e-12);
  // 0.95, in (0.92, 0.96], has 1; 0.3, in (0.28, 0.32], has 0.8; 0.35 and 1 are wrong.
  close([LaECE], [(0.05 + 0.5 + 0.35 + 1) / 4], 1e-12);
  close([rankCorrelation], [1], 1e-12);
  assert.is(bins.length, 10);
  assert.equal(bins.map(({ detections }) => detections), [0, 0, 0, 2, 0, 0, 0, 0, 0, 2]);
  close([bins[3].score, bins[3].precision, bins[0].score], [0.325, 0.5, NaN], 1e-12);
});

test("a score on the edge of a bin, outside of all, and classes that LaECE leaves out", () => {
  const box = [0, 0, 10, 10];
  const atEdge = scene([box], [[0.3, ...box], [0.1, 50, 50, 9, 9], [0, 60, 60, 9, 9]]).calibration.bins;
  assert.equal(atEdge.map(({ detections }) => detections), [1, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
  for (const score of [1.5, -0.1]) {
    const { ECE, LaECE, rankCorrelation } = scene([box], [[score, ...box]]).calibration;
    close([ECE, LaECE, rankCorrelation], [NaN, NaN, NaN], 0);
  }
  // Its error is exactly 0; that of the other class is not there, because it has no object.
  const exact = scene([box], [[1, ...box]]).calibration;
  close([exact.ECE, exact.LaECE], [0, NaN], 0);
});

test("equal scores and overlaps share the mean of their ranks", () => {
  const truths = [0, 1, 2, 3].map((i) => [100 * i, 0, 10, 10]);
  const heights = [10, 8, 8, 6];
  const found = [0.9, 0.5, 0.7, 0.5].map((score, i) => [score, 100 * i, 0, 10, heights[i]]);
  // Ranks 4 1.5 3 1.5 and 4 2.5 2.5 1.
  close([scene(truths, found).calibration.rankCorrelation], [3.75 / 4.5], 1e-12);
});

// ── Parts ───────────────────────────────────────────────────────────────────────

/** Each image added to one of so many evaluators. */
function inParts({ dataset, results, options }: Case, parts: number): CocoEvaluator[] {
  const evaluators = Array.from({ length: parts }, () => new CocoEvaluator(dataset.categories, options));
  dataset.images.forEach(({ id, height, width }, i) => {
    const own = <T extends { image_id: number | string }>(rows: readonly T[]) =>
      rows.filter((row) => row.image_id === id);
    const size = height === undefined || width === undefined ? undefined : [height, width];
    evaluators[i % parts].add(id, own(dataset.annotations), own(results), size);
  });
  return evaluators;
}

for (const each of cases) {
  test(`${JSON.stringify(each.options)} in parts, merged in any order, has the same bits`, () => {
    const whole = bits(cocoEvaluate(each.dataset, each.results, each.options));
    const orders = [[0, 1, 2], [2, 0, 1], [1, 2, 0, 1]];
    const merged = orders.map((order) => {
      const parts = inParts(each, 3);
      const all = new CocoEvaluator(each.dataset.categories, each.options);
      for (const part of order) all.merge(JSON.parse(JSON.stringify(parts[part])));
      return all;
    });
    for (const all of merged) {
      assert.is(bits(all.evaluate()), whole);
      assert.is(JSON.stringify(all), JSON.stringify(merged[0]));
    }
    const [first, ...others] = inParts(each, 3);
    for (const other of others) first.merge(other);
    assert.is(bits(first.evaluate()), whole);
    assert.is(bits(CocoEvaluator.fromJSON(first.toJSON()).evaluate()), whole);
  });
}

test("an image that is added again replaces what was there, and a wrong row changes nothing", () => {
  const truth = { image_id: "a", category_id: 1, bbox: [0, 0, 10, 10] };
  const evaluator = new CocoEvaluator(CATS);
  evaluator.add("a", [truth], []);
  assert.is(evaluator.evaluate().stats.AR1, 0);
  evaluator.add("a", [truth], [{ ...truth, score: 0.5 }]);
  assert.is(evaluator.evaluate().stats.AR1, 1);
  throws(() => evaluator.add("a", [truth], [{ ...truth, score: NaN }]), RangeError, "results[0].score is NaN");
  assert.is(evaluator.evaluate().stats.AR1, 1);
  evaluator.add("b", [{ ...truth, image_id: "b" }], []);
  assert.is(evaluator.evaluate().stats.AR1, 0.5);
});

test("merging refuses other rows of the same image, other options, and what is no state", () => {
  const truth = { image_id: 1, category_id: 1, bbox: [0, 0, 10, 10] };
  const of = (results: EvalResult[], options?: CocoOptions, categories: CocoDataset["categories"] = CATS) => {
    const evaluator = new CocoEvaluator(categories, options);
    evaluator.add(1, [truth], results);
    return evaluator;
  };
  const here = of([]);
  const before = JSON.stringify(here);
  here.merge(of([]));
  throws(() => here.merge(of([{ ...truth, score: 1 }])), RangeError, "CocoEvaluator.merge: other has image number 1");
  throws(() => here.merge(of([], { maxDets: [5] })), TypeError, "other.maxDets is [5]", "[1,10,100]");
  throws(() => here.merge(of([], {}, [{ id: 1 }])), TypeError, "other.categories");
  for (const none of [null, 5, {}, [], { format: "other" }]) {
    throws(() => here.merge(none as object), TypeError, "CocoEvaluator.merge: other");
    throws(() => CocoEvaluator.fromJSON(none as object), TypeError, "CocoEvaluator.fromJSON: state");
  }
  assert.is(JSON.stringify(here), before);
});

test("what comes of toJSON is the caller's: changes to it reach no evaluator", () => {
  const truth = { image_id: 1, category_id: 1, bbox: [0, 0, 10, 10] };
  const evaluator = new CocoEvaluator(CATS);
  evaluator.add(1, [truth], [{ ...truth, score: 1 }]);
  const before = JSON.stringify(evaluator);
  const empty = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    Object.values(value).forEach(empty);
    if (Array.isArray(value)) value.length = 0;
  };
  empty(evaluator.toJSON());
  assert.is(JSON.stringify(evaluator), before);
  const other = new CocoEvaluator(CATS);
  other.merge(evaluator);
  assert.is(JSON.stringify(other), before);
});

test("a damaged state is refused, whatever is damaged in it", () => {
  const { dataset, results } = cases[0];
  const evaluator = inParts({ ...cases[0], dataset, results }, 1)[0];
  interface State extends Record<string, unknown> {
    images: Record<string, unknown>[];
  }
  const state = () => JSON.parse(JSON.stringify(evaluator)) as State;
  const refuse = (change: (state: State) => void, part: string) => {
    const damaged = state();
    change(damaged);
    throws(() => CocoEvaluator.fromJSON(damaged), TypeError, part);
  };
  CocoEvaluator.fromJSON(state());
  const place = state().images.findIndex(({ scores }) => (scores as number[]).length > 1);
  const at = `state.images[${place}]`;
  refuse((s) => delete s.images[place].states, `${at}.states is undefined`);
  refuse((s) => s.images[place].states = `${s.images[place].states}0`, `${at}.states`);
  refuse((s) => s.images[place].states = String(s.images[place].states).replace(/./, "3"), `${at}.states`);
  refuse((s) => (s.images[place].scores as number[]).pop(), `${at}.scores`);
  refuse((s) => (s.images[place].scores as unknown[])[0] = null, `${at}.scores`);
  refuse((s) => (s.images[place].overlaps as number[])[0] = -2, `${at}.overlaps`);
  refuse((s) => s.images[place].classes = [99], `${at}.classes`);
  refuse((s) => (s.images[place].classes as number[]).reverse().push(0), `${at}.`);
  refuse((s) => s.images[place].objects = [], `${at}.objects`);
  refuse((s) => s.images[place].found = [], `${at}.found`);
  refuse((s) => s.images[place].id = null, `${at}.id`);
  refuse((s) => s.images[place] = null as unknown as Record<string, unknown>, at);
  refuse((s) => delete (s as Partial<State>).images, "state.images");
  refuse((s) => s.images.push(s.images[0]), "is of the same id");
});

// ── Run lengths ─────────────────────────────────────────────────────────────────

test("run lengths are pycocotools' to the byte", () => {
  fixture.masks.forEach(({ size, polygons, drawn, bitmap, encoded, areas, crowd, iou }, i) => {
    const shape = size as [number, number];
    const pixels = Uint8Array.from(bitmap, Number);
    const [a, b] = [rle.fromPolygons(polygons, shape), rle.encode(pixels, shape)];
    assert.equal([a, b], [{ size, counts: drawn }, { size, counts: encoded }], `mask ${i}`);
    assert.equal([rle.area(a), rle.area(b)], areas);
    same(rle.decode(b), pixels);
    same(rle.iou([a], [b], [crowd as 0 | 1]), [iou]);
  });
});

test("counts as a list are those as a text; several masks make a matrix", () => {
  const size = [2, 3] as const;
  same(rle.decode({ size, counts: [1, 2, 3] }), [0, 1, 0, 1, 0, 0]);
  const [left, all, none] = [{ size, counts: [0, 2, 4] }, { size, counts: [0, 6] }, { size, counts: [6] }];
  close(rle.iou([left, none], [all, left, none]), [1 / 3, 1, 0, 0, 0, 0], 1e-15);
  close(rle.iou([all], [left, left], [0, 1]), [1 / 3, 1 / 3], 1e-15);
  close(rle.iou([left], [all], [1]), [1], 0);
  assert.is(rle.iou([], [left]).length, 0);
  assert.is(rle.area({ size: [5000, 4000], counts: [0, 2e7] }), 2e7);
});

test("wrong run lengths and polygons", () => {
  const size = [2, 3] as const;
  throws(() => rle.encode([0, 1] as unknown as Uint8Array, size), TypeError, "rle.encode: bitmap is an array of 2");
  throws(() => rle.encode(new Uint8Array(5), size), TypeError, "Uint8Array(5)", "Uint8Array(6)");
  throws(() => rle.encode(new Uint8Array(6), [2] as unknown as [number, number]), TypeError, "rle.encode: size");
  throws(() => rle.encode(new Uint8Array(6), [0, 6]), RangeError, "size[0] is 0");
  throws(() => rle.decode({ size: [1e5, 1e5], counts: "" }), RangeError, "code.size");
  throws(() => rle.decode({ size, counts: [1, 2] }), RangeError, "code.counts is of 3 pixels; wanted 6");
  throws(() => rle.decode({ size, counts: [7, -1] }), RangeError, "code.counts[1] is -1");
  throws(() => rle.decode({ size, counts: 5 as unknown as string }), TypeError, "code.counts");
  throws(() => rle.decode({ size, counts: "é" }), RangeError, "character 0");
  throws(() => rle.decode({ size, counts: "P" }), RangeError, "ends inside");
  throws(() => rle.decode({ size, counts: "PPPPPPPPP1" }), RangeError, "compressed counts");
  throws(() => rle.decode({ size, counts: "O7" }), RangeError, "-1 at count 0");
  throws(() => rle.area([] as unknown as { size: [number, number]; counts: string }), TypeError, "rle.area: code");
  throws(
    () => rle.iou([{ size, counts: [6] }], [{ size: [3, 2], counts: [6] }]),
    RangeError,
    "truths[0].size is [3, 2]",
  );
  throws(() => rle.iou([{ size, counts: [6] }], [{}]), TypeError, "truths[0].size");
  throws(() => rle.iou(5 as unknown as [], []), TypeError, "rle.iou: detections");
  throws(() => rle.iou([], [], [1]), TypeError, "rle.iou: crowd");
  throws(() => rle.fromPolygons([[0, 0, 1, 1]], size), RangeError, "polygons[0] is of 4 numbers", "three points");
  throws(() => rle.fromPolygons([[0, 0, 1, 1, 2, 2, 3]], size), RangeError, "polygons[0] is of 7 numbers");
  throws(() => rle.fromPolygons([[0, 0, 1, 1, 2, NaN]], size), RangeError, "polygons[0][5] is NaN");
  throws(() => rle.fromPolygons([[0, 0, 1, 1, 2, "3"]] as unknown as number[][], size), TypeError, "polygons[0][5]");
  throws(() => rle.fromPolygons([[0, 0, 1, 1, 2, 5e6]], size), RangeError, "polygons[0][5] is 5000000");
  throws(() => rle.fromPolygons([], size), TypeError, "polygons is an array of 0");
  throws(() => rle.fromPolygons([5] as unknown as number[][], size), TypeError, "polygons[0] is number 5");
});

// ── Wrong input ─────────────────────────────────────────────────────────────────

const TRUTH = { image_id: 1, category_id: 1, bbox: [0, 0, 10, 10] };
const RESULT = { ...TRUTH, score: 0.5 };
const DATASET = { images: [{ id: 1 }], categories: CATS, annotations: [TRUTH] };

/** Evaluates with a change to a row that is right. */
function withRow(
  list: "annotations" | "results",
  change: object,
  options?: CocoOptions,
  images: object[] = [{ id: 1 }],
) {
  const [truth, result] = [{ ...TRUTH }, { ...RESULT }];
  const dataset = {
    ...DATASET,
    images,
    annotations: [TRUTH, list === "annotations" ? { ...truth, ...change } : truth],
  } as CocoDataset;
  const results = [RESULT, list === "results" ? { ...result, ...change } : result] as EvalResult[];
  return () => cocoEvaluate(dataset, results, options);
}

test("wrong rows are refused, with their place and what is wrong", () => {
  withRow("results", {})();
  for (const list of ["annotations", "results"] as const) {
    const name = list === "annotations" ? "dataset.annotations" : "results";
    const refuse = (change: object, kind: ErrorConstructor, ...parts: string[]) =>
      throws(withRow(list, change), kind, `cocoEvaluate: ${name}[1].`, ...parts);
    refuse({ image_id: 2 }, RangeError, "image_id is number 2");
    refuse({ image_id: "1" }, RangeError, 'image_id is "1"');
    refuse({ image_id: undefined }, RangeError, "image_id is undefined");
    refuse({ category_id: 3 }, RangeError, "category_id is number 3");
    refuse({ bbox: undefined }, TypeError, "bbox is undefined", "x, y, width, height");
    refuse({ bbox: [0, 0, 10] }, TypeError, "bbox is an array of 3");
    refuse({ bbox: [0, 0, 10, "10"] }, TypeError, 'bbox[3] is "10"');
    refuse({ bbox: [0, NaN, 10, 10] }, RangeError, "bbox[1] is NaN");
    refuse({ bbox: [0, 0, 10, Infinity] }, RangeError, "bbox[3] is Infinity");
    refuse({ bbox: [0, 0, 0, 10] }, RangeError, "bbox is [0, 0, 0, 10]");
    refuse({ bbox: [0, 0, 10, -1] }, RangeError, "bbox is [0, 0, 10, -1]");
  }
  throws(withRow("results", { score: NaN }), RangeError, "results[1].score is NaN");
  throws(withRow("results", { score: Infinity }), RangeError, "results[1].score is Infinity");
  throws(withRow("results", { score: "1" }), TypeError, "results[1].score");
  throws(withRow("annotations", { area: -1 }), RangeError, "annotations[1].area is -1");
  throws(withRow("annotations", { area: NaN }), RangeError, "annotations[1].area is NaN");
  throws(withRow("annotations", { area: null }), TypeError, "annotations[1].area");
  throws(withRow("annotations", { iscrowd: 2 }), RangeError, "annotations[1].iscrowd is 2");
});

test("ids that two rows have are refused", () => {
  const twice = (change: object) => () => cocoEvaluate({ ...DATASET, ...change }, []);
  throws(
    twice({ images: [{ id: 1 }, { id: 2 }, { id: 1 }] }),
    RangeError,
    "images[2].id is number 1, as that of dataset.images[0]",
  );
  cocoEvaluate({ ...DATASET, images: [{ id: 1 }, { id: "1" }] }, []);
  throws(twice({ categories: [{ id: 1 }, { id: 1 }] }), RangeError, "categories[1].id is number 1");
  const annotations = [{ ...TRUTH, id: 7 }, TRUTH, { ...TRUTH, id: 7 }];
  throws(twice({ annotations }), RangeError, "annotations[2].id is number 7, as that of dataset.annotations[0]");
  const evaluator = new CocoEvaluator(CATS);
  throws(() => evaluator.add(1, annotations, []), RangeError, "CocoEvaluator.add: annotations[2].id");
});

test("wrong masks and keypoints are refused", () => {
  const sized = [{ id: 1, height: 20, width: 30 }];
  const code = { size: [20, 30], counts: [600] };
  const refuse = (segmentation: unknown, kind: ErrorConstructor, ...parts: string[]) => {
    const options = { kind: "segm" } as const;
    const all = (list: "annotations" | "results", images: object[]) => () => {
      const rows = (row: object, name: string) => [{ ...row, segmentation: list === name ? segmentation : code }];
      const annotations = rows(TRUTH, "annotations") as CocoDataset["annotations"];
      cocoEvaluate(
        { images, categories: CATS, annotations } as CocoDataset,
        rows(RESULT, "results") as EvalResult[],
        options,
      );
    };
    throws(all("annotations", sized), kind, "dataset.annotations[0].segmentation", ...parts);
    throws(all("results", sized), kind, "results[0].segmentation", ...parts);
  };
  refuse(undefined, TypeError, "is undefined");
  refuse({ size: [20, 30] }, TypeError, ".counts");
  refuse({ size: [30, 20], counts: [600] }, RangeError, ".size is [30, 20]; wanted [20, 30]");
  refuse({ size: [20, 30], counts: [599] }, RangeError, ".counts is of 599 pixels");
  refuse([[0, 0, 10, 10]], RangeError, "[0] is of 4 numbers");
  const polygons = { segmentation: [[0, 0, 10, 0, 10, 10]] };
  const unsized = withRow("results", polygons, { kind: "segm" });
  throws(unsized, TypeError, "dataset.annotations[0].segmentation is undefined");
  const evaluator = new CocoEvaluator(CATS, { kind: "segm" });
  const truth = { ...TRUTH, ...polygons };
  throws(() => evaluator.add(1, [truth], []), TypeError, "polygons in an image without height and width");
  evaluator.add(1, [truth], [{ ...RESULT, segmentation: { size: [20, 30], counts: [600] } }], [20, 30]);
  throws(() => evaluator.add(1, [truth], [], [20, 0.5]), RangeError, "CocoEvaluator.add: size[1]");
  throws(() => evaluator.add(1, [truth], [], [20]), TypeError, "CocoEvaluator.add: size");
  throws(withRow("results", {}, { kind: "segm" }, [{ id: 1, height: 20 }]), TypeError, "images[0]", "width");

  const keypoints = Array<number>(51).fill(1);
  const pose = (change: object, list: "annotations" | "results") => () => {
    const rows = (row: object, name: string) => [{ ...row, keypoints, ...(list === name ? change : {}) }];
    const annotations = rows(TRUTH, "annotations") as CocoDataset["annotations"];
    cocoEvaluate({ ...DATASET, annotations }, rows(RESULT, "results") as EvalResult[], { kind: "keypoints" });
  };
  throws(pose({ keypoints: [1, 2, 3] }, "results"), TypeError, "results[0].keypoints is an array of 3", "17 keypoints");
  throws(pose({ keypoints: keypoints.map((v, i) => i === 4 ? NaN : v) }, "results"), RangeError, "keypoints[4] is NaN");
  throws(pose({ keypoints: undefined }, "annotations"), TypeError, "annotations[0].keypoints");
  throws(pose({ num_keypoints: -1 }, "annotations"), RangeError, "annotations[0].num_keypoints is -1");
  throws(pose({ num_keypoints: "1" }, "annotations"), TypeError, "annotations[0].num_keypoints");
  throws(pose({ bbox: [0, 0, -1, 1] }, "annotations"), RangeError, "annotations[0].bbox");
  throws(withRow("results", {}, { kind: "rotated" }), TypeError, "annotations[0].bbox is an array of 4", "angle");
});

test("wrong arguments and options are refused", () => {
  const wrong = (options: object) => () => cocoEvaluate(DATASET, [], options as CocoOptions);
  throws(() => cocoEvaluate(null as unknown as CocoDataset, []), TypeError, "cocoEvaluate: dataset is null");
  throws(() => cocoEvaluate({} as CocoDataset, []), TypeError, "dataset.categories is undefined");
  throws(
    () => cocoEvaluate({ ...DATASET, images: 5 } as unknown as CocoDataset, []),
    TypeError,
    "dataset.images is number 5",
  );
  throws(() => cocoEvaluate(DATASET, {} as []), TypeError, "results is an object");
  throws(() => cocoEvaluate(DATASET, [5] as unknown as []), TypeError, "results[0] is number 5");
  throws(() => cocoEvaluate({ ...DATASET, images: [{ id: NaN }] }, []), RangeError, "images[0].id is NaN");
  throws(() => cocoEvaluate({ ...DATASET, images: [{}] } as CocoDataset, []), TypeError, "images[0].id is undefined");
  throws(wrong({ kinds: "bbox" }), TypeError, "options.kinds is unknown; did you mean kind?");
  throws(wrong({ kind: "box" }), TypeError, 'options.kind is "box"', '"rotated"');
  throws(wrong({ maxDets: [] }), TypeError, "options.maxDets is an array of 0");
  throws(wrong({ maxDets: 5 }), TypeError, "options.maxDets is number 5");
  throws(wrong({ maxDets: [1, 0.5] }), RangeError, "options.maxDets[1] is 0.5");
  throws(wrong({ iouThresholds: [0.5, 2] }), RangeError, "options.iouThresholds[1] is 2");
  throws(wrong({ classAgnostic: 1 }), TypeError, "options.classAgnostic");
  throws(wrong({ sigmas: [0] }), RangeError, "options.sigmas[0] is 0");
  throws(() => new CocoEvaluator([{ id: "1" }] as unknown as CocoDataset["categories"]), TypeError, "categories[0].id");
  throws(
    () => new CocoEvaluator([{ id: 1, name: 2 }] as unknown as CocoDataset["categories"]),
    TypeError,
    "categories[0].name",
  );
  throws(() => new CocoEvaluator(CATS, null as unknown as CocoOptions), TypeError, "CocoEvaluator: options is null");
  const evaluator = new CocoEvaluator(CATS);
  throws(() => evaluator.add({} as unknown as number, [], []), TypeError, "CocoEvaluator.add: imageId");
  throws(() => evaluator.add(2, [TRUTH], []), RangeError, "annotations[0].image_id is number 1; wanted number 2");
  throws(() => evaluator.add(2, [], [RESULT]), RangeError, "results[0].image_id is number 1; wanted number 2");
  throws(() => evaluator.add(1, [], 5 as unknown as []), TypeError, "CocoEvaluator.add: results is number 5");
});

test.run();
