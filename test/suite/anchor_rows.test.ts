/** anchorRows: every layout of every head comes out as the same rows, which the criteria take. */
import { anchorRows, createEngine, heads, type HostTensor } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readChannels } from "../../src/heads/channels.ts";
import { same, throws } from "../compare.ts";
import { halfBits } from "../half.ts";
import { PRESETS } from "../presets.ts";
import { random } from "../random.ts";
import { packings, packLevels, randomHead } from "../raw_head.ts";

const test = suite("anchorRows");
const imageSize = [64, 96] as const;

test("every packing of every head has the same rows, levels in the order of the strides", () => {
  for (const name of PRESETS) {
    const head = heads[name]({ numClasses: 3 });
    const raw = randomHead(random(91), head, imageSize, 2);
    for (const [packing, outputs] of packings(head, raw)) {
      const { classes, boxes, objectness } = anchorRows(outputs, { head, imageSize });
      const what = `${name}, ${packing}`;
      same(classes.data, raw.classes, what);
      same(boxes.data, raw.boxes, what);
      assert.equal(classes.dims, [2, raw.anchors, readChannels(head, "classes")], what);
      assert.equal(boxes.dims, [2, raw.anchors, 4 * Math.max(head.bins, 1)], what);
      assert.equal(objectness === undefined, raw.objectness === null, what);
      if (objectness === undefined) continue;
      same(objectness.data, raw.objectness ?? [], what);
      assert.equal(objectness.dims, [2, raw.anchors, 1], what);
    }
  }
});

test("halves, doubles and quantised values become float32", () => {
  const head = heads.gfl({ numClasses: 1, bins: 2, strides: [8] });
  const classes = [1, -0.5, 2, 0.25];
  const boxes = { data: new Float32Array(32), dims: [1, 8, 2, 2] };
  const coded: HostTensor[] = [
    { data: Uint16Array.from(classes, halfBits), dims: [1, 1, 2, 2] },
    { data: Float64Array.from(classes), dims: [1, 1, 2, 2] },
    { data: Int8Array.from(classes, (x) => x * 4 + 3), dims: [1, 1, 2, 2], scale: 0.25, zeroPoint: 3 },
    { data: Uint16Array.from(classes, (x) => x * 4 + 30), dims: [1, 1, 2, 2], scale: 0.25, zeroPoint: 30 },
  ];
  for (const tensor of coded) {
    same(anchorRows({ classes: tensor, boxes }, { head, imageSize: [16, 16] }).classes.data, classes);
  }
});

test("a criterion takes them", async () => {
  const engine = await createEngine();
  const head = heads.gfl({ numClasses: 3, bins: 8, strides: [8, 16] });
  const raw = randomHead(random(92), head, imageSize, 2);
  const outputs = { classes: packLevels(head, raw, [raw.classes]), boxes: packLevels(head, raw, [raw.boxes]) };
  const { classes: cls, boxes: dist } = anchorRows(outputs, { head, imageSize });
  const gt = [{ boxes: Float32Array.of(4, 6, 90, 60), labels: Int32Array.of(2) }, {
    boxes: new Float32Array(0),
    labels: new Int32Array(0),
  }];
  const wanted = engine.sync.gflCriterion({
    cls: { data: raw.classes, dims: [2, raw.anchors, 3] },
    dist: { data: raw.boxes, dims: [2, raw.anchors, 32] },
    ...{ head, imageSize, gt },
  });
  assert.ok(wanted.numPos > 0);
  assert.is(engine.sync.gflCriterion({ cls, dist, head, imageSize, gt }).total, wanted.total);
  engine.dispose();
});

test("what does not fit is refused", () => {
  const head = heads.gfl({ numClasses: 3, bins: 8, strides: [8, 16] });
  const raw = randomHead(random(93), head, imageSize);
  const outputs = { classes: packLevels(head, raw, [raw.classes]), boxes: packLevels(head, raw, [raw.boxes]) };
  throws(() => anchorRows(outputs, undefined as never), TypeError, "anchorRows: options is undefined");
  throws(() => anchorRows(outputs, { head } as never), TypeError, "anchorRows: options.imageSize is undefined");
  throws(() => anchorRows(outputs, { head, imageSize, scoreThreshold: 1 } as never), TypeError, "scoreThreshold");
  throws(
    () => anchorRows(outputs, { head, imageSize: [64, 64] }),
    TypeError,
    "anchorRows: outputs.classes[0] is of shape",
  );
  throws(() => anchorRows({ classes: outputs.classes } as never, { head, imageSize }), TypeError, "outputs.boxes");
  const lost = raw.boxes.slice();
  const whole = { data: lost, dims: [1, 32, raw.anchors] };
  const classes = { data: raw.classes, dims: [1, 3, raw.anchors] };
  structuredClone(lost.buffer, { transfer: [lost.buffer] });
  throws(() => anchorRows({ classes, boxes: whole }, { head, imageSize }), TypeError, "anchorRows: outputs.boxes");
});

test.run();
