import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import { LARGE, RELATED, TINY } from "../box_cases.ts";
import { close, same, throws } from "../compare.ts";
import { boxes, random } from "../random.ts";
import { boxIou } from "../reference/box_iou.ts";
import { generalizedBoxIou } from "../reference/generalized_box_iou.ts";

const test = suite("boxIou, generalizedBoxIou");
const engine = await createEngine();
const { sync } = engine;
const IOU_BOUND = operations.boxIou.bounds.result.wasm;
const GIOU_BOUND = operations.generalizedBoxIou.bounds.result.wasm;

test("every pair agrees with float64, around every block length", () => {
  const r = random(5);
  for (const [n, m] of [[0, 3], [3, 0], [1, 1], [2, 3], [5, 4], [7, 9], [3, 255], [2, 257], [300, 17]]) {
    const a = boxes(r, n);
    const b = boxes(r, m);
    close(sync.boxIou(a, b), boxIou(a, b), IOU_BOUND, `IoU of ${n} × ${m}`);
    close(sync.generalizedBoxIou(a, b), generalizedBoxIou(a, b), GIOU_BOUND, `GIoU of ${n} × ${m}`);
  }
});

test("special boxes are finite and right", () => {
  close(sync.boxIou(RELATED, RELATED), boxIou(RELATED, RELATED), IOU_BOUND, "IoU");
  close(sync.generalizedBoxIou(RELATED, RELATED), generalizedBoxIou(RELATED, RELATED), GIOU_BOUND, "GIoU");
  assert.is(sync.boxIou(RELATED.subarray(0, 4), RELATED.subarray(4, 8))[0], 1);
  assert.is(sync.boxIou(RELATED.subarray(0, 4), RELATED.subarray(8, 12))[0], 0);
});

test("areas past the ends of float32: boxes of 1e19 to infinity, and down to 1e-45", () => {
  for (
    const [what, list] of [["large", LARGE], ["tiny", TINY], ["both", Float32Array.of(...LARGE, ...TINY)]] as const
  ) {
    const ious = sync.boxIou(list, list);
    const gious = sync.generalizedBoxIou(list, list);
    close(ious, boxIou(list, list), IOU_BOUND, `IoU, ${what}`);
    close(gious, generalizedBoxIou(list, list), GIOU_BOUND, `GIoU, ${what}`);
    assert.ok(ious.every((v) => v >= 0 && v <= 1) && gious.every((v) => v >= -1 && v <= 1), what);
  }
  const large = Float32Array.of(0, 0, 1.5e19, 1.5e19);
  close(sync.boxIou(large, Float32Array.of(0, 0, 1.5e19, 1.2e19)), [0.8], 1e-7);
  close(sync.generalizedBoxIou(large, Float32Array.of(0, 0, 1.5e19, 1.2e19)), [0.8], 1e-7);
});

test("infinite boxes have their limits", () => {
  const all = Float32Array.of(-Infinity, -Infinity, Infinity, Infinity);
  const strip = Float32Array.of(0, 0, Infinity, 10);
  const others = Float32Array.of(
    ...all,
    ...strip,
    5,
    0,
    Infinity,
    5,
    0,
    0,
    10,
    10,
    Infinity,
    Infinity,
    Infinity,
    Infinity,
  );
  close(sync.boxIou(all, others), [1, 0, 0, 0, 0], 1e-6);
  close(sync.boxIou(strip, others), [0, 1, 0.5, 0, 0], 1e-6);
  close(sync.generalizedBoxIou(all, others), [1, 0, 0, 0, 0], 1e-6);
  close(sync.generalizedBoxIou(strip, others), [0, 1, 0.5, 0, -1], 1e-6);
});

test("no IoU is over 1, no GIoU outside [-1, 1], NaN stays in its pairs", () => {
  const r = random(7);
  const a = boxes(r, 300);
  const b = a.map((v) => Math.fround(v * (1 + 1e-7 * r.normal())));
  assert.ok(sync.boxIou(a, b).every((v) => v <= 1));
  assert.ok(sync.generalizedBoxIou(a, b).every((v) => v >= -1 && v <= 1));
  b[4 * 7 + 2] = NaN;
  for (const op of ["boxIou", "generalizedBoxIou"] as const) {
    const spoiled = [...sync[op](a, b)].flatMap((v, i) => Number.isNaN(v) ? [i % 300] : []);
    assert.ok(spoiled.length === 300 && spoiled.every((column) => column === 7), op);
  }
});

test("large products are streamed: a small memory gives the same bits", async () => {
  const r = random(6);
  const a = boxes(r, 700);
  const b = boxes(r, 900);
  const small = await createEngine({ maxMemory: 512 * 1024 });
  const whole = sync.boxIou(a, b);
  same(small.sync.boxIou(a, b), whole);
  same(await engine.boxIou(a, b), whole);
  using resident = engine.tensor([700, 4]);
  resident.data.set(a);
  same(sync.boxIou(resident, b), whole);
});

test("wrong input", () => {
  throws(() => sync.boxIou(new Float32Array(3), new Float32Array(4)), TypeError, "boxIou", "a", "(N, 4)");
  const wide = { data: new Float32Array(10), dims: [2, 5] };
  throws(() => sync.generalizedBoxIou(new Float32Array(4), wide), TypeError, "generalizedBoxIou", "b", "(2, 5)");
});

test.run();
