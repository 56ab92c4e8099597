import {
  createEngine,
  Detections,
  type DetectOptions,
  heads,
  type HeadSpec,
  type HostTensor,
  type KeypointSpec,
  type Outputs,
} from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close, same, throws } from "../compare.ts";
import { halfBits } from "../half.ts";
import { random } from "../random.ts";
import { imageOf, inOrder, pack, packings, randomHead } from "../raw_head.ts";
import { checkDetect } from "../../src/detect/checked_detect.ts";
import { detect } from "../reference/detect.ts";
import { keypoints } from "../reference/keypoints.ts";
import { walk } from "./walk.ts";

const test = suite("attachments");
const engine = await createEngine();
const { sync } = engine;
const imageSize = [96, 128] as const;

const COCO_POSE: KeypointSpec = { count: 17, dims: 3, coding: "pixel" };

/** A head of every layout and coding of boxes, and the keypoints that its rows can have. */
const HEADS: readonly [string, (changes: Partial<HeadSpec>) => HeadSpec, KeypointSpec["coding"]][] = [
  ["decoded", heads.yolov8Decoded, "pixel"],
  ["decoded, rows", (changes) => heads.yolov8Decoded({ layout: "rows", ...changes }), "pixel"],
  ["shares of the image", (changes) => heads.yolov8Decoded({ boxUnit: "image", ...changes }), "pixel"],
  ["raw", heads.yolov8, "yolov8"],
  ["raw, class-first rows", (changes) => heads.nanodet({ channelOrder: "class-first", ...changes }), "yolox"],
  ["apart", (changes) => heads.yolov8({ channelOrder: "separate", ...changes }), "yolo26"],
  ["YOLOv5 decoded", heads.yolov5Decoded, "pixel"],
  ["YOLOv5 raw", heads.yolov5, "yolov8"],
  ["YOLOv5 raw rows", (changes) => heads.yolov5({ layout: "rows", ...changes }), "yolo26"],
  ["selected", heads.yolo26, "pixel"],
  ["queries", heads.rtdetr, "pixel"],
  ["logits and background", heads.detr, "pixel"],
];

for (const [name, make, coding] of HEADS) {
  for (const dims of [2, 3] as const) {
    test(`${name}: keypoints of ${dims} values in every packing, as the reference has them`, () => {
      const head = make({ numClasses: 5, keypoints: { count: 3, dims, coding } });
      const raw = randomHead(random(80), head, imageSize, 2);
      const settings = { head, imageSize };
      for (const [packing, outputs] of walk([...packings(head, raw)])) {
        sync.detect(outputs, settings).forEach((found, image) => {
          const values = imageOf(raw, image);
          const wanted = detect(values, settings);
          assert.ok(found.length > 3 && found.length === wanted.length, packing);
          const points = wanted.flatMap(({ anchor }) => {
            return keypoints(settings, anchor, values.attached?.keypoints(anchor) ?? []);
          });
          close(found.keypoints ?? [], points, 2e-5, `${packing}, image ${image}`);
        });
      }
    });
  }
}

test("a transform takes keypoints to the image, clips them as boxes, and keeps their order and visibility", () => {
  const head = heads.yolov8({ numClasses: 2, keypoints: { count: 4, dims: 3, coding: "yolov8" } });
  const raw = randomHead(random(81), head, imageSize);
  const [[, outputs]] = packings(head, raw);
  const values = imageOf(raw, 0);
  const options: Partial<DetectOptions>[] = [
    { clip: true },
    { transform: { scaleX: 0.5, scaleY: 2, padX: 8, padY: -3 } },
    { transform: { scaleX: -0.5, scaleY: -2, padX: 120, padY: 90, clip: [40, 200] } },
    { clip: true, transform: { scaleX: 2, scaleY: 2, padX: 5, padY: 5, clip: [30, 40] } },
  ];
  for (const changes of options) {
    const settings = { head, imageSize, ...changes } as DetectOptions & Parameters<typeof keypoints>[0];
    const [found] = sync.detect(outputs, settings);
    const wanted = [...found.anchors].flatMap((anchor) => {
      return keypoints(settings, anchor, values.attached?.keypoints(anchor) ?? []);
    });
    close(found.keypoints ?? [], wanted, 2e-5, JSON.stringify(changes));
  }
});

test("a detection has its keypoints, in COCO's rows and in JSON too", () => {
  const head = heads.yolov8Decoded({ numClasses: 1, keypoints: COCO_POSE });
  const data = new Float32Array(56 * 252);
  const anchor = 100;
  const set = (channel: number, value: number) => data[channel * 252 + anchor] = value;
  [50, 40, 20, 10, 0.75].forEach((value, channel) => set(channel, value));
  for (let k = 0; k < 17; k++) [k, 2 * k, k / 16].forEach((value, i) => set(5 + 3 * k + i, value));
  const [found] = sync.detect({ data, dims: [1, 56, 252] }, { head, imageSize });
  const points = Array.from({ length: 17 }, (_, k) => [k, 2 * k, k / 16]);
  assert.equal([...found].map((each) => each.keypoints), [points]);
  assert.equal(found.toCoco(7)[0].keypoints, points.flat());
  same(found.toJSON().keypoints ?? [], points.flat(), "json");
});

test("outputs of a session: by their channels, whatever they are called", () => {
  const head = heads.yolov8({ numClasses: 3, keypoints: { count: 2, dims: 3, coding: "yolov8" } });
  const raw = randomHead(random(82), head, imageSize);
  const [, [, named], ...others] = packings(head, raw);
  const list = others.find(([name]) => name === "attachments apart, in a list")?.[1] as readonly unknown[];
  const wanted = sync.detect(named, { head, imageSize })[0];
  const session = { output0: list[0], "kpts/out": list[1] } as Outputs;
  const reversed = { a: list[1], b: list[0] } as Outputs;
  for (const outputs of [session, reversed]) {
    const [found] = sync.detect(outputs, { head, imageSize });
    same(found.anchors, wanted.anchors, "anchors");
    same(found.keypoints ?? [], wanted.keypoints ?? [], "keypoints");
  }
});

for (const layout of ["rows", "channels-first"] as const) {
  test(`${layout}: halves, bytes, float64 and linear memory have the keypoints of their own values`, () => {
    const head = heads.yolov8Decoded({ numClasses: 2, layout, keypoints: { count: 7, dims: 3, coding: "pixel" } });
    const raw = randomHead(random(83), head, imageSize);
    const { data, dims } = pack(head, raw, inOrder(head, raw)) as { data: Float32Array; dims: number[] };
    const bytes = (scale: number, zeroPoint: number): HostTensor => {
      return { data: Uint8Array.from(data, (v) => Math.round(v / scale) + zeroPoint), dims, scale, zeroPoint };
    };
    const own = (tensor: HostTensor) =>
      Float32Array.from(tensor.data as Uint8Array, (q) => {
        return Math.fround(q - (tensor.zeroPoint ?? 0)) * Math.fround(tensor.scale ?? 1);
      });
    const resident = engine.tensor(dims);
    resident.data.set(data);
    const halves = { data: Uint16Array.from(data, halfBits), dims };
    const cases: [HostTensor, number, Float32Array][] = [
      [{ data: Float64Array.from(data), dims }, 0, data],
      [resident, 0, data],
      [halves, 2e-3, data],
      [bytes(0.75, 9), 0, own(bytes(0.75, 9))],
    ];
    for (const [tensor, tolerance, values] of cases) {
      const settings = { head, imageSize, scoreThreshold: 0.3 };
      const [found] = sync.detect(tensor, settings);
      const [wanted] = sync.detect({ data: values, dims }, settings);
      assert.ok(found.length > 3);
      same(found.anchors, wanted.anchors, "anchors");
      const most = tolerance * 140;
      (found.keypoints ?? []).forEach((v, j) => assert.ok(Math.abs(v - (wanted.keypoints ?? [])[j]) <= most));
    }
    resident.dispose();
  });
}

test("no detection has no keypoints, a NaN stays one, and visibility is that of its coding", () => {
  const head = heads.yolov8Decoded({ numClasses: 1, keypoints: { count: 2, dims: 3, coding: "pixel" } });
  const data = new Float32Array(11 * 252);
  const dims = [1, 11, 252];
  const [none] = sync.detect({ data, dims }, { head, imageSize });
  assert.is(none.keypoints?.length, 0);
  assert.equal([...Detections.from(JSON.parse(JSON.stringify(none)))], []);
  [50, 40, 20, 10, 0.75, NaN, -7, 1.0005, 200, NaN, -0.0005].forEach((value, c) => data[c * 252 + 9] = value);
  const [found] = sync.detect({ data, dims }, {
    head,
    imageSize,
    transform: { scaleX: 1, scaleY: 1, padX: 0, padY: 0, clip: [96, 128] },
  });
  const points = [NaN, 0, 1, 128, NaN, 0];
  same(found.keypoints ?? [], points, "keypoints");
  const again = Detections.from(JSON.parse(JSON.stringify(found)));
  same(again.keypoints ?? [], points, "from JSON");
  throws(() => Detections.from({ ...found.toJSON(), keypoints: [1, 2] }), TypeError, "json.keypoints", "3 numbers");
});

// ── Prototypes ──────────────────────────────────────────────────────────────────

const zeros = (...dims: number[]): HostTensor => {
  return { data: new Float32Array(dims.reduce((a, b) => a * b, 1)), dims };
};

const masks = heads.yolov8Decoded({ numClasses: 2, maskCoefficients: 8 });
const rows = zeros(1, 14, 252);

/** What `detect` understands by the outputs. */
function prototypesOf(outputs: Outputs, head = masks) {
  const { prototypes } = checkDetect(outputs, { head, imageSize });
  if (prototypes === null) throw new Error("masks are made of them");
  const { argument, channelsFirst, channels, height, width } = prototypes;
  return [argument, channelsFirst ? "first" : "last", channels, height, width];
}

test("prototypes are the tensor by that name, or the one of four axes that is no level, in either layout", () => {
  const [first, last] = [zeros(1, 8, 24, 32), zeros(1, 24, 32, 8)];
  throws(() => prototypesOf(rows), TypeError, "outputs.prototypes is undefined");
  assert.equal(prototypesOf({ rows, prototypes: first }), ["outputs.prototypes", "first", 8, 24, 32]);
  assert.equal(prototypesOf({ rows, prototypes: zeros(8, 24, 32) }), ["outputs.prototypes", "first", 8, 24, 32]);
  assert.equal(prototypesOf([rows, first]), ["outputs[1]", "first", 8, 24, 32]);
  assert.equal(prototypesOf([last, rows]), ["outputs[0]", "last", 8, 24, 32]);
  assert.equal(prototypesOf({ "p/1": last, out: rows } as Outputs), ['outputs["p/1"]', "last", 8, 24, 32]);
  assert.equal(prototypesOf([rows, zeros(1, 8, 24, 8)]), ["outputs[1]", "first", 8, 24, 8]);
  const apart = { boxes: zeros(1, 4, 252), classes: zeros(1, 2, 252), maskCoefficients: zeros(1, 8, 252) };
  assert.equal(prototypesOf({ ...apart, prototypes: last }), ["outputs.prototypes", "last", 8, 24, 32]);
  const separate = { ...masks, channelOrder: "separate" } as const;
  assert.equal(prototypesOf([...Object.values(apart), first], separate), ["outputs[3]", "first", 8, 24, 32]);
  // Levels have four axes too.
  const maps = (channels: number) => [8, 16, 32].map((stride) => zeros(1, channels, 96 / stride, 128 / stride));
  assert.equal(prototypesOf([...maps(14), first]), ["outputs[3]", "first", 8, 24, 32]);
  assert.equal(prototypesOf([first, ...maps(6), ...maps(8)]), ["outputs[0]", "first", 8, 24, 32]);
  // Coefficients of a level of stride 4 have their shape.
  const fine = heads.yolov8({ numClasses: 2, maskCoefficients: 8, strides: [4, 8, 16, 32] });
  const levels = (channels: number) => [4, 8, 16, 32].map((s) => zeros(1, channels, 96 / s, 128 / s));
  assert.equal(prototypesOf([...levels(66), ...levels(8), first], fine), ["outputs[8]", "first", 8, 24, 32]);
  throws(() => prototypesOf([...levels(66), ...levels(8)], fine), TypeError, "outputs.prototypes is undefined");
  const selected = heads.yolo26({ numClasses: 2, maskCoefficients: 8 });
  assert.equal(prototypesOf([zeros(1, 24, 32, 8), zeros(1, 300, 14)], selected), ["outputs[0]", "last", 8, 24, 32]);
  const boxes = zeros(1, 300, 4);
  const listed = { ...selected, channelOrder: "box-first" } as const;
  const named = { boxes, classes: zeros(1, 300, 2), maskCoefficients: zeros(1, 300, 8), prototypes: last };
  assert.equal(prototypesOf(named, listed), ["outputs.prototypes", "last", 8, 24, 32]);
});

test("prototypes that do not fit are refused, and say both numbers", () => {
  const run = (outputs: Outputs, head = masks) => () => sync.detect(outputs, { head, imageSize });
  throws(run({ rows, prototypes: zeros(1, 16, 24, 32) }), TypeError, "outputs.prototypes", "(1, 16, 24, 32)", "(B, 8,");
  throws(run([rows, zeros(1, 16, 24, 32)]), TypeError, "outputs[1]", "(1, 16, 24, 32)", "8 mask coefficients");
  throws(run({ rows, prototypes: zeros(2, 8, 24, 32) }), TypeError, "a batch of 2; wanted 1");
  throws(run({ rows, prototypes: new Float32Array(8) }), TypeError, "outputs.prototypes", "Float32Array(8)");
  throws(run([zeros(1, 8, 24, 32)]), TypeError, "prototypes alone");
  const plain = heads.yolov8Decoded({ numClasses: 10 });
  throws(
    run({ rows, prototypes: zeros(1, 8, 24, 32) }, plain),
    TypeError,
    "outputs.prototypes is given; wanted none, because head yolov8Decoded has no maskCoefficients",
  );
  throws(run([rows, zeros(1, 8, 24, 32)], plain), TypeError, "outputs[1]", "prototypes");
});

test("a head whose members do not fit together names both", () => {
  const pose = (coding: KeypointSpec["coding"]) => ({ keypoints: { count: 2, dims: 3 as const, coding } });
  throws(() => heads.yolo26(pose("yolo26")), TypeError, 'keypoints.coding is "yolo26" for selection "selected"');
  throws(() => heads.rtdetr(pose("yolox")), TypeError, 'keypoints.coding is "yolox" for selection "queries"');
  throws(() => heads.yoloNas({ angle: "radians" }), TypeError, 'angle is "radians" for boxes "xyxy"');
  throws(() => heads.yolo26({ angle: "radians", boxes: "xyxy" }), TypeError, 'for boxes "xyxy"');
  assert.is(heads.yolo26({ angle: "radians" }).boxes, "xywh");
  assert.is(heads.yolo26({ angle: "none" }).boxes, "xyxy");
  const wrong = (keypoints: unknown) => () => heads.yolov8({ keypoints: keypoints as KeypointSpec });
  throws(wrong(17), TypeError, "keypoints is number 17; wanted an object with count, dims and coding");
  throws(wrong({ count: 0, dims: 3, coding: "pixel" }), RangeError, "keypoints.count is 0");
  throws(wrong({ count: 1, dims: 4, coding: "pixel" }), RangeError, "keypoints.dims is 4");
  throws(wrong({ count: 1, dims: 2, coding: "pixels" }), TypeError, "keypoints.coding");
  throws(wrong({ count: 1, dims: 2, codng: "pixel" }), TypeError, "codng is unknown; did you mean coding");
  throws(() => heads.yolov8({ maskCoefficients: -1 }), RangeError, "maskCoefficients is -1");
  const own = { ...heads.yolov8(), angle: "degrees" } as unknown as HeadSpec;
  throws(() => sync.detect(rows, { head: own, imageSize }), TypeError, "options.head.angle");
});

test("keypoints of a head are read when a call is made, and what is changed later is of the next call", () => {
  const keypoints = { count: 2, dims: 2 as 2 | 3, coding: "pixel" as const };
  const head = { ...heads.yolov8Decoded({ numClasses: 1 }), keypoints };
  const data = new Float32Array(11 * 252).fill(0.5);
  const count = (channels: number) => {
    return sync.detect({ data: data.subarray(0, channels * 252), dims: [1, channels, 252] }, { head, imageSize })[0];
  };
  assert.is(count(9).keypoints?.[2], 1);
  keypoints.dims = 3;
  assert.is(count(11).keypoints?.[2], 0.5);
  throws(() => count(9), TypeError, "(B, 11, anchors)");
});

test.run();
