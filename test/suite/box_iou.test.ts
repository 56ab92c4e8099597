import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { RELATED } from "../box_cases.ts";
import { close, same, throws } from "../compare.ts";
import { boxes, random } from "../random.ts";
import { boxIou } from "../reference/box_iou.ts";
import { generalizedBoxIou } from "../reference/generalized_box_iou.ts";

const test = suite("boxIou, generalizedBoxIou");
const engine = await createEngine();
const { sync } = engine;

test("every pair agrees with float64, around every block length", () => {
  const r = random(5);
  for (const [n, m] of [[0, 3], [3, 0], [1, 1], [2, 3], [5, 4], [7, 9], [3, 255], [2, 257], [300, 17]]) {
    const a = boxes(r, n);
    const b = boxes(r, m);
    close(sync.boxIou(a, b), boxIou(a, b), 5e-7, `IoU of ${n} × ${m}`);
    close(sync.generalizedBoxIou(a, b), generalizedBoxIou(a, b), 1e-6, `GIoU of ${n} × ${m}`);
  }
});

test("special boxes are finite and right", () => {
  close(sync.boxIou(RELATED, RELATED), boxIou(RELATED, RELATED), 5e-7, "IoU");
  close(sync.generalizedBoxIou(RELATED, RELATED), generalizedBoxIou(RELATED, RELATED), 1e-6, "GIoU");
  assert.is(sync.boxIou(RELATED.subarray(0, 4), RELATED.subarray(4, 8))[0], 1);
  assert.is(sync.boxIou(RELATED.subarray(0, 4), RELATED.subarray(8, 12))[0], 0);
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
