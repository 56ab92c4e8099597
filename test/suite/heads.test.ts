import { heads, type HeadSpec, type Outputs } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { throws } from "../compare.ts";
import { random } from "../random.ts";
import { inOrder, pack, packLevels, PRESETS, randomHead } from "../raw_head.ts";

const test = suite("heads");

/** The outputs as the family's export gives them. */
function exported(head: HeadSpec, imageSize: readonly [number, number]): Outputs {
  const raw = randomHead(random(1), head, imageSize);
  if (head.channelOrder !== "separate") return pack(head, raw, inOrder(head, raw));
  if (head.name === "ppyoloe") return [pack(head, raw, [raw.classes]), pack(head, raw, [raw.boxes])];
  return [...packLevels(head, raw, [raw.classes]), ...packLevels(head, raw, [raw.boxes])];
}

test("presets have the facts of their families", () => {
  const facts = PRESETS.map((name) => {
    const { bins, strides, anchorOffset, scores, boxes, layout, channelOrder } = heads[name]();
    return [name, bins, strides.join(), anchorOffset, scores, boxes, layout, channelOrder].join(" ");
  });
  assert.equal(facts, [
    "gfl 17 8,16,32,64,128 0 logits distribution channels-first separate",
    "vfnet 0 8,16,32,64,128 0 logits distances channels-first separate",
    "nanodet 8 8,16,32 0.5 logits distribution rows separate",
    "nanodetPlus 8 8,16,32,64 0 logits distribution rows class-first",
    "picodet 8 8,16,32,64 0.5 probabilities distribution rows separate",
    "ppyoloe 17 32,16,8 0.5 probabilities distribution channels-first separate",
    "yolov6 0 8,16,32 0.5 probabilities xywh rows box-first",
    "yolov8 16 8,16,32 0.5 logits distribution channels-first box-first",
    "yolo11 16 8,16,32 0.5 logits distribution channels-first box-first",
    "yolov8Decoded 0 8,16,32 0.5 probabilities xywh channels-first box-first",
  ]);
  assert.is(heads.yolov6().objectness, "multiply");
});

test("changes are taken, undefined ones ignored, wrong ones refused", () => {
  const head = heads.yolov8({ numClasses: 3, bins: undefined, strides: [4, 8] });
  assert.is(head.numClasses, 3);
  assert.is(head.bins, 16);
  assert.equal(head.strides, [4, 8]);
  throws(() => heads.yolov8({ numClasses: 0 }), RangeError, "heads.yolov8", "numClasses", "0");
  throws(() => heads.gfl({ bins: 1 }), RangeError, "heads.gfl", "bins", "1");
  throws(() => heads.gfl({ strides: [] }), TypeError, "strides");
  throws(() => heads.gfl({ strides: [8, -8] }), RangeError, "strides[1]", "-8");
  throws(() => heads.vfnet({ bins: 17 }), RangeError, "bins", "17", "distances");
  throws(() => heads.gfl({ bins: 65 }), RangeError, "bins", "65", "0 to 64");
  assert.is(heads.gfl({ bins: 64 }).bins, 64);
  throws(() => heads.yolov8({ numClasses: Infinity }), RangeError, "numClasses", "Infinity");
  throws(() => heads.yolov8({ boxUnit: "image" }), TypeError, "boxUnit", "image", "distribution");
  throws(() => heads.vfnet({ boxUnit: "cell" as "pixel" }), TypeError, "boxUnit", "cell", "stride");
  assert.is(heads.vfnet({ boxUnit: "stride" }).boxUnit, "stride");
});

test("names that no head has are refused with the nearest that it has", () => {
  const wrong = (options: object) => () => heads.yolov8(options);
  throws(wrong({ numClases: 3 }), TypeError, "heads.yolov8: options", `"numClases"`, `"numClasses"`);
  throws(wrong({ Strides: [8] }), TypeError, `"Strides"`, `"strides"`);
  throws(wrong({ stirdes: [8] }), TypeError, `"stirdes"`, `"strides"`);
  throws(wrong({ colour: 1 }), TypeError, `"colour"`, "numClasses, bins");
});

test("presets share nothing", () => {
  (heads.yolov8().strides as number[]).reverse();
  assert.equal(heads.yolov8().strides, [8, 16, 32]);
  assert.equal(heads.yolo11().strides, [8, 16, 32]);
});

test("infer finds each family from its export, with and without an image size", () => {
  for (const name of PRESETS) {
    const imageSize = [256, 384] as const;
    const outputs = exported(heads[name](), imageSize);
    const wanted = name === "yolo11" ? "yolov8" : name;
    for (const hints of [{ imageSize, numClasses: 80 }, { numClasses: 80 }]) {
      const head = heads.infer(outputs, hints);
      assert.is(head.name, wanted, `${name} with ${JSON.stringify(hints)}`);
      assert.is(head.numClasses, 80, name);
    }
  }
});

test("infer works out the number of classes where only one fits", () => {
  for (const name of ["gfl", "vfnet", "nanodet", "picodet", "ppyoloe"] as const) {
    const head = heads.infer(exported(heads[name]({ numClasses: 11 }), [256, 256]), { imageSize: [256, 256] });
    assert.is(head.name, name);
    assert.is(head.numClasses, 11, name);
  }
});

test("infer knows sizes that are no multiple of the largest stride, and heads that come apart", () => {
  const plus = heads.nanodetPlus();
  assert.is(heads.infer(exported(plus, [416, 416])).name, "nanodetPlus");
  for (const name of ["nanodet", "picodet"] as const) {
    const raw = randomHead(random(2), heads[name](), [320, 320]);
    const levels = (values: Float32Array) => packLevels(heads[name](), raw, [values]);
    const outputs = { classes: levels(raw.classes), boxes: levels(raw.boxes) };
    assert.is(heads.infer(outputs).name, name);
    assert.is(heads.infer(outputs, { imageSize: [320, 320] }).name, name);
  }
  const list = packLevels(heads.yolov8(), randomHead(random(3), heads.yolov8(), [256, 256]), [
    new Float32Array(144 * 1344),
  ]);
  assert.is(heads.infer(list, { numClasses: 80 }).name, "yolov8");
});

test("infer lists what fits where more than one does, and what came where none does", () => {
  const outputs = { data: new Float32Array(84 * 8400), dims: [1, 84, 8400] };
  throws(
    () => heads.infer(outputs),
    TypeError,
    "heads.infer",
    "yolov8 with 20 classes",
    "yolov8Decoded with 80 classes",
  );
  assert.is(heads.infer(outputs, { numClasses: 80 }).name, "yolov8Decoded");
  assert.is(heads.infer(outputs, { numClasses: 20 }).name, "yolov8");
  const odd = { data: new Float32Array(12), dims: [3, 4] };
  throws(() => heads.infer(odd), TypeError, "heads.infer", "(3, 4)", "no preset");
  throws(() => heads.infer(outputs, { imageSize: [96, 128] }), TypeError, "96×128");
  throws(() => heads.infer(new Float32Array(10)), TypeError, "heads.infer", "Float32Array(10)", "dims");
});

test.run();
