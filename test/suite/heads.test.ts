import { heads, type HeadSpec, type HostTensor, type InferHints, type KeypointSpec, type Outputs } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { familyOf } from "../../src/heads/presets.ts";
import { throws } from "../compare.ts";
import { halfBits } from "../half.ts";
import { type PresetName, PRESETS } from "../presets.ts";
import { random } from "../random.ts";
import { inOrder, pack, packLevels, randomHead } from "../raw_head.ts";
import { walk } from "./walk.ts";

const test = suite("heads");

/** The outputs as the family's usual export gives them. */
function exported(head: HeadSpec, imageSize: readonly [number, number]): Outputs {
  const raw = randomHead(random(1), head, imageSize);
  if (head.anchors !== undefined) return packLevels(head, raw, inOrder(head, raw));
  if (head.channelOrder !== "separate") return pack(head, raw, inOrder(head, raw));
  const { levels = "joined" } = familyOf(head)?.exports[0] ?? {};
  const packed = (values: Float32Array) => {
    return levels === "joined" ? [pack(head, raw, [values])] : packLevels(head, raw, [values]);
  };
  return [...packed(raw.classes), ...packed(raw.boxes)];
}

/** The first preset of its reading, by which `infer` calls it. */
function inferredName(name: PresetName): PresetName {
  const reading = (preset: PresetName) => JSON.stringify({ ...heads[preset]({ numClasses: 1 }), name: "" });
  return PRESETS.find((preset) => reading(preset) === reading(name)) ?? name;
}

/** Where projects of a family differ, or `inputs` have it not, there is none. */
const USUAL_INPUTS: Readonly<Record<string, readonly PresetName[]>> = {
  gfl: ["gfl", "vfnet"],
  nanodet: ["nanodet", "nanodetPlus"],
  picodet: ["picodet"],
  ppyoloe: ["ppyoloe"],
  rtdetr: ["rtdetr", "dfine"],
  rtmdet: ["rtmdet"],
  yolov5: ["yolov3", "yolov5", "yolov5Decoded", "yolov6", "yolov7", "yolov7Decoded"],
  yolov8: ["yolo11", "yolo26", "yolo26Decoded", "yolo26Raw", "yolov10", "yolov8", "yolov8Decoded"],
  yolox: ["yolox", "yoloxDecoded"],
  none: ["damoYolo", "detr", "rfdetr", "yoloNas"],
};

test("presets have the usual inputs of their families", () => {
  for (const [input, names] of Object.entries(USUAL_INPUTS)) {
    const usual = (name: PresetName) => familyOf(heads[name]())?.input ?? "none";
    assert.equal(PRESETS.filter((name) => usual(name) === input).sort(), [...names].sort(), input);
  }
});

test("presets have the facts of their families", () => {
  const facts = PRESETS.map((name) => {
    const { bins, strides, anchorOffset, scores, boxes, layout, channelOrder, ...others } = heads[name]();
    const { boxUnit, anchors, anchorsPerCell, unusedClasses, selection, objectness, refined } = others;
    return [
      ...[name, bins, strides.join(), anchorOffset, scores, boxes, layout, channelOrder],
      ...(boxUnit ? [`unit ${boxUnit}`] : []),
      ...(anchors ? [`anchors ${anchors.join("; ")}`] : []),
      ...(anchorsPerCell ? [`${anchorsPerCell} to a cell`] : []),
      ...(selection ? [selection] : []),
      ...(unusedClasses ? [`${unusedClasses} unused`] : []),
      ...(objectness ? [`objectness ${objectness}`] : []),
      ...(refined ? ["refined"] : []),
    ].join(" ");
  });
  assert.equal(facts, [
    "gfl 17 8,16,32,64,128 0 logits distribution channels-first separate",
    "vfnet 0 8,16,32,64,128 0 logits distances channels-first separate refined",
    "nanodet 8 8,16,32 0.5 logits distribution rows separate",
    "nanodetPlus 8 8,16,32,64 0 logits distribution rows class-first",
    "picodet 8 8,16,32,64 0.5 probabilities distribution rows separate",
    "ppyoloe 17 32,16,8 0.5 probabilities distribution channels-first separate",
    "yolov6 0 8,16,32 0.5 probabilities xywh rows box-first objectness multiply",
    "yolox 0 8,16,32 0 probabilities log-size rows box-first objectness multiply",
    "yoloxDecoded 0 8,16,32 0.5 probabilities xywh rows box-first objectness multiply",
    "rtmdet 0 8,16,32 0 logits distances channels-first separate unit pixel",
    "damoYolo 17 8,16,32 0 logits distribution channels-first separate 1 unused",
    "yoloNas 0 8,16,32 0.5 probabilities xyxy rows separate",
    "yolov3 0 8,16,32 0.5 logits anchor-exp channels-first box-first " +
    "anchors 10,13,16,30,33,23; 30,61,62,45,59,119; 116,90,156,198,373,326 objectness multiply",
    "yolov5 0 8,16,32 0.5 logits anchor-sigmoid channels-first box-first " +
    "anchors 10,13,16,30,33,23; 30,61,62,45,59,119; 116,90,156,198,373,326 objectness multiply",
    "yolov7 0 8,16,32 0.5 logits anchor-sigmoid channels-first box-first " +
    "anchors 12,16,19,36,40,28; 36,75,76,55,72,146; 142,110,192,243,459,401 objectness multiply",
    "yolov5Decoded 0 8,16,32 0.5 probabilities xywh rows box-first 3 to a cell objectness multiply",
    "yolov7Decoded 0 8,16,32 0.5 probabilities xywh rows box-first 3 to a cell objectness multiply",
    "yolov8 16 8,16,32 0.5 logits distribution channels-first box-first",
    "yolo11 16 8,16,32 0.5 logits distribution channels-first box-first",
    "yolov8Decoded 0 8,16,32 0.5 probabilities xywh channels-first box-first",
    "yolov10 0 8,16,32 0.5 probabilities xyxy rows box-first selected",
    "yolo26 0 8,16,32 0.5 probabilities xyxy rows box-first selected",
    "yolo26Raw 0 8,16,32 0.5 logits distances channels-first box-first unit stride",
    "yolo26Decoded 0 8,16,32 0.5 probabilities xywh channels-first box-first",
    "rtdetr 0 8,16,32 0.5 probabilities xywh rows box-first unit image queries",
    "dfine 0 8,16,32 0.5 logits xywh rows separate unit image queries",
    "rfdetr 0 8,16,32 0.5 logits xywh rows separate unit image queries",
    "detr 0 8,16,32 0.5 softmax xywh rows separate unit image queries",
  ]);
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
  throws(() => heads.gfl({ boxUnit: "pixel" }), TypeError, "boxUnit", "pixel", "distribution");
  throws(() => heads.vfnet({ boxUnit: "cell" as "pixel" }), TypeError, "boxUnit", "cell", "stride");
  assert.is(heads.vfnet({ boxUnit: "stride" }).boxUnit, "stride");
  throws(
    () => heads.vfnet({ refined: 1 as never }),
    TypeError,
    "heads.vfnet: options.refined",
    "number 1",
    "true or false",
  );
  assert.is(heads.vfnet({ refined: false }).refined, false);
});

test("names that no head has are refused with the nearest that it has", () => {
  const wrong = (options: object) => () => heads.yolov8(options);
  throws(wrong({ numClases: 3 }), TypeError, "heads.yolov8: options.numClases", "did you mean numClasses?");
  throws(wrong({ Strides: [8] }), TypeError, "options.Strides", "did you mean strides?");
  throws(wrong({ stirdes: [8] }), TypeError, "options.stirdes", "did you mean strides?");
  throws(wrong({ colour: 1 }), TypeError, "options.colour is unknown; known: name, numClasses, bins");
});

test("presets share nothing", () => {
  (heads.yolov8().strides as number[]).reverse();
  assert.equal(heads.yolov8().strides, [8, 16, 32]);
  assert.equal(heads.yolo11().strides, [8, 16, 32]);
});

test("infer finds each family from its export, with and without an image size", () => {
  for (const name of walk(PRESETS)) {
    const imageSize = [128, 192] as const;
    const made = heads[name]({ numClasses: 80 });
    const outputs = exported(made, imageSize);
    const wanted = inferredName(name);
    for (const hints of [{ imageSize, numClasses: 80 }, { numClasses: 80 }]) {
      const found = inferredOrListed(outputs, hints);
      if (typeof found === "string") listsHead(found, wanted, 80);
      else assert.equal(found, { ...made, name: wanted }, `${name} with ${JSON.stringify(hints)}`);
      const certain = hints.imageSize !== undefined && !AMBIGUOUS.includes(name);
      assert.ok(!certain || typeof found !== "string", `${name}: ${found}`);
    }
  }
});

/** Heads of whose shapes others are too: other anchors, another unit. */
const AMBIGUOUS: readonly PresetName[] = PRESETS.filter((name) => {
  return heads[name]().anchors !== undefined || heads[name]().boxUnit === "pixel";
});

/** The head, or the error that says which heads fit. */
function inferredOrListed(outputs: Outputs, hints: InferHints): HeadSpec | string {
  try {
    return heads.infer(outputs, hints);
  } catch (error) {
    if (error instanceof TypeError && / fit /.test(error.message)) return error.message;
    throw error;
  }
}

/** The error names that head, and another one. */
function listsHead(message: string, name: string, numClasses: number): void {
  const listed = message.slice(message.indexOf(" fit "), message.indexOf("; wanted"));
  if (listed.includes(`${name} with any number of classes`)) return;
  assert.match(listed, new RegExp(`\\b${name} with ${numClasses} class`));
  assert.ok((listed.match(/\bwith \d+ class|none of ours/g) ?? []).length > 1, message);
}

test("infer works out the number of classes where one head fits, and lists those that fit where more do", () => {
  const unclear = PRESETS.filter((name) => {
    const made = heads[name]({ numClasses: 11 });
    const [wanted, outputs] = [inferredName(name), exported(made, [256, 256])];
    const found = inferredOrListed(outputs, { imageSize: [256, 256] });
    if (typeof found === "string") listsHead(found, wanted, 11);
    else assert.equal(found, { ...made, name: wanted }, name);
    return typeof found === "string";
  });
  assert.ok(unclear.length < PRESETS.length * 3 / 4, `unclear: ${unclear}`);
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
  const raw = randomHead(random(4), heads.yolov8(), [320, 480]);
  const apart = [raw.boxes, raw.classes].map((values) => packLevels(heads.yolov8(), raw, [values]));
  for (const imageSize of [undefined, [320, 480]]) {
    const head = heads.infer(apart.flat(), { imageSize });
    assert.equal(head, heads.yolov8({ channelOrder: "separate" }));
  }
});

const zeros = (...dims: number[]) => ({ data: new Float32Array(dims.reduce((a, b) => a * b, 1)), dims });
const maps = (strides: readonly number[], channels: number, side = 640) =>
  strides.map((stride) => zeros(1, channels, side / stride, side / stride));
const imageSize = [640, 640];

test("infer lists what fits where more than one does", () => {
  const outputs = zeros(1, 84, 8400);
  const fits = (o: Outputs, hints: InferHints, ...parts: string[]) =>
    throws(() => heads.infer(o, hints), TypeError, "heads.infer", " fit ", ...parts);
  fits(outputs, {}, "yolov8 with 20 classes", "yolov8Decoded with 80 classes", "wanted numClasses");
  assert.is(heads.infer(outputs, { numClasses: 80 }).name, "yolov8Decoded");
  assert.is(heads.infer(outputs, { numClasses: 20 }).name, "yolov8");
  fits(zeros(1, 8400, 85), { imageSize }, "yolov6 with 80 classes", "ppyoloe with 81 classes");
  fits(zeros(1, 8400, 84), { imageSize }, "ppyoloe with 80 classes", 'boxes: "xyxy"', "yolov6 with 79 classes");
  const nanodets = ['nanodet with 80 classes { scores: "probabilities", channelOrder: "class-first" }', "nanodetPlus"];
  fits(zeros(1, 8400, 112), { imageSize, numClasses: 80 }, ...nanodets);
  fits(zeros(1, 3549, 33), { imageSize: [416, 416] }, "nanodetPlus with 1 class", "strides: [8, 16, 32]");
  fits(
    zeros(1, 3549, 33),
    { imageSize: [416, 416], numClasses: 1 },
    "nanodet with 1 class",
    "nanodetPlus with 1 class",
  );
  const raw26 = { boxes: zeros(1, 4, 8400), classes: zeros(1, 80, 8400) };
  fits(raw26, { imageSize, numClasses: 80 }, "yolov8 with 80 classes", 'boxUnit: "stride"', "yolov8Decoded with 80");
  const rtmdet = [...maps([8, 16, 32], 80), ...maps([8, 16, 32], 4)];
  fits(rtmdet, { imageSize }, "vfnet with 80 classes { strides: [8, 16, 32] }", 'boxUnit: "stride"');
});

test("infer does not take for classes what may stand behind them", () => {
  const kinds = (o: Outputs, hints: InferHints, ...parts: string[]) =>
    throws(() => heads.infer(o, hints), TypeError, " fit ", ...parts);
  kinds(
    zeros(1, 56, 8400),
    { imageSize },
    "with 52 classes",
    'yolov8Decoded with 1 class { keypoints: {"count":17, "dims":3, "coding":"pixel"} }',
  );
  kinds(zeros(1, 37, 8400), { imageSize }, "33 classes", "1 class { maskCoefficients: 32 }");
  kinds(zeros(1, 20, 21504), { imageSize: [1024, 1024] }, "16 classes", '15 classes { angle: "radians" }');
  const four = ['"count":4, "dims":3', '"count":6, "dims":2'];
  kinds(zeros(1, 17, 8400), { imageSize, numClasses: 1 }, ...four);
  assert.is(heads.infer(zeros(1, 5, 8400), { imageSize }).numClasses, 1);
});

/** Outputs with masks, keypoints or an angle, what `infer` is told, and the head that it finds. */
function attachedExports(): [HeadSpec, InferHints, (outputs: Outputs) => Outputs][] {
  const pose = (coding: KeypointSpec["coding"], count = 17) => ({ keypoints: { count, dims: 3 as const, coding } });
  const seg = { maskCoefficients: 32 };
  const [alone, told] = [{}, { imageSize: [256, 256] }];
  const itself = (outputs: Outputs) => outputs;
  const with4 = (dims: number[]) => (outputs: Outputs) => ({ output0: outputs, output1: zeros(...dims) }) as Outputs;
  const [masks, interleaved] = [with4([1, 32, 64, 64]), with4([1, 64, 64, 32])];
  return [
    [heads.yolov8Decoded(seg), alone, masks],
    [heads.yolov8Decoded({ ...seg, numClasses: 3 }), told, interleaved],
    [heads.yolov8Decoded({ ...seg, numClasses: 3, boxUnit: "image" }), told, interleaved],
    [heads.yolov8({ ...seg, numClasses: 3 }), told, masks],
    [heads.yolov5Decoded(seg), told, masks],
    [heads.yolo26({ ...seg, numClasses: 3 }), { numClasses: 3 }, masks],
    [heads.yolov8Decoded(seg), { numClasses: 80 }, itself],
    [heads.yolov8Decoded({ ...pose("pixel"), numClasses: 1 }), alone, itself],
    [heads.yolov8Decoded({ ...pose("pixel"), numClasses: 1 }), { numClasses: 1 }, itself],
    [heads.yolov8Decoded({ ...pose("pixel", 4), numClasses: 2 }), { numClasses: 2 }, itself],
    [heads.yolov8({ ...pose("yolov8"), numClasses: 1 }), { numClasses: 1 }, itself],
    [heads.yolov8({ ...pose("pixel"), numClasses: 1 }), { numClasses: 1 }, itself],
    [heads.yolo26({ ...pose("pixel"), numClasses: 1 }), { numClasses: 1 }, itself],
    [heads.yolo26({ ...pose("pixel", 4), numClasses: 5 }), { numClasses: 5 }, itself],
    [heads.yolov8Decoded({ angle: "radians", numClasses: 15 }), { ...told, numClasses: 15 }, itself],
    [heads.yolov8Decoded({ angle: "radians", numClasses: 15 }), told, itself],
    [heads.yolov8({ angle: "sigmoid", numClasses: 15 }), { ...told, numClasses: 15 }, itself],
    [heads.yolo26({ angle: "radians", numClasses: 15 }), { ...told, numClasses: 15 }, itself],
  ];
}

test("infer finds masks, keypoints and angles where prototypes, a width or values prove them", () => {
  attachedExports().forEach(([head, hints, given], i) => {
    const raw = exported(head, [256, 256]) as HostTensor;
    const shares = head.boxUnit === "image";
    const data = Float32Array.from(raw.data as Float32Array, (v, j) => shares && j < 4 * raw.dims[2] ? v / 256 : v);
    assert.equal(heads.infer(given({ ...raw, data }), hints), head, `case ${i}`);
  });
});

test("infer lists what masks, keypoints and angles leave open", () => {
  const fits = (o: Outputs, hints: InferHints, ...parts: string[]) =>
    throws(() => heads.infer(o, hints), TypeError, "heads.infer", " fit ", ...parts);
  const prototypes = zeros(1, 32, 160, 160);
  fits([zeros(1, 300, 38), prototypes], {}, "fit yolo26 with any number of classes", "32 mask coefficients; wanted");
  fits([zeros(1, 116, 8400), prototypes], {}, "yolov8 with 20 classes {", "yolov8Decoded with 80 classes {");
  const apart = { boxes: zeros(1, 64, 8400), classes: zeros(1, 1, 8400), keypoints: zeros(1, 51, 8400) };
  fits(apart, { imageSize }, '"coding":"yolov8"', '"coding":"pixel"');
  fits(zeros(1, 116, 8400), { numClasses: 80 }, "maskCoefficients: 32", '"count":16, "dims":2');
  const rknn = [80, 40, 20].flatMap((n) => [64, 80, 1, 32].map((c) => zeros(1, c, n, n)));
  const told = { imageSize, numClasses: 80 };
  throws(() => heads.infer([...rknn, prototypes], told), TypeError, "without outputs[2], outputs[6], outputs[10]");
  const whole = rknn.filter(({ dims }) => dims[1] > 1);
  assert.equal(
    heads.infer([...whole, prototypes], told),
    heads.yolov8({ channelOrder: "separate", maskCoefficients: 32 }),
  );
});

test("values decide what shapes leave open", () => {
  const scored = (head: HeadSpec, hints: InferHints = { imageSize: [256, 256] }) =>
    heads.infer(exported(head, [256, 256]), hints);
  // Logits rule out decoded boxes, centres and sizes rule out corners.
  assert.is(scored(heads.yolov8({ numClasses: 20 })).name, "yolov8");
  assert.is(scored(heads.yolov6({ numClasses: 3 })).name, "yolov6");
  assert.equal(scored(heads.nanodetPlus({ scores: "probabilities" })), heads.nanodetPlus({ scores: "probabilities" }));
  assert.equal(scored(heads.nanodetPlus()), heads.nanodetPlus());
  assert.equal(scored(heads.gfl({ scores: "probabilities" })), heads.gfl({ scores: "probabilities" }));
  // PicoDet before its sigmoid, or NanoDet-Plus cut by level: the same shapes, half a cell apart.
  for (const head of [heads.picodet({ scores: "logits" }), heads.nanodetPlus({ channelOrder: "separate" })]) {
    throws(
      () => scored(head),
      TypeError,
      'picodet with 80 classes { scores: "logits" }',
      "nanodetPlus with 80 classes",
    );
  }
  const corners = heads.ppyoloe({ bins: 0, boxes: "xyxy", layout: "rows", channelOrder: "box-first" });
  assert.equal(scored(corners, { imageSize: [256, 256], numClasses: 80 }), corners);
  const transposed = exported(heads.yolov8Decoded({ layout: "rows" }), [256, 256]);
  throws(
    () => heads.infer(transposed, { numClasses: 80 }),
    TypeError,
    "ppyoloe, xyxy, box-first: boxes have sides of -",
  );
  const shares = exported(heads.yolov8Decoded(), [256, 256]) as HostTensor;
  const anchors = shares.dims[2];
  const scaled = Float32Array.from(shares.data as Float32Array, (v, i) => i < 4 * anchors ? v / 256 : v);
  assert.is(heads.infer({ ...shares, data: scaled }, { numClasses: 80 }).boxUnit, "image");
});

test("rows that are detections or queries: by their channels, and by their values", () => {
  const two = { imageSize, numClasses: 2 };
  const rows = zeros(1, 300, 6);
  throws(() => heads.infer(rows, two), TypeError, "yolov10 with 2 classes", "rtdetr with 2 classes");
  const shares = { ...rows, data: rows.data.map((_, i) => [0.5, 0.5, 0.2, 0.2, 0.4, 0.3][i % 6]) };
  assert.equal(heads.infer(shares, two), heads.rtdetr({ numClasses: 2 }));
  const found = { ...rows, data: rows.data.map((_, i) => [10, 20, 30, 50, 0.4, 1][i % 6]) };
  assert.equal(heads.infer(found, two), heads.yolov10({ numClasses: 2 }));
  throws(
    () => heads.infer(found, { imageSize, numClasses: 1 }),
    TypeError,
    "yolov10: rows are not box, score and class",
  );
  assert.equal(heads.infer(zeros(1, 300, 84), { imageSize }), heads.rtdetr());
  throws(
    () => heads.infer(zeros(1, 1001, 84), { imageSize }),
    TypeError,
    "rtdetr: 1001 rows, and networks list at most 1000",
  );
  const queries = [zeros(1, 100, 92), zeros(1, 100, 4)];
  throws(() => heads.infer(queries), TypeError, "dfine with 92 classes", "detr with 91 classes");
  assert.equal(heads.infer(queries, { numClasses: 91 }), heads.detr());
  assert.equal(heads.infer(queries, { numClasses: 92 }), heads.dfine({ numClasses: 92 }));
  const raw = exported(heads.yolo26Raw(), [256, 256]);
  assert.equal(heads.infer(raw, { imageSize: [256, 256], numClasses: 80 }), heads.yolo26Raw());
});

test("every kind of data is read for its values", () => {
  const { data, dims } = exported(heads.nanodetPlus({ numClasses: 2 }), [64, 64]) as HostTensor;
  const exact = Float32Array.from(data as Float32Array, (v) => Math.max(-8, Math.min(8, Math.round(v * 8) / 8)));
  const hints = { imageSize: [64, 64], numClasses: 2 };
  const half = Uint16Array.from(exact, halfBits);
  const bytes = { data: Int8Array.from(exact, (v) => v * 8), dims, scale: 1 / 8 };
  for (const tensor of [{ data: half, dims }, bytes, { data: Float64Array.from(exact), dims }]) {
    assert.is(heads.infer(tensor, hints).scores, "logits");
  }
  const inRange = { data: Uint8Array.from(exact, (v) => Math.abs(v) * 8), dims, scale: 1 / 64 };
  assert.is(heads.infer(inRange, hints).scores, "probabilities");
  // Nothing tells of a tensor on the GPU which of two it is.
  const gpuBuffer = { size: 1e6, usage: 0x80, mapAsync() {} } as never;
  throws(
    () => heads.infer({ gpuBuffer, dims }, hints),
    TypeError,
    'scores: "probabilities"',
    "nanodetPlus with 2 classes; wanted",
  );
});

test("levels of any number, where image size, maps or hints tell their strides", () => {
  const outputs = { cls_s8: 4, cls_s16: 4, reg_s8: 32, reg_s16: 32 };
  const sample = Object.fromEntries(
    Object.entries(outputs).map(([name, channels]) => {
      return [name, zeros(1, channels, name.endsWith("16") ? 10 : 20, name.endsWith("16") ? 10 : 20)];
    }),
  );
  const wanted = heads.gfl({ numClasses: 4, bins: 8, strides: [8, 16] });
  assert.equal(heads.infer(sample, { imageSize: [160, 160], numClasses: 4 }), wanted);
  assert.equal(heads.infer(Object.values(sample), { imageSize: [160, 160], numClasses: 4 }), wanted);
  assert.equal(heads.infer(sample, { strides: [8, 16], numClasses: 4 }), wanted);
  throws(() => heads.infer(sample, { numClasses: 4 }), TypeError, "levels unless hints say strides");
  const plus = exported(heads.nanodetPlus({ strides: [8, 16, 32, 64, 128] }), [256, 256]);
  const hints = { imageSize: [256, 256], numClasses: 80 };
  throws(() => heads.infer(plus, { numClasses: 80 }), TypeError, "no preset");
  throws(() => heads.infer(plus, hints), TypeError, "nanodetPlus with 80 classes { strides: [8, 16, 32, 64, 128] }");
  throws(
    () => heads.infer(plus, { ...hints, strides: [8, 16, 32, 64, 128] }),
    TypeError,
    "nanodetPlus with 80 classes {",
  );
});

test("bins and strides of one tensor follow from its channels, the number of classes, anchors and image size", () => {
  const hints = { imageSize: [160, 160], numClasses: 3 };
  const turned = heads.yolov8({ numClasses: 3, bins: 9, strides: [8, 16], angle: "sigmoid" });
  const masks = heads.yolov8({ numClasses: 3, bins: 8, strides: [8, 16], maskCoefficients: 8 });
  const outputs = [exported(masks, [160, 160]), zeros(1, 8, 40, 40)].flat() as HostTensor[];
  assert.equal(heads.infer(outputs, hints), masks, "prototypes prove masks");
  for (const head of [turned, heads.yolov8({ numClasses: 3, bins: 12, strides: [4, 8, 16, 32] })]) {
    // What else 37 and 51 channels could be is listed with it.
    const output = exported(head, [160, 160]);
    const words = `yolov8 with 3 classes { bins: ${head.bins}, strides: [${head.strides.join(", ")}]`;
    const also = head.angle === undefined ? " }" : ', angle: "sigmoid" }';
    throws(() => heads.infer(output, hints), TypeError, words + also, '"dims":3');
    throws(() => heads.infer(output, { numClasses: 3 }), TypeError, "no preset");
    throws(() => heads.infer(output, { imageSize: [160, 160] }), TypeError, "no preset");
  }
  // The image may be of another size than the hints say: no strides make up for it.
  const whole = exported(heads.yolov8({ numClasses: 3 }), [320, 320]);
  throws(() => heads.infer(whole, hints), TypeError, "anchors are those of imageSize [320, 320]");
  // With the family's own bins and levels no others are tried.
  const usual = heads.yolov8({ numClasses: 3 });
  assert.equal(heads.infer(exported(usual, [160, 160]), hints), usual);
});

test("unused tensors, and tensors of other things, are named", () => {
  const rknn = [80, 40, 20].flatMap((n) => [64, 80, 1].map((c) => zeros(1, c, n, n)));
  throws(() => heads.infer(rknn, { imageSize }), TypeError, "without outputs[2], outputs[5], outputs[8]", "fit yolov8");
  const plain = { output0: zeros(1, 84, 8400), output1: zeros(1, 32, 160, 160) };
  throws(() => heads.infer(plain, { imageSize, numClasses: 80 }), TypeError, "without outputs.output1", "80 classes");
  const objectness = [8, 16, 32, 64].map((stride) => zeros(1, (640 / stride) ** 2, 1));
  const picodet = [80, 32].map((c) => [8, 16, 32, 64].map((stride) => zeros(1, (640 / stride) ** 2, c)));
  const named = { classes: picodet[0], boxes: picodet[1], objectness };
  throws(
    () => heads.infer(named, { imageSize }),
    TypeError,
    "outputs.objectness[0], outputs.objectness[1]",
    "fit picodet",
  );
  for (const hints of [{}, { imageSize }, { imageSize, numClasses: 80 }, { numClasses: 1 }]) {
    for (const dims of [[1, 300, 6], [300, 6], [1, 100, 7], [1, 300, 38]]) {
      const run = () => heads.infer(zeros(...dims), hints);
      if (hints.numClasses === undefined) throws(run, TypeError, "these are detections already");
      else if (dims.includes(38)) throws(run, TypeError, "yolo26 with", "maskCoefficients: 32", '"count":16, "dims":2');
      else assert.is(run().name, dims.includes(6) ? "yolov10" : "yolo26");
    }
  }
  throws(() => heads.infer(zeros(1, 8400, 6)), TypeError, "detections already");
  throws(() => heads.infer(zeros(1, 900, 6)), TypeError, "yolov10 with any number of classes", "wanted numClasses");
});

test("infer says what each preset misses", () => {
  const odd = zeros(3, 4);
  throws(
    () => heads.infer(odd),
    TypeError,
    "heads.infer",
    "(3, 4)",
    "no preset",
    "yolov8: 3 channels, and boxes take 64",
  );
  throws(() => heads.infer(zeros(1, 5, 8429), { imageSize }), TypeError, "yolov8Decoded: 8429 anchors, where");
  throws(() => heads.infer(zeros(1, 4, 8400), { imageSize }), TypeError, "yolov8Decoded: 4 channels, and boxes take 4");
  const outputs = zeros(1, 84, 8400);
  const hints = { imageSize: [320, 320], numClasses: 80 };
  throws(
    () => heads.infer(outputs, hints),
    TypeError,
    "yolov8: 84 channels leave 20 classes",
    "yolov8Decoded: anchors are those of imageSize [640, 640]",
    "gfl: wants classes and boxes apart, not one tensor",
  );
  throws(
    () => heads.infer(zeros(1, 25201, 85), { imageSize, numClasses: 80 }),
    TypeError,
    "yolov6: 25201 anchors, where",
    "yolov5Decoded: 25201 anchors, where",
  );
  throws(() => heads.infer(outputs, { imageSize: [96, 128] }), TypeError, "96×128", "imageSize [640, 640]");
  throws(() => heads.infer(new Float32Array(10)), TypeError, "heads.infer", "Float32Array(10)", "dims");
  throws(
    () => heads.infer(outputs, { numClases: 80 } as InferHints),
    TypeError,
    "hints.numClases",
    "did you mean numClasses?",
  );
  throws(() => heads.infer(outputs, { strides: [0] }), RangeError, "hints.strides[0]");
});

test("empty tensors of huge dims are refused at once", () => {
  for (const n of [1e6, 1e7, 9e15]) {
    throws(() => heads.infer(zerosOf(0, n, n)), TypeError, "heads.infer: outputs is of shape (0,", "with elements");
    throws(() => heads.infer(zerosOf(1, n, n)), TypeError, "values");
  }
});

/** A tensor without data, whatever its dims. */
const zerosOf = (...dims: number[]) => ({ data: new Float32Array(0), dims });

test.run();
