import {
  createEngine,
  Detections,
  type DetectOptions,
  heads,
  type HeadSpec,
  type HostTensor,
  type Outputs,
} from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close, same, throws } from "../compare.ts";
import { halfBits } from "../half.ts";
import { PRESETS } from "../presets.ts";
import { random } from "../random.ts";
import { boxChannels } from "../../src/heads/channels.ts";
import { imageOf, inOrder, pack, packings, packLevels, randomHead, type RawValues } from "../raw_head.ts";
import { iou } from "../reference/box_iou.ts";
import { detect, type Found } from "../reference/detect.ts";

const test = suite("detect");
const engine = await createEngine();
const { sync } = engine;
const imageSize = [96, 128] as const;

function agrees(got: Detections, wanted: Found[], what: string): void {
  assert.is(got.length, wanted.length, `${what}: number of detections`);
  same(got.classes, wanted.map((f) => f.classId), `${what}: class`);
  same(got.anchors, wanted.map((f) => f.anchor), `${what}: anchor`);
  close(got.scores, wanted.map((f) => f.score), 1e-6, `${what}: score`);
  close(got.boxes, wanted.flatMap((f) => f.box), 2e-3, `${what}: box`);
}

for (const name of PRESETS) {
  test(`${name}: every packing of a batch gives the detections of the float64 reference`, () => {
    const head = heads[name]({ numClasses: 5 });
    const raw = randomHead(random(40), head, imageSize, 2);
    const wanted = [0, 1].map((image) => detect(imageOf(raw, image), { head, imageSize }));
    assert.ok(wanted.every((list) => list.length > 3));
    for (const [packing, outputs] of packings(head, raw)) {
      const got = sync.detect(outputs, { head, imageSize });
      assert.is(got.length, 2, packing);
      got.forEach((list, image) => agrees(list, wanted[image], `${packing}, image ${image}`));
    }
  });
}

/** A head of distributions, its outputs, and what the reference finds under the options. */
function example(options: Partial<DetectOptions> = {}, seed = 41) {
  const head = options.head ?? heads.yolov8({ numClasses: 7 });
  const raw = randomHead(random(seed), head, imageSize);
  const settings = { imageSize, ...options, head };
  const outputs = pack(head, raw, inOrder(head, raw));
  return { head, raw, settings, outputs, wanted: detect(imageOf(raw, 0), settings) };
}

for (
  const options of [
    { scoreThreshold: 0.5 },
    { scoreThreshold: 0 },
    { scoreThreshold: 1 },
    { iouThreshold: 0.1 },
    { iouThreshold: 1 },
    { maxDetections: 3 },
    { maxDetections: 0 },
    { preNmsTopK: 5 },
    { preNmsTopK: 0 },
    { multiLabel: true },
    { multiLabel: true, scoreThreshold: 0.01, iouThreshold: 0.9 },
    { multiLabel: true, scoreThreshold: 0.005, preNmsTopK: 20 },
    { classAgnostic: true },
    { multiLabel: true, classAgnostic: true, scoreThreshold: 0.05 },
    { clip: true, iouThreshold: 0.3 },
  ] satisfies Partial<DetectOptions>[]
) {
  for (const layout of ["rows", "channels-first"] as const) {
    test(`${layout}, ${JSON.stringify(options)}`, () => {
      const head = heads.yolov8({ numClasses: 7, layout });
      const { settings, outputs, wanted } = example({ ...options, head });
      agrees(sync.detect(outputs, settings)[0], wanted, "detections");
    });
  }
}

for (const objectness of ["multiply", "sqrt-multiply"] as const) {
  for (const scores of ["logits", "probabilities"] as const) {
    test(`objectness: ${objectness} of ${scores}, best class and every class`, () => {
      const head = heads.nanodetPlus({ numClasses: 4, objectness, scores });
      for (const multiLabel of [false, true]) {
        for (const scoreThreshold of [0.05, 0.3]) {
          const { settings, outputs, wanted } = example({ head, multiLabel, scoreThreshold, preNmsTopK: 200 });
          assert.ok(wanted.length > 3);
          agrees(sync.detect(outputs, settings)[0], wanted, "detections");
        }
      }
    });
  }
}

test("probabilities outside [0, 1] are refused, wherever they stand; what rounding leaves is 0 or 1", async () => {
  const small = await createEngine({ maxMemory: 768 * 1024 });
  // 35 classes: rows that are no multiple of four. One among many channels is compared where it lies.
  const pose = { numClasses: 1, keypoints: { count: 17, dims: 3, coding: "pixel" } } as const;
  for (const facts of [{ numClasses: 35 }, pose, { ...pose, layout: "channels-first" } as const]) {
    for (const objectness of ["none", "multiply"] as const) {
      const head = heads.yolov8Decoded({ layout: "rows", objectness, ...facts });
      const { numClasses } = head;
      const raw = randomHead(random(53), head, imageSize, 2);
      const options = { head, imageSize };
      const changed = (at: number, value: number, role: "classes" | "objectness" = "classes") => {
        const values = (raw[role] as Float32Array).slice();
        values[at] = value;
        const other = { ...raw, [role]: values };
        return { output0: pack(head, other, inOrder(head, other)) };
      };
      const count = raw.classes.length;
      for (const at of [0, numClasses - 1, numClasses * 251, count / 2 - 1, count - 1, count - 107]) {
        for (const value of [1.01, -0.01, 2.5, -9, Infinity, -Infinity]) {
          for (const { detect } of [sync, small.sync]) {
            throws(
              () => detect(changed(at, value), options),
              RangeError,
              `detect: a score in outputs.output0 is ${value}`,
              `scores: "logits"`,
            );
          }
        }
        const wanted = sync.detect(changed(at, 0), options)[at < count / 2 ? 0 : 1];
        for (const value of [NaN, -0.0005, -0]) {
          same(sync.detect(changed(at, value), options)[at < count / 2 ? 0 : 1].boxes, wanted.boxes);
        }
      }
      if (objectness === "multiply") {
        throws(() => sync.detect(changed(300, 1.5, "objectness"), options), RangeError, "outputs.output0 is 1.5");
        throws(() => sync.detect(changed(300, -1, "objectness"), options), RangeError, "outputs.output0 is -1");
      }
      const certain = sync.detect(changed(40, 1.0005), { ...options, scoreThreshold: 0 })[0];
      assert.ok(certain.scores.every((score) => score <= 1));
      if (objectness === "none") assert.is(certain.scores[0], 1);
      assert.is(sync.detect(changed(40, 1.0005), { ...options, scoreThreshold: 1 })[0].length, 0);
    }
  }
  small.dispose();
});

test("where objectness leaves few anchors to compete, only their classes are read", () => {
  // 9 classes: rows that are no multiple of four.
  for (const name of ["yolov5", "yolov6"] as const) {
    for (const layout of ["rows", "channels-first"] as const) {
      const head = heads[name]({ numClasses: 9, layout });
      const some = randomHead(random(57), head, imageSize, 2, 1);
      const low = head.scores === "logits" ? -9 : 0.001;
      const objectness = (some.objectness as Float32Array<ArrayBuffer>).map((v, i) => i % 13 === 5 ? v : low);
      objectness.set([NaN, Infinity, -Infinity].map((v) => head.scores === "logits" ? v : NaN), 40);
      const raw = { ...some, objectness };
      for (
        const chosen of [{}, { multiLabel: true, scoreThreshold: 0.1 }, { classes: [3, 7] }]
      ) {
        const options = { head, imageSize, ...chosen };
        const wanted = [0, 1].map((image) => detect(imageOf(raw, image), options));
        assert.ok(wanted.every((list) => list.length > 0));
        for (const [packing, outputs] of packings(head, raw)) {
          sync.detect(outputs, options).forEach((list, image) => agrees(list, wanted[image], `${name} ${packing}`));
        }
      }
      if (head.scores === "logits") continue;
      const changed = (anchor: number, value: number) => {
        const classes = raw.classes.slice();
        classes[9 * anchor + 4] = value;
        return pack(head, { ...raw, classes }, inOrder(head, { ...raw, classes }));
      };
      const options = { head, imageSize };
      const competing = objectness.findIndex((v) => v > 0.25);
      throws(() => sync.detect(changed(competing, 1.5), options), RangeError, "a score in outputs is 1.5");
      same(sync.detect(changed(competing + 1, 1.5), options)[0].boxes, sync.detect(changed(0, 0), options)[0].boxes);
    }
  }
});

test("thousands of classes' worth of candidates are cut to the best along the way", () => {
  const head = heads.nanodetPlus({ numClasses: 40 });
  const raw = randomHead(random(42), head, [320, 320]);
  const outputs = pack(head, raw, inOrder(head, raw));
  const options = { head, imageSize: [320, 320] as const, scoreThreshold: 0.0005, multiLabel: true, maxDetections: 50 };
  for (const preNmsTopK of [100, 3000]) {
    const [got] = sync.detect(outputs, { ...options, preNmsTopK });
    agrees(got, detect(imageOf(raw, 0), { ...options, preNmsTopK }), `top ${preNmsTopK}`);
  }
});

test("a transform maps boxes and deviations back, and clips to the image", () => {
  const { settings, outputs } = example({ uncertainty: true });
  const [plain] = sync.detect(outputs, settings);
  const transform = { scaleX: 0.5, scaleY: 0.25, padX: 8, padY: -4 };
  const [mapped] = sync.detect(outputs, { ...settings, transform });
  const wanted = Array.from(plain.boxes, (v, i) => i % 2 === 0 ? (v - 8) / 0.5 : (v + 4) / 0.25);
  close(mapped.boxes, wanted, 1e-3);
  for (const member of ["std", "excess"] as const) {
    const [got, unmapped] = [mapped[member] as Float32Array, plain[member] as Float32Array];
    close(got, unmapped.map((v, i) => v / (i % 2 === 0 ? 0.5 : 0.25)), 1e-4, member);
  }
  const [clipped] = sync.detect(outputs, { ...settings, transform: { ...transform, clip: [300, 200] } });
  close(clipped.boxes, wanted.map((v, i) => Math.min(Math.max(v, 0), i % 2 === 0 ? 200 : 300)), 1e-3);
});

test("a mirrored image: corners keep their order, and what is told of sides follows them", () => {
  const output = { data: Float32Array.of(8, 16, 4, 6, 0.9), dims: [1, 5, 1] };
  const single = heads.yolov8Decoded({ numClasses: 1, strides: [32] });
  const mirror = { scaleX: -1, scaleY: 1, padX: 32, padY: 0 };
  const [one] = sync.detect(output, { head: single, imageSize: [32, 32], transform: mirror });
  assert.equal([...one][0].box, [22, 13, 26, 19]);
  assert.equal(one.toCoco(0)[0].bbox, [22, 13, 4, 6]);
  const { settings, outputs } = example({ uncertainty: true });
  const [plain] = sync.detect(outputs, settings);
  for (const [scaleX, scaleY] of [[-2, 1], [1, -0.5], [-2, -0.5]]) {
    const transform = { scaleX, scaleY, padX: 128, padY: 96 };
    const [mapped] = sync.detect(outputs, { ...settings, transform });
    // Side i of a returned box was this one of the input's.
    const from = [0, 1, 2, 3].map((side) => (side % 2 === 0 ? scaleX : scaleY) < 0 ? (side + 2) % 4 : side);
    const expected = (values: ArrayLike<number>, make: (value: number, vertical: boolean) => number) =>
      Array.from(values, (_, i) => make(values[(i & ~3) + from[i & 3]], i % 2 === 1));
    const scale = (vertical: boolean) => vertical ? scaleY : scaleX;
    close(mapped.boxes, expected(plain.boxes, (v, y) => (v - (y ? 96 : 128)) / scale(y)), 1e-3);
    const { std = [], saturation = [] } = plain;
    close(mapped.std ?? [], expected(std, (v, y) => v / Math.abs(scale(y))), 1e-4);
    same(mapped.saturation ?? [], expected(saturation, (v) => v));
  }
});

test("a transform for each image, read once", () => {
  const head = heads.yolov8({ numClasses: 5 });
  const raw = randomHead(random(49), head, imageSize, 2);
  const outputs = pack(head, raw, inOrder(head, raw));
  const transforms = [{ scaleX: 2, scaleY: 2, padX: 0, padY: 1 }, { scaleX: 0.5, scaleY: 1, padX: 3, padY: 0 }];
  const got = sync.detect(outputs, { head, imageSize, transform: transforms });
  transforms.forEach((transform, image) => {
    same(got[image].boxes, sync.detect(outputs, { head, imageSize, transform })[image].boxes);
  });
  const run = (transform: unknown) => () => sync.detect(outputs, { head, imageSize, transform } as DetectOptions);
  throws(run([transforms[0]]), TypeError, "options.transform is an array of 1", "2: one for each image");
  throws(run([transforms[0], null]), TypeError, "options.transform[1] is null");
  throws(run([transforms[0], { ...transforms[1], scaleY: 0 }]), RangeError, "options.transform[1].scaleY");
  throws(run({ ...transforms[0], scalex: 1 }), TypeError, "options.transform", "scalex", "scaleX");
  let reads = 0;
  const hostile = {
    ...transforms[0],
    get scaleX() {
      return reads++ === 0 ? 2 : 0;
    },
  };
  same(sync.detect(outputs, { head, imageSize, transform: hostile })[0].boxes, got[0].boxes);
});

for (const boxes of ["distances", "xywh", "xyxy"] as const) {
  for (const boxUnit of ["pixel", "stride", "image"] as const) {
    test(`boxes ${boxes} in units of ${boxUnit}`, () => {
      for (const layout of ["rows", "channels-first"] as const) {
        const head = heads.yolov8({ numClasses: 5, bins: 0, boxes, boxUnit, layout });
        const raw = randomHead(random(50), head, imageSize);
        const unit = { pixel: 1, stride: 8, image: 128 }[boxUnit];
        const scaled = { ...raw, boxes: raw.boxes.map((v) => v / unit) };
        const wanted = detect(imageOf(scaled, 0), { head, imageSize });
        assert.ok(wanted.length > 3);
        agrees(sync.detect(pack(head, scaled, inOrder(head, scaled)), { head, imageSize })[0], wanted, layout);
      }
    });
  }
}

const zeros = (...dims: number[]) => ({ data: new Float32Array(dims.reduce((a, b) => a * b, 1)), dims });
const filled = (value: number, ...dims: number[]) => ({ data: zeros(...dims).data.fill(value), dims });

test("distances in strides: one anchor by hand", () => {
  const [boxes, classes] = [zeros(1, 4, 8400), filled(-9, 1, 1, 8400)];
  const anchor = 6400 + 1600 + 10 * 20 + 10;
  classes.data[anchor] = 3;
  [1, 2, 3, 4].forEach((v, side) => boxes.data[side * 8400 + anchor] = v);
  const head = heads.yolov8({ numClasses: 1, bins: 0, boxes: "distances", boxUnit: "stride" });
  const [found] = sync.detect({ boxes, classes }, { head, imageSize: [640, 640] });
  assert.equal([...found][0].box, [304, 272, 432, 464]);
});

test("boxes of the grid: one of each coding by hand", () => {
  const at = (head: HeadSpec, anchor: number, values: number[]) => {
    const wide = new Float32Array(values.length * 252 * 3).fill(head.scores === "logits" ? -9 : 0);
    const anchors = 252 * (head.anchors === undefined ? 1 : 3);
    wide.set(values, anchor * values.length);
    const output = { data: wide.slice(0, anchors * values.length), dims: [1, anchors, values.length] };
    const [found] = sync.detect(output, { head, imageSize });
    assert.equal([...found.anchors], [anchor]);
    return found;
  };
  // Levels of 12 × 16, 6 × 8 and 3 × 4 cells. Stride 16, column 5, row 2: 192 + 2 · 8 + 5.
  const yolox = at(heads.yolox({ numClasses: 1 }), 213, [0.5, 0.25, Math.log(2), Math.log(3), 0.8, 0.5]);
  close(yolox.boxes, [72, 12, 104, 60], 1e-4);
  close(yolox.scores, [0.4], 1e-6);
  // The second anchor, 62 × 45, of the same cell: 3 · 192 + 48 + 21. σ(0) is a half, σ(ln 3) three quarters.
  const values = [0, Math.log(3), 0, -Math.log(3), Math.log(4), Math.log(4)];
  const yolov5 = at(heads.yolov5({ numClasses: 1, layout: "rows" }), 645, values);
  close(yolov5.boxes, [88 - 31, 48 - 5.625, 88 + 31, 48 + 5.625], 1e-4);
  close(yolov5.scores, [0.64], 1e-6);
  const yolov3 = at(heads.yolov3({ numClasses: 1, layout: "rows" }), 645, values);
  close(yolov3.boxes, [88 - 31, 44 - 7.5, 88 + 31, 44 + 7.5], 1e-4);
  const yolov7 = at(heads.yolov7({ numClasses: 1, layout: "rows" }), 645, values);
  close(yolov7.boxes, [88 - 38, 48 - 6.875, 88 + 38, 48 + 6.875], 1e-4);
});

test("levels may differ in their anchors, and sizes may be infinite", () => {
  for (const layout of ["channels-first", "rows"] as const) {
    const head = heads.yolov5({ numClasses: 2, strides: [16, 32], anchors: [[10, 20], [30, 40, 50, 60]], layout });
    const raw = randomHead(random(61), head, imageSize, 2);
    const outputs = packLevels(head, raw, inOrder(head, raw));
    const got = sync.detect(outputs, { head, imageSize });
    got.forEach((list, image) => agrees(list, detect(imageOf(raw, image), { head, imageSize }), layout));
    assert.ok(got[0].length > 3);
  }
  const head = heads.yolox({ numClasses: 1, strides: [32] });
  const [huge] = sync.detect(Float32Array.of(0, 0, 1e4, 0, 1, 1), { head, imageSize: [32, 32] });
  assert.equal([...huge.boxes], [-Infinity, -16, Infinity, 16]);
  const [nothing] = sync.detect(Float32Array.of(NaN, 0, 0, 0, 1, 1), { head, imageSize: [32, 32] });
  assert.ok(Number.isNaN(nothing.boxes[0]));
});

test("the channels behind the classes are not read, wherever the classes stand", () => {
  for (const channelOrder of ["box-first", "class-first", "separate"] as const) {
    for (const layout of ["rows", "channels-first"] as const) {
      for (const objectness of ["none", "multiply"] as const) {
        const head = heads.damoYolo({ numClasses: 3, bins: 8, unusedClasses: 2, channelOrder, layout, objectness });
        const raw = randomHead(random(62), head, imageSize);
        const wanted = detect(imageOf(raw, 0), { head, imageSize });
        assert.ok(wanted.length > 3);
        for (const [packing, outputs] of packings(head, raw)) {
          agrees(sync.detect(outputs, { head, imageSize })[0], wanted, `${channelOrder}, ${layout}, ${packing}`);
        }
      }
    }
  }
});

const CHOICES = [
  { classes: [1, 4] },
  { classes: [6], multiLabel: true },
  { classes: [] },
  { scoreThreshold: Float32Array.of(0.9, 0.1, 0.5, 1, 0, 0.3, 0.25) },
  { scoreThreshold: Float32Array.of(0.9, 0.1, 0.5, 1, 0, 0.3, 0.25), classes: [0, 1, 3, 5], multiLabel: true },
  { scoreThreshold: Float32Array.of(0.9, 0.01, 0.05, 1, 0.2, 0.03, 0.25), multiLabel: true, preNmsTopK: 9 },
  { scoreThreshold: 0.1, classes: [2, 5], preNmsTopK: 5 },
  { suppression: "fast" },
  { suppression: "fast", iouThreshold: 0.1, classAgnostic: true, maxDetections: 5 },
  { suppression: "fast", iouThreshold: 0 },
  { suppression: "none", maxDetections: 12 },
  { suppression: "none", multiLabel: true, scoreThreshold: 0.01, classes: [0, 3] },
] satisfies Partial<DetectOptions>[];

/** Of every coding and selection, with and without objectness. */
const CHOSEN_HEADS = PRESETS.filter((name) => /^(yolov(5|6|8|10)|nanodetPlus|rtdetr)$/.test(name));

for (const options of CHOICES) {
  const shown = JSON.stringify(options, (_, value) => value instanceof Float32Array ? [...value] : value);
  test(`${shown}: in both layouts, with objectness, of queries and of detections`, () => {
    for (const name of CHOSEN_HEADS) {
      for (const layout of ["rows", "channels-first"] as const) {
        const head = heads[name]({ numClasses: 7, layout });
        const raw = randomHead(random(67), head, imageSize, 2, 2);
        // An anchor's best class may be one that does not compete.
        const classes = raw.classes.map((v, i) => i % 5 === 0 ? raw.classes[i - i % 7] : v);
        const changed = head.selection === "selected" ? raw : { ...raw, classes };
        const settings = { imageSize, ...options, head };
        const got = sync.detect(pack(head, changed, inOrder(head, changed)), settings);
        got.forEach((list, image) => agrees(list, detect(imageOf(changed, image), settings), `${name}, ${layout}`));
      }
    }
  });
}

test("what classes and thresholds may not be", () => {
  const { settings, outputs } = example();
  const run = (options: object) => () => sync.detect(outputs, { ...settings, ...options });
  throws(
    run({ scoreThreshold: new Float32Array(6) }),
    TypeError,
    "options.scoreThreshold is Float32Array(6)",
    "7 values",
  );
  throws(run({ scoreThreshold: new Float32Array(7).fill(2) }), RangeError, "options.scoreThreshold[0] is 2");
  throws(run({ scoreThreshold: new Float32Array(7).fill(NaN) }), RangeError, "options.scoreThreshold[0] is NaN");
  throws(run({ scoreThreshold: Array(7).fill(0.5) }), TypeError, "options.scoreThreshold is an array of 7", "a number");
  throws(run({ classes: 3 }), TypeError, "options.classes is number 3", "an array of classes");
  throws(run({ classes: [0, 7] }), RangeError, "options.classes[1] is 7", "0 to 6");
  throws(run({ classes: [1, 1] }), RangeError, "options.classes", "1 twice");
  throws(run({ classes: ["1"] }), TypeError, "options.classes[0]");
  throws(run({ suppression: "soft" }), TypeError, "options.suppression", "greedy");
});

test("a list of all classes, and the same threshold for each, change no bit", () => {
  for (const name of CHOSEN_HEADS) {
    const head = heads[name]({ numClasses: 7 });
    const raw = randomHead(random(68), head, imageSize);
    const [[, outputs]] = packings(head, raw);
    for (const multiLabel of [false, true]) {
      const options = { head, imageSize, multiLabel, scoreThreshold: 0.125 };
      const [wanted] = sync.detect(outputs, options);
      assert.ok(wanted.length > 3);
      const thresholds = new Float32Array(7).fill(0.125);
      for (const alike of [{ classes: [6, 5, 4, 3, 2, 1, 0] }, { scoreThreshold: thresholds }]) {
        const [got] = sync.detect(outputs, { ...options, ...alike });
        for (const member of ["boxes", "scores", "classes", "anchors"] as const) same(got[member], wanted[member]);
      }
    }
  }
});

/** One class of boxes (x, y, w, h) over the threshold, best first, each in a cell of its own. */
function detectBoxes(boxes: readonly (readonly number[])[], options: Partial<DetectOptions>): number[] {
  const count = boxes.length;
  const channels = [0, 1, 2, 3].map((side) => boxes.map((box) => box[side]));
  const scores = boxes.map((_, i) => 1 - 0.5 * i / count);
  const data = Float32Array.from([...channels, scores].flat());
  const head = heads.yolov8Decoded({ numClasses: 1, strides: [1] });
  const settings = { head, imageSize: [1, count], maxDetections: count, ...options };
  return [...sync.detect({ data, dims: [1, 5, count] }, settings)[0].anchors];
}

test("fast suppression: by the threshold or more, by dropped boxes too, and by all of a class at 0", () => {
  const fast = (boxes: readonly (readonly number[])[], iouThreshold: number) =>
    detectBoxes(boxes, { suppression: "fast", iouThreshold });
  const halves = [[5, 5, 10, 10], [5, 2.5, 10, 5], [2.5, 2.5, 5, 5]]; // IoU 0.5, 0.5 and 0.25
  assert.equal(fast(halves, 0.5), [0]);
  assert.equal(fast(halves, 0.5000001), [0, 1, 2]);
  assert.equal(detectBoxes(halves, { iouThreshold: 0.5 }), [0, 1, 2]);
  assert.equal(fast([...halves, [5, 5, 10, 10]], 1), [0, 1, 2]);
  const far = [NaN, Infinity].map((x) => [x, 0, 1, 1]);
  assert.equal(fast([...far, ...halves, [900, 900, 1, 1], [9, 9, 0, 0]], 0), [0, 1, 2]);
  assert.equal(fast([...far, ...halves, [900, 900, 1, 1], [9, 9, 0, 0]], 5e-324), [0, 1, 2, 5, 6]);
});

test("fast suppression of a thousand boxes is that of all pairs", () => {
  const r = random(58);
  const spread = () => [r.uniform(0, 600), r.uniform(0, 600), r.uniform(5, 40), r.uniform(5, 40)];
  const nested = () => [300, 300, Math.exp(r.uniform(0, 7)), Math.exp(r.uniform(0, 7))];
  for (const make of [spread, nested]) {
    const boxes = Array.from({ length: 1200 }, make);
    const corners = boxes.map(([x, y, w, h]) => [x - w / 2, y - h / 2, x + w / 2, y + h / 2].map(Math.fround));
    for (const iouThreshold of [0.05, 0.5, 0.9]) {
      const kept = [...boxes.keys()].filter((i) =>
        corners.slice(0, i).every((box) => iou(box, corners[i]) < iouThreshold)
      );
      assert.equal(detectBoxes(boxes, { suppression: "fast", iouThreshold }), kept);
    }
  }
});

test("rows that are detections: over the threshold, best first, and nothing suppressed", () => {
  const head = heads.yolo26({ numClasses: 80 });
  const row = (score: number, label: number, ...box: number[]) => [...box, score, label];
  const rows = [
    row(0.5, 3, 10, 20, 30, 40),
    row(0.9, 79, -4, 8, 20, 200),
    row(0.5, 3, 10, 20, 30, 41),
    row(0.2, 0, 1, 1, 2, 2),
    row(0, 0, 0, 0, 0, 0),
  ];
  const output = { data: Float32Array.from(rows.flat()), dims: [1, 5, 6] };
  const [found] = sync.detect(output, { head, imageSize, iouThreshold: 0, classAgnostic: true, preNmsTopK: 0 });
  same(found.anchors, [1, 0, 2]);
  same(found.classes, [79, 3, 3]);
  close(found.scores, [0.9, 0.5, 0.5], 1e-7);
  same(found.boxes, [-4, 8, 20, 200, 10, 20, 30, 40, 10, 20, 30, 41]);
  const [best] = sync.detect(output, { head, imageSize, maxDetections: 2, clip: true });
  same(best.boxes, [0, 8, 20, 96, 10, 20, 30, 40]);
  const transform = { scaleX: 0.5, scaleY: 2, padX: 2, padY: 0 };
  same(sync.detect(output, { head, imageSize, transform, maxDetections: 1 })[0].boxes, [-12, 4, 36, 100]);
  const wide = { data: Float32Array.from(rows.flatMap((values) => [...values, 99])), dims: [1, 5, 7] };
  same(sync.detect(wide, { head: { ...head, unusedClasses: 1 }, imageSize })[0].boxes, found.boxes);
  same(sync.detect({ output0: output }, { head, imageSize })[0].boxes, found.boxes);
  same(sync.detect(output.data, { head, imageSize })[0].boxes, found.boxes);
  for (const label of [80, -1, 1.5, NaN]) {
    const wrong = { data: Float32Array.from(row(0.9, label, 0, 0, 1, 1)), dims: [1, 1, 6] };
    throws(() => sync.detect(wrong, { head, imageSize }), RangeError, "the class of row 0 in outputs", "0 to 79");
  }
  const unsure = [
    row(NaN, 3, 0, 0, 1, 1),
    row(0.1, NaN, 0, 0, 1, 1),
    Array(6).fill(NaN),
    ...rows,
    row(0.3, 2, NaN, 0, 1, 1),
  ];
  const odd = { data: Float32Array.from(unsure.flat()), dims: [1, 9, 6] };
  const [kept] = sync.detect(odd, { head, imageSize, clip: true });
  same(kept.anchors, [4, 3, 5, 8]);
  same(kept.boxes.subarray(12), [NaN, 0, 1, 1]);
  const logit = { data: Float32Array.from(row(3, 1, 0, 0, 1, 1)), dims: [1, 1, 6] };
  throws(() => sync.detect(logit, { head, imageSize }), RangeError, "a score in outputs is 3");
  close(sync.detect(logit, { head: { ...head, scores: "logits" }, imageSize })[0].scores, [0.95257413], 1e-6);
  throws(() => sync.detect(zeros(1, 300, 7), { head, imageSize }), TypeError, "(1, 300, 7)", "wanted (B, rows, 6)");
  assert.is(sync.detect(zeros(1, 0, 6), { head, imageSize })[0].length, 0);
});

test("queries: the best pairs of a query and a class, in the order of their scores", () => {
  const head = heads.dfine({ numClasses: 3 });
  const classes = { data: Float32Array.of(2, 1, -9, 3, -9, 2, -9, -9, -9), dims: [1, 3, 3] };
  const boxes = { data: Float32Array.of(0.5, 0.5, 1, 0.5, 0.25, 0.5, 0.5, 0.25, 0, 0, 0, 0), dims: [1, 3, 4] };
  const options = { head, imageSize, iouThreshold: 0, multiLabel: false, preNmsTopK: 1, classAgnostic: true };
  const [found] = sync.detect({ boxes, classes }, options);
  same(found.anchors, [1, 0, 1, 0]);
  same(found.classes, [0, 0, 2, 1]);
  close(found.boxes.subarray(0, 8), [0, 36, 64, 60, 0, 24, 128, 72], 1e-5);
  same(sync.detect([classes, boxes], { ...options, maxDetections: 3 })[0].classes, [0, 0, 2]);
  assert.is(sync.detect([classes, boxes], { ...options, maxDetections: 0 })[0].length, 0);
  same(sync.detect({ logits: classes, pred_boxes: boxes }, options)[0].classes, found.classes);
});

test("softmax: background has its share; infinite logits, and NaN in its row alone", () => {
  const head = heads.detr({ numClasses: 2 });
  const logits = [[1, 0, Math.log(3)], [Infinity, 0, 0], [-Infinity, -Infinity, -Infinity], [NaN, 9, 0], [800, 0, 700]];
  const classes = { data: Float32Array.from(logits.flat()), dims: [1, 5, 3] };
  const [found] = sync.detect({ classes, boxes: zeros(1, 5, 4) }, { head, imageSize });
  same(found.anchors, [1, 4, 0]);
  close(found.scores, [1, 1, Math.E / (Math.E + 4)], 1e-6);
  // A grid's anchors may have background too.
  const dense = heads.gfl({ numClasses: 5, scores: "softmax", bins: 4, strides: [8, 16] });
  for (const layout of ["rows", "channels-first"] as const) {
    for (const channelOrder of ["separate", "class-first"] as const) {
      const changed = { ...dense, layout, channelOrder };
      const raw = randomHead(random(64), changed, imageSize, 2);
      for (const [packing, outputs] of packings(changed, raw)) {
        const settings = { head: changed, imageSize, scoreThreshold: 0.4 };
        sync.detect(outputs, settings).forEach((list, image) => {
          assert.ok(list.length > 3);
          agrees(list, detect(imageOf(raw, image), settings), `${layout}, ${packing}`);
        });
      }
    }
  }
});

test("values of bins that are not even: boxes, deviations and excesses in float64", () => {
  const binValues = [-2, -0.5, 0, 0.75, 1, 3, 7.5, 12];
  for (const layout of ["rows", "channels-first"] as const) {
    const head = heads.yolov8({ numClasses: 5, bins: 8, binValues, layout });
    const raw = randomHead(random(65), head, imageSize, 2);
    const outputs = pack(head, raw, inOrder(head, raw));
    const got = sync.detect(outputs, { head, imageSize, uncertainty: true });
    got.forEach((list, image) => agrees(list, detect(imageOf(raw, image), { head, imageSize }), layout));
    const { anchors, std = [], excess = [], saturation = [] } = got[0];
    assert.ok(anchors.length > 3);
    const strides = raw.cells.flatMap(([h, w], level) => Array<number>(h * w).fill(head.strides[level]));
    anchors.forEach((anchor, i) => {
      for (let side = 0; side < 4; side++) {
        const weights = binValues.map((_, b) => Math.exp(raw.boxes[anchor * 32 + side * 8 + b]));
        const p = weights.map((weight) => weight / weights.reduce((a, b) => a + b));
        const mean = p.reduce((sum, share, b) => sum + share * binValues[b], 0);
        const variance = p.reduce((sum, share, b) => sum + share * (binValues[b] - mean) ** 2, 0);
        const above = binValues.find((value) => value > mean) ?? NaN;
        const below = binValues.findLast((value) => value <= mean) ?? NaN;
        const beyond = Math.max(variance - (mean - below) * (above - mean), 0);
        close([std[4 * i + side]], [Math.sqrt(variance) * strides[anchor]], 1e-3);
        close([excess[4 * i + side]], [Math.sqrt(beyond) * strides[anchor]], 1e-2);
        close([saturation[4 * i + side]], [p[7]], 1e-6);
      }
    });
    // Even values are those of a head without.
    const even = { ...head, binValues: [0, 1, 2, 3, 4, 5, 6, 7] };
    const [a] = sync.detect(outputs, { head: even, imageSize, uncertainty: true });
    const [b] = sync.detect(outputs, { head: { ...head, binValues: undefined }, imageSize, uncertainty: true });
    close(a.boxes, b.boxes, 1e-3);
    close(a.std ?? [], b.std ?? [], 1e-3);
  }
  throws(() => heads.yolov8({ binValues: [0, 1] }), RangeError, "options.binValues is 2 values", "16");
  throws(() => heads.yolov8({ bins: 2, binValues: [1, 1] }), RangeError, "options.binValues[1] is 1", "over 1");
  throws(() => heads.yolov8({ bins: 2, binValues: [1, Infinity] }), RangeError, "options.binValues[1] is Infinity");
  throws(() => heads.vfnet({ binValues: [0, 1] }), TypeError, "options.binValues is given", "distances");
});

test("members that do not go together", () => {
  throws(
    () => heads.yolov10({ boxes: "distances" }),
    TypeError,
    `options.boxes is "distances" for selection "selected"`,
  );
  throws(() => heads.rtdetr({ boxUnit: "stride" }), TypeError, `options.boxUnit is "stride" for selection "queries"`);
  throws(() => heads.yolov10({ scores: "softmax" }), TypeError, `options.scores is "softmax"`);
  throws(() => heads.yolov10({ objectness: "multiply" }), TypeError, `options.objectness is "multiply"`);
  throws(() => heads.yolov10({ channelOrder: "separate" }), TypeError, `options.channelOrder is "separate"`);
  throws(
    () => heads.detr({ objectness: "multiply" }),
    TypeError,
    `options.objectness is "multiply" for scores "softmax"`,
  );
  throws(() => heads.yolov10({ selection: "best" as "dense" }), TypeError, "options.selection", "selected");
});

test("half, double and quantised tensors of every head", async () => {
  for (const name of PRESETS) {
    const head = heads[name]({ numClasses: 3, ...heads[name]().selection === "selected" ? {} : { scores: "logits" } });
    const raw = randomHead(random(66), head, imageSize, 2);
    const eighths = (v: number) => Math.max(-8, Math.min(8, Math.round(v * 8) / 8));
    const roles = { ...raw, classes: raw.classes.map(eighths), boxes: raw.boxes.map(eighths) };
    if (raw.objectness !== null) roles.objectness = raw.objectness.map(eighths);
    const make = (values: Float32Array, convert: (t: HostTensor) => HostTensor) => convert(pack(head, roles, [values]));
    const outputs = (convert: (t: HostTensor) => HostTensor) => {
      const { classes, boxes, objectness } = roles;
      const named = { classes: make(classes, convert), boxes: make(boxes, convert) };
      return objectness === null ? named : { ...named, objectness: make(objectness, convert) };
    };
    const options = { head, imageSize };
    const wanted = sync.detect(outputs((t) => t), options);
    assert.ok(wanted[0].length > 0, name);
    const kinds: ((t: HostTensor) => HostTensor)[] = [
      ({ data, dims }) => ({ data: Uint16Array.from(data as Float32Array, halfBits), dims }),
      ({ data, dims }) => ({ data: Float64Array.from(data as Float32Array), dims }),
      ({ data, dims }) => ({ data: Int8Array.from(data as Float32Array, (v) => v * 8), dims, scale: 1 / 8 }),
    ];
    for (const convert of kinds) {
      const got = await engine.detect(outputs(convert), options);
      got.forEach((list, image) => {
        same(list.boxes, wanted[image].boxes, name);
        same(list.scores, wanted[image].scores, name);
        same(list.classes, wanted[image].classes, name);
      });
    }
  }
});

test("several rows of a cell, at the points of distances", () => {
  for (const boxUnit of ["pixel", "stride"] as const) {
    const head = heads.rtmdet({ numClasses: 3, anchorsPerCell: 2, boxUnit });
    const raw = randomHead(random(63), head, imageSize);
    for (const [packing, outputs] of packings(head, raw)) {
      agrees(sync.detect(outputs, { head, imageSize })[0], detect(imageOf(raw, 0), { head, imageSize }), packing);
    }
  }
});

test("tensors that heads with anchors do not have, and anchors that levels do not have, are named", () => {
  const head = heads.yolov5({ numClasses: 1 });
  const wrong = zeros(1, 17, 12, 16);
  throws(
    () => sync.detect([wrong], { head, imageSize }),
    TypeError,
    "outputs is of shape (1, 17, 12, 16)",
    "(B, 18, anchors)",
    "3 to a cell, each: 252 in all or 192, 48, 12 by level",
  );
  throws(() => heads.yolov5({ strides: [8, 16] }), RangeError, "options.anchors is 3 lists", "2, a list for each");
  throws(() => heads.yolov5({ anchors: [[1, 2], [3], [4, 5]] }), TypeError, "options.anchors[1]", "width, height");
  throws(() => heads.yolov5({ anchors: [[1, 2], [3, 0], [4, 5]] }), RangeError, "options.anchors[1][1] is 0");
  throws(
    () => heads.yolov5({ anchors: undefined, boxes: "xywh" }),
    TypeError,
    `options.anchors is given for boxes "xywh"`,
  );
  throws(() => heads.yolov8({ bins: 0, boxes: "anchor-exp" }), TypeError, "options.anchors is undefined");
  throws(() => heads.yolov5({ anchorsPerCell: 2 }), RangeError, "options.anchorsPerCell is 2", "3, 3, 3");
  throws(() => heads.yolox({ boxUnit: "image" }), TypeError, "options.boxUnit", `boxes "log-size"`);
  throws(() => heads.yolox({ anchorsPerCell: 0 }), RangeError, "options.anchorsPerCell is 0");
  throws(() => heads.damoYolo({ unusedClasses: -1 }), RangeError, "options.unusedClasses is -1");
});

test("rows of height and width without a batch axis, at sizes where they could be images of anchors", () => {
  const head = heads.yolov8({ numClasses: 2, layout: "rows" });
  for (const [height, width] of [[64, 64], [128, 128], [128, 256], [128, 640], [64, 256]]) {
    const maps = (channels: number, ...batch: number[]) =>
      head.strides.map((stride) => filled(-9, ...batch, height / stride, width / stride, channels));
    const options = { head, imageSize: [height, width] as const };
    const found = (...batch: number[]) => {
      const outputs = { classes: maps(2, ...batch), boxes: maps(64, ...batch) };
      outputs.classes[2].data[1] = 3;
      outputs.boxes[2].data.fill(9, 0, 1);
      return sync.detect(outputs, options);
    };
    const [wanted] = found(1);
    assert.is(wanted.length, 1);
    same(found()[0].boxes, wanted.boxes, `${height} × ${width}`);
  }
});

test("a list with as many classes as box channels is read in the order of the family's export", () => {
  const boxes = [80, 40, 20].map((n) => filled(-2, 1, 64, n, n));
  const classes = [80, 40, 20].map((n) => filled(-9, 1, 64, n, n));
  const cell = 10 * 20 + 10; // of stride 32
  classes[2].data[5 * 400 + cell] = 3;
  [1, 2, 3, 4].forEach((bin, side) => boxes[2].data[(16 * side + bin) * 400 + cell] = 12);
  const head = heads.yolov8({ numClasses: 64, channelOrder: "separate" });
  const options = { head, imageSize: [640, 640] as const };
  const [wanted] = sync.detect({ boxes, classes }, options);
  close(wanted.boxes, [304, 272, 432, 464], 0.01);
  same(wanted.classes, [5]);
  const apart = [boxes, classes].map((maps) => joined(maps));
  for (const list of [boxes.flatMap((box, i) => [box, classes[i]]), [...boxes, ...classes], apart]) {
    const [got] = sync.detect(list, options);
    same(got.boxes, wanted.boxes);
    same(got.classes, wanted.classes);
  }
  const custom = { ...head, name: "custom" };
  throws(
    () => sync.detect([...boxes, ...classes], { ...options, head: custom }),
    TypeError,
    "outputs is a list in which classes and boxes have 64 channels each",
    "{classes, boxes}",
  );
  agrees(sync.detect({ boxes, classes }, { ...options, head: custom })[0], [...wanted], "by name");
});

/** Maps of all levels in one. */
function joined(maps: readonly HostTensor[]): HostTensor {
  const [, channels] = maps[0].dims;
  const rows = Array.from({ length: channels }, (_, c) => {
    return maps.flatMap(({ data, dims: [, , h, w] }) => Array.from(data.subarray(c * h * w, (c + 1) * h * w)));
  });
  return { data: Float32Array.from(rows.flat()), dims: [1, channels, rows[0].length] };
}

test("four classes of a head that refines its boxes: classes, initial, refined", () => {
  const head = heads.vfnet({ numClasses: 4, strides: [8, 16] });
  const raw = randomHead(random(51), head, [64, 64]);
  const initial = packLevels(head, raw, [raw.boxes.map(() => 1)]);
  const [classes, boxes] = [raw.classes, raw.boxes].map((values) => packLevels(head, raw, [values]));
  const options = { head, imageSize: [64, 64] as const };
  const [wanted] = sync.detect({ classes, boxes }, options);
  assert.ok(wanted.length > 3);
  const byLevel = classes.flatMap((map, i) => [map, initial[i], boxes[i]]);
  for (const list of [[...classes, ...initial, ...boxes], byLevel]) {
    same(sync.detect(list, options)[0].boxes, wanted.boxes);
    const plain = { ...options, head: { ...head, refined: false } };
    throws(() => sync.detect(list, plain), TypeError, "detect: outputs is 4 tensors of boxes", "one per level");
  }
});

test("what a session gives goes in as it is, and errors name its tensors", () => {
  const { settings, outputs, wanted } = example();
  agrees(sync.detect({ output0: outputs }, settings)[0], wanted, "one tensor");
  const separate = heads.gfl({ numClasses: 5, bins: 8, strides: [8, 16] });
  const apart = randomHead(random(52), separate, imageSize);
  const [cls, reg] = [apart.classes, apart.boxes].map((values) => packLevels(separate, apart, [values]));
  const named = { cls_s8: cls[0], reg_s16: reg[1], "reg/s8": reg[0], cls_s16: cls[1] };
  const options = { head: separate, imageSize };
  const [list] = sync.detect([...cls, ...reg], options);
  same(sync.detect(named, options)[0].boxes, list.boxes);
  same(sync.detect({ classes: cls, a: reg[0], b: reg[1] }, options)[0].boxes, list.boxes);
  const { data } = outputs;
  const run = (o: object, changes: object = {}) => () => sync.detect(o as Outputs, { ...settings, ...changes });
  throws(run({ output0: { data, dims: [1, 3, data.length / 3] } }), TypeError, "detect: outputs.output0", "(1, 3,");
  throws(run({ ...named, "reg/s8": zeros(1, 33, 12, 16) }, options), TypeError, `outputs["reg/s8"]`, "(1, 33, 12, 16)");
  throws(run({}), TypeError, "outputs is an object", "session.run");
  throws(run({ a: 1 }), TypeError, "outputs.a is number 1");
  throws(
    run({ classes: cls, boxes: reg, objectness: cls }, options),
    TypeError,
    "outputs.objectness[0] is given",
    "gfl",
  );
  throws(run({ classes: cls, boxes: reg, other: cls[0] }, options), TypeError, "outputs.other is given", "beside");
  throws(
    run({ classes: cls, other: cls[0] }, options),
    TypeError,
    "outputs.other",
    "(1, 5, 12, 16)",
    "(B, 32, anchors)",
  );
  throws(run({ classes: cls, more: [] }, options), TypeError, "outputs.boxes is undefined");
});

test("rows by name hold the roles that no other name says", () => {
  const head = heads.yolov6({ numClasses: 3 });
  const raw = randomHead(random(53), head, imageSize);
  const { classes, boxes, objectness } = raw;
  const options = { head, imageSize };
  const [wanted] = sync.detect({ rows: pack(head, raw, [boxes, objectness as Float32Array, classes]) }, options);
  agrees(wanted, detect(imageOf(raw, 0), options), "rows");
  const own = pack(head, raw, [objectness as Float32Array]);
  const beside = { objectness: own, rows: pack(head, raw, [boxes, classes]) };
  same(sync.detect(beside, options)[0].boxes, wanted.boxes);
  const all = { classes: pack(head, raw, [classes]), boxes: pack(head, raw, [boxes]), objectness: own };
  const run = (o: Outputs, h = head) => () => sync.detect(o, { ...options, head: h });
  throws(run({ ...all, rows: own }), TypeError, "outputs.rows is given", "every role has a tensor");
  throws(run({ ...beside, output1: own }), TypeError, "outputs.output1 is given", "none beside rows");
  throws(run({ ...beside, objectness: undefined }), TypeError, "outputs.rows is of shape", "(B, anchors, 8)");
  throws(run(beside, heads.yolov8Decoded({ numClasses: 3 })), TypeError, "outputs.objectness is given", "boxes only");
  throws(
    run({ rows: own }, heads.gfl({ numClasses: 3 })),
    TypeError,
    "outputs.rows is a tensor of boxes and classes",
    "{boxes, classes}",
  );
  assert.equal(heads.infer({ rows: zeros(1, 84, 8400) }, { numClasses: 80 }), heads.yolov8Decoded());
});

test("a call that asks as the last one did, and one that does not, are answered from what they were given", () => {
  const strides = [8, 16];
  const head: HeadSpec = { ...heads.vfnet({ numClasses: 5 }), strides };
  const wanted = (raw: RawValues, size: readonly [number, number]) =>
    detect(imageOf(raw, 0), { head, imageSize: size });
  const given = (raw: RawValues) => ({
    cls: pack(head, raw, [raw.classes]),
    reg: pack(head, raw, [raw.boxes]),
  });
  const check = (size: readonly [number, number], seed: number, what: string) => {
    const raw = randomHead(random(seed), head, size);
    agrees(sync.detect(given(raw), { head, imageSize: size })[0], wanted(raw, size), what);
  };
  check([96, 128], 1, "first");
  check([96, 128], 2, "other values");
  check([128, 96], 3, "other size, the same number of anchors");
  check([64, 64], 4, "other shapes");
  strides[1] = 32;
  check([64, 64], 5, "strides of the same list changed");
  (head as { anchorOffset: number }).anchorOffset = 0.5;
  check([64, 64], 6, "a member of the same head changed");
  const raw = randomHead(random(7), head, [64, 64]);
  const { cls, reg } = given(raw);
  agrees(sync.detect([cls, reg], { head, imageSize: [64, 64] })[0], wanted(raw, [64, 64]), "a list");
  agrees(sync.detect({ reg, cls }, { head, imageSize: [64, 64] })[0], wanted(raw, [64, 64]), "another order");
  const bad = { other: { ...cls, dims: [1, 6, 80] }, reg };
  throws(() => sync.detect(bad, { head, imageSize: [64, 64] }), TypeError, "480 values");
  const wrong = { ...head, stride: [8] };
  throws(
    () => sync.detect({ cls, reg }, { head: wrong, imageSize: [64, 64] }),
    TypeError,
    "options.head.stride is unknown",
  );
  agrees(sync.detect({ cls, reg }, { head, imageSize: [64, 64] })[0], wanted(raw, [64, 64]), "works on");
});

test("bare arrays of the same lengths, of others, and tensors of their lengths are told apart from call to call", () => {
  const head = heads.yolov8({ numClasses: 5, bins: 8, strides: [8, 16] });
  const bare = ({ data }: HostTensor): Outputs => data as Float32Array;
  const check = (size: readonly [number, number], seed: number, what: string, given = bare, batch = 1) => {
    const raw = randomHead(random(seed), head, size, batch);
    const results = sync.detect(given(pack(head, raw, [raw.boxes, raw.classes])), { head, imageSize: size });
    assert.is(results.length, batch, what);
    results.forEach((result, i) => agrees(result, detect(imageOf(raw, i), { head, imageSize: size }), what));
  };
  check([96, 128], 1, "first");
  check([96, 128], 2, "other values");
  check([128, 96], 3, "other size, the same number of anchors");
  check([128, 96], 4, "two images", bare, 2);
  check([128, 96], 5, "a tensor", (tensor) => tensor);
  check([128, 96], 6, "bare again");
  const short = new Float32Array(37 * 239);
  throws(() => sync.detect(short, { head, imageSize: [128, 96] }), TypeError, "Float32Array(8843)");
  check([128, 96], 7, "works on");
});

test("tensors beyond those of the head are named", () => {
  const levels = [80, 40, 20];
  const list = (classes: number) => levels.flatMap((n) => [64, classes, 1].map((c) => filled(-9, 1, c, n, n)));
  const run = (numClasses: number, outputs: Outputs) => () =>
    sync.detect(outputs, { head: heads.yolov8({ numClasses, channelOrder: "separate" }), imageSize: [640, 640] });
  throws(run(4, list(4)), TypeError, "outputs[2] is of shape (1, 1, 80, 80)", "leave it out", "sum of scores");
  throws(run(1, list(1)), TypeError, "6 tensors of classes", "leave out outputs[2], outputs[5], outputs[8]");
  assert.is(run(1, list(1).filter((_, i) => i % 3 < 2))()[0].length, 0);
});

test("a wrong image size is told with the one that fits", () => {
  const head = heads.gfl({ numClasses: 4, bins: 8, strides: [8, 16] });
  const outputs = [20, 10].flatMap((n) => [filled(-9, 1, 4, n, n), filled(-9, 1, 32, n, n)]);
  const run = (imageSize: number[], o: Outputs = outputs) => () => sync.detect(o, { head, imageSize });
  throws(run([320, 320]), TypeError, "anchors", "they fit imageSize [160, 160]");
  const wide = [[12, 20], [6, 10]].flatMap(([h, w]) => [filled(-9, 1, 4, h, w), filled(-9, 1, 32, h, w)]);
  throws(run([192, 160], wide), TypeError, "they fit imageSize [96, 160]");
  const run8 = (imageSize: number[]) => () =>
    sync.detect(zeros(1, 84, 8400), { head: heads.yolov8Decoded(), imageSize });
  throws(run8([320, 320]), TypeError, "they fit imageSize [640, 640]");
  const grid = { data: new Float32Array(20 * 20 * 6), dims: [20, 20, 6] };
  const rows = heads.yolov8Decoded({ numClasses: 2, strides: [8], layout: "rows" });
  throws(
    () => sync.detect(grid, { head: rows, imageSize: [64, 64] }),
    TypeError,
    "(20, 20, 6)",
    "they fit imageSize [160, 160]",
  );
});

test("shapes of other things say what they are", () => {
  const run = (outputs: Outputs, head = heads.yolov8Decoded()) => () =>
    sync.detect(outputs, { head, imageSize: [640, 640] });
  throws(run(zeros(1, 300, 6)), TypeError, "these are detections already", "300 rows of 6");
  throws(run(zeros(1, 8400, 84)), TypeError, `it fits layout: "rows"`);
  throws(run(zeros(1, 56, 8400), heads.yolov8Decoded({ numClasses: 1 })), TypeError, "behind the classes", "keypoints");
});

test("uncertainty is that of dflStatistics, in pixels", () => {
  for (const layout of ["rows", "channels-first"] as const) {
    const { head, raw, settings, outputs } = example({
      head: heads.yolov8({ numClasses: 7, layout }),
      uncertainty: true,
    });
    const [got] = sync.detect(outputs, settings);
    const shape = sync.dflStatistics({ data: raw.boxes, dims: [raw.anchors, boxChannels(head)] }, { bins: head.bins });
    const strides = raw.cells.flatMap(([h, w], level) => Array<number>(h * w).fill(head.strides[level]));
    got.anchors.forEach((anchor, i) => {
      for (let side = 0; side < 4; side++) {
        const { std = [], saturation = [], excess = [] } = got;
        assert.is(std[4 * i + side], Math.fround(shape.std[4 * anchor + side] * strides[anchor]));
        assert.is(saturation[4 * i + side], shape.saturation[4 * anchor + side]);
        assert.is(excess[4 * i + side], Math.fround(shape.excess[4 * anchor + side] * strides[anchor]));
      }
    });
    const [plain] = sync.detect(outputs, { ...settings, uncertainty: false });
    assert.equal([plain.std, plain.saturation, plain.excess], [undefined, undefined, undefined]);
  }
});

test("half, double, quantised and in-memory tensors", async () => {
  const head = heads.nanodetPlus({ numClasses: 3 });
  const raw = randomHead(random(43), head, imageSize);
  const { dims } = pack(head, raw, inOrder(head, raw));
  // Multiples of 1/8 within ±8 are exact in every storage kind.
  const exact = Float32Array.from(
    pack(head, raw, inOrder(head, raw)).data,
    (v) => Math.max(-8, Math.min(8, Math.round(v * 8) / 8)),
  );
  const [wanted] = sync.detect({ data: exact, dims }, { head, imageSize });
  assert.ok(wanted.length > 3);
  using resident = engine.tensor(dims);
  resident.data.set(exact);
  const kinds = {
    half: { data: Uint16Array.from(exact, halfBits), dims },
    double: { data: Float64Array.from(exact), dims },
    signed: { data: Int8Array.from(exact, (v) => v * 8), dims, scale: 1 / 8 },
    unsigned: { data: Uint8Array.from(exact, (v) => v * 8 + 100), dims, scale: 1 / 8, zeroPoint: 100 },
    resident,
  };
  for (const [kind, tensor] of Object.entries(kinds)) {
    for (const multiLabel of [false, true]) {
      const options = { head, imageSize, multiLabel };
      const [got] = await engine.detect(tensor, options);
      const [plain] = sync.detect({ data: exact, dims }, options);
      for (const member of ["boxes", "scores", "classes", "anchors"] as const) {
        same(got[member], plain[member], `${kind}: ${member}`);
      }
    }
  }
});

test("channels-first, quantised: rows of odd length are converted in place", () => {
  const head = heads.yolov8({ numClasses: 3 });
  const raw = randomHead(random(44), head, [96, 96]);
  const { data, dims } = pack(head, raw, inOrder(head, raw));
  const exact = Float32Array.from(data, (v) => Math.max(-8, Math.min(8, Math.round(v * 8) / 8)));
  const options = { head, imageSize: [96, 96] as const, multiLabel: true };
  const [plain] = sync.detect({ data: exact, dims }, options);
  const [bytes] = sync.detect({ data: Int8Array.from(exact, (v) => v * 8), dims, scale: 1 / 8 }, options);
  const [halves] = sync.detect({ data: Uint16Array.from(exact, halfBits), dims }, options);
  for (const got of [bytes, halves]) {
    same(got.scores, plain.scores);
    same(got.boxes, plain.boxes);
  }
});

test("views at odd offsets and shared memory", () => {
  const { settings, outputs } = example();
  const { data, dims } = outputs;
  const [wanted] = sync.detect(outputs, settings);
  const offset = new Float32Array(new ArrayBuffer(data.length * 4 + 12), 12);
  offset.set(data as Float32Array);
  same(sync.detect({ data: offset, dims }, settings)[0].boxes, wanted.boxes);
  if (typeof SharedArrayBuffer === "undefined") return;
  const shared = new Float32Array(new SharedArrayBuffer(data.length * 4));
  shared.set(data as Float32Array);
  same(sync.detect({ data: shared, dims }, settings)[0].boxes, wanted.boxes);
});

test("a small memory streams to the same bits", async () => {
  const head = heads.yolov8({ numClasses: 20 });
  const raw = randomHead(random(45), head, [320, 320], 1, 2);
  const outputs = pack(head, raw, inOrder(head, raw));
  const small = await createEngine({ maxMemory: 768 * 1024 });
  for (const multiLabel of [false, true]) {
    const options = { head, imageSize: [320, 320] as const, multiLabel };
    const [wanted] = sync.detect(outputs, options);
    const [got] = small.sync.detect(outputs, options);
    same(got.boxes, wanted.boxes);
    same(got.scores, wanted.scores);
  }
});

test("NaN and infinite scores: NaN never passes, infinity is certain", () => {
  for (const layout of ["rows", "channels-first"] as const) {
    const head = heads.yolov8({ numClasses: 6, layout });
    const raw = randomHead(random(46), head, imageSize);
    const odd = raw.classes.map((v, i) => i % 7 === 0 ? NaN : i % 11 === 0 ? -Infinity : i === 600 ? Infinity : v);
    const changed = { ...raw, classes: odd };
    const outputs = pack(head, changed, inOrder(head, changed));
    for (const multiLabel of [false, true]) {
      const settings = { head, imageSize, multiLabel };
      const [got] = sync.detect(outputs, settings);
      agrees(got, detect(imageOf(changed, 0), settings), layout);
      assert.is(got.scores[0], 1);
    }
    const none = { ...raw, classes: raw.classes.map(() => NaN) };
    assert.is(sync.detect(pack(head, none, inOrder(head, none)), { head, imageSize })[0].length, 0);
  }
});

test("NaN objectness and NaN boxes", () => {
  const head = heads.yolov6({ numClasses: 3 });
  const raw = randomHead(random(47), head, imageSize);
  const objectness = (raw.objectness as Float32Array<ArrayBuffer>).map((v, i) => i % 3 === 0 ? NaN : v);
  const boxes = raw.boxes.map((v, i) => i % 97 === 0 ? NaN : v);
  const changed = { ...raw, objectness, boxes };
  const [got] = sync.detect(pack(head, changed, inOrder(head, changed)), { head, imageSize });
  assert.ok(got.length > 0 && got.anchors.every((anchor) => anchor % 3 !== 0));
});

test("extents that no tensor has, and sizes of too many anchors, are refused at once", () => {
  const head = heads.yolov8Decoded({ numClasses: 1 });
  const run = (dims: number[], size: readonly number[] = [640, 640], values = 0) => () =>
    sync.detect({ data: new Float32Array(values), dims }, { head, imageSize: size });
  throws(run([1e300, 0, 8400]), TypeError, "detect", "outputs.dims", "non-negative integers");
  throws(run([0, 5, Number.MAX_SAFE_INTEGER]), TypeError, "anchors: 8400 in all");
  throws(run([2 ** 40, 5, 0]), TypeError, "anchors: 8400 in all or 6400, 1600, 400 by level");
  assert.not.match(messageOf(run([2 ** 40, 5, 0])), "[0, 0]");
  throws(run([1, 5, 8400], [1e200, 1e200], 42000), RangeError, "options.imageSize", "Infinity anchors");
  throws(run([5], [1e6, 1e6], 5), RangeError, "options.imageSize", "at most 2147483647 anchors");
});

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

test("at a threshold of 0 a score that is 0 does not pass", () => {
  const head = heads.vfnet({ numClasses: 1, strides: [64], layout: "rows", channelOrder: "class-first" });
  for (const objectness of ["none", "multiply", "sqrt-multiply"] as const) {
    const found = (logit: number) => {
      const values = [logit, ...objectness === "none" ? [] : [0], 1, 1, 1, 1];
      const options = { head: { ...head, objectness }, imageSize: [64, 64], scoreThreshold: 0 } as const;
      return sync.detect({ data: Float32Array.from(values), dims: [1, 1, values.length] }, options)[0].length;
    };
    assert.equal([-Infinity, -3e38, -710, -709, -100, 0].map(found), [0, 0, 0, 1, 1, 1], objectness);
  }
});

test("no survivors and an empty batch are empty results", () => {
  const { head, raw, settings, outputs } = example();
  const [none] = sync.detect(outputs, { ...settings, scoreThreshold: 0.9999 });
  assert.is(none.length, 0);
  assert.equal([...none], []);
  assert.equal(none.toCoco(1), []);
  const empty = { data: new Float32Array(0), dims: [0, boxChannels(head) + head.numClasses, raw.anchors] };
  assert.equal(sync.detect(empty, settings), []);
});

test("scores are sorted, over the threshold, and iterate as objects and COCO rows", () => {
  const { settings, outputs } = example({ scoreThreshold: 0.3 });
  const [got] = sync.detect(outputs, settings);
  assert.ok(got.scores.every((score, i) => score > 0.3 && (i === 0 || score <= got.scores[i - 1])));
  const [first] = got;
  assert.equal(first.box, [...got.boxes.subarray(0, 4)]);
  assert.is(first.classId, got.classes[0]);
  const rows = got.toCoco(17, [10, 20, 30, 40, 50, 60, 70]);
  assert.is(rows.length, got.length);
  const [x1, y1, x2, y2] = first.box;
  assert.equal(rows[0], {
    image_id: 17,
    category_id: 10 * (first.classId + 1),
    bbox: [x1, y1, x2 - x1, y2 - y1],
    score: first.score,
  });
  assert.is(got.toCoco("a")[0].category_id, first.classId);
  throws(() => got.toCoco(1, [5]), RangeError, "toCoco", "categoryIds");
  throws(() => (got.toCoco as () => void)(), TypeError, "toCoco: imageId is undefined", "a number or a string");
});

test("detections travel as plain data, and are whole again", () => {
  const { settings, outputs } = example({ uncertainty: true });
  for (const uncertainty of [true, false]) {
    const [found] = sync.detect(outputs, { ...settings, uncertainty });
    const text = JSON.stringify(found);
    assert.equal(JSON.parse(text).boxes, [...found.boxes]);
    assert.is("std" in JSON.parse(text), uncertainty);
    for (const travelled of [JSON.parse(text), structuredClone(found), structuredClone(found.toJSON()), found]) {
      const whole = Detections.from(travelled);
      assert.equal([...whole], [...found]);
      assert.equal(whole.toCoco(3), found.toCoco(3));
      assert.ok(whole.boxes instanceof Float32Array && whole.classes instanceof Int32Array);
      assert.is.not(whole.boxes, found.boxes);
    }
    const [first] = found;
    assert.equal(first.std, uncertainty ? [...found.std?.subarray(0, 4) ?? []] : undefined);
    assert.is("saturation" in first, uncertainty);
  }
  const json = sync.detect(outputs, settings)[0].toJSON();
  const from = (changes: object) => () => Detections.from({ ...json, ...changes });
  throws(() => Detections.from(null), TypeError, "Detections.from: json is null");
  throws(() => Detections.from([json]), TypeError, "Detections.from", "json is an array of 1");
  throws(() => Detections.from(JSON.stringify(json)), TypeError, 'json is "{', "characters)", "toJSON", "parsed");
  throws(
    from({ boxes: json.boxes.slice(1) }),
    TypeError,
    "json.boxes is an array of",
    `of ${json.boxes.length} numbers`,
  );
  throws(from({ scores: json.scores.map(String) }), TypeError, "json.scores[0]");
  throws(from({ classes: json.classes.map(() => 0.5) }), RangeError, "json.classes[0]", "0.5");
  throws(from({ anchor: [] }), TypeError, "json.anchor is unknown", "did you mean anchors?");
  throws(from({ std: [1] }), TypeError, "json.std", `of ${json.boxes.length} numbers`);
  assert.ok(
    Number.isNaN(
      Detections.from(JSON.parse(JSON.stringify({ ...json, scores: json.scores.map(() => NaN) }))).scores[0],
    ),
  );
});

test("categoryIds with holes, or other things than numbers, are refused", () => {
  const { settings, outputs } = example();
  const [found] = sync.detect(outputs, settings);
  const holes = new Array<number>(7);
  throws(() => found.toCoco(1, holes), RangeError, "toCoco", "categoryIds[", "undefined");
  throws(() => found.toCoco(1, Array(7).fill("1")), RangeError, "toCoco", `"1"`);
  throws(() => found.toCoco(1, Array(7).fill(NaN)), RangeError, "toCoco", "NaN");
  throws(() => found.toCoco(1, null as unknown as number[]), TypeError, "toCoco", "categoryIds", "null");
});

test("results of earlier calls stay as they were", () => {
  const { settings, outputs } = example();
  const [first] = sync.detect(outputs, settings);
  const boxes = first.boxes.slice();
  sync.detect(example({}, 99).outputs, settings);
  same(first.boxes, boxes);
});

test("a signal stops between images", async () => {
  const head = heads.yolov8({ numClasses: 5 });
  const raw = randomHead(random(48), head, imageSize, 3);
  const outputs = pack(head, raw, inOrder(head, raw));
  const controller = new AbortController();
  const pending = engine.detect(outputs, { head, imageSize, signal: controller.signal });
  controller.abort(new Error("enough"));
  let reason: unknown;
  await pending.catch((error) => reason = error);
  assert.is((reason as Error).message, "enough");
  throws(() => sync.detect(outputs, { head, imageSize, signal: controller.signal }), Error, "enough");
  const none = { head, imageSize, signal: {} as AbortSignal };
  throws(() => sync.detect(outputs, none), TypeError, "detect: options.signal is an object", "wanted an AbortSignal");
  const whole = await engine.detect(outputs, { head, imageSize, signal: new AbortController().signal });
  assert.is(whole.length, 3);
});

test("a repeated call reserves nothing more", () => {
  const { settings, outputs } = example({ multiLabel: true });
  for (let i = 0; i < 3; i++) sync.detect(outputs, settings);
  const { used, reserved } = engine.memory;
  for (let i = 0; i < 50; i++) sync.detect(outputs, settings);
  assert.is(engine.memory.used, used);
  assert.is(engine.memory.reserved, reserved);
});

test("wrong input", () => {
  const { head, raw, settings, outputs } = example();
  const run = (o: unknown, options: object = {}) => () => sync.detect(o as Outputs, { ...settings, ...options });
  const { data } = outputs;
  throws(run({ data, dims: [1, 3, data.length / 3] }), TypeError, "detect", "outputs", "(B, 71, anchors)", "yolov8");
  throws(run({ data, dims: [5] }), TypeError, "detect", "outputs", "dims (5)");
  throws(run(null), TypeError, "detect", "outputs", "null");
  throws(run(data.subarray(1)), TypeError, "detect", "outputs");
  throws(run({ data: [1, 2], dims: [2] }), TypeError, "outputs.data", "an array of 2");
  throws(run({ data: new Int32Array(2), dims: [2] }), TypeError, "outputs.data", "Int32Array(2)");
  throws(run({ data: new Uint8Array(2), dims: [2] }), TypeError, "outputs.scale", "undefined");
  const gpuBuffer = { size: data.byteLength, usage: 0x80, mapAsync() {} };
  throws(run({ gpuBuffer, dims: outputs.dims }), TypeError, "detect: outputs", "GpuTensor");
  throws(run({ gpuBuffer: { size: 16, usage: 0x80 }, dims: [4] }), TypeError, "outputs.gpuBuffer", "a GPUBuffer");
  throws(run({ gpuBuffer: {}, dims: [2] }), TypeError, "outputs.gpuBuffer", "GPUBuffer");
  const located = {
    location: "gpu-buffer",
    dims: outputs.dims,
    gpuBuffer,
    get data() {
      return assert.unreachable("read");
    },
  };
  throws(run(located), TypeError, "GpuTensor");
  throws(run({ classes: outputs, boxes: outputs }), TypeError, "outputs.classes", "(1, 71, 252)", "(B, 7, anchors)");
  throws(run({ classes: pack(head, raw, [raw.classes]) }), TypeError, "outputs.boxes", "undefined");
  throws(run(outputs, { imageSize: [64, 64] }), TypeError, "outputs", "anchors");
  throws(run(outputs, { imageSize: 640 }), TypeError, "options.imageSize", "640");
  throws(run(outputs, { imageSize: [0, 64] }), RangeError, "options.imageSize");
  throws(run(outputs, { head: undefined }), TypeError, "options.head", "undefined");
  throws(run(outputs, { head: { ...head, bins: 99 } }), RangeError, "options.head.bins", "99");
  throws(run(outputs, { head: { ...head, boxes: "circles" } }), TypeError, "options.head.boxes", "circles");
  throws(run(outputs, { scoreThreshold: NaN }), RangeError, "options.scoreThreshold", "NaN");
  throws(run(outputs, { scoreThreshold: -0.01 }), RangeError, "options.scoreThreshold", "-0.01");
  throws(run(outputs, { scoreThreshold: 50 }), RangeError, "options.scoreThreshold", "50");
  throws(
    run(outputs, { scoreTreshold: 0.5 }),
    TypeError,
    "detect: options.scoreTreshold",
    "did you mean scoreThreshold?",
  );
  throws(
    run(outputs, { head: { ...head, numClases: 1 } }),
    TypeError,
    "options.head.numClases",
    "did you mean numClasses?",
  );
  throws(run(outputs, { head: { ...head, name: undefined } }), TypeError, "options.head.name", "undefined");
  throws(run(outputs, { scoreThreshold: "0.5" }), TypeError, "options.scoreThreshold", '"0.5"');
  throws(run(outputs, { iouThreshold: 1.01 }), RangeError, "options.iouThreshold", "1.01");
  throws(run(outputs, { maxDetections: 1.5 }), RangeError, "options.maxDetections", "1.5");
  throws(
    run(outputs, { transform: { scaleX: 0, scaleY: 1, padX: 0, padY: 0 } }),
    RangeError,
    "options.transform.scaleX",
  );
  throws(run(outputs, { clip: "yes" }), TypeError, "options.clip", '"yes"');
  const separate = heads.gfl({ numClasses: 5 });
  throws(run(outputs, { head: separate }), TypeError, "outputs", "one tensor", "classes, boxes");
  const decoded = heads.yolov8Decoded({ numClasses: 67 });
  throws(run(outputs, { head: decoded, uncertainty: true }), TypeError, "options.uncertainty", "yolov8Decoded");
  agrees(sync.detect(outputs, settings)[0], example().wanted, "afterwards");
});

test("past the memory limit: a RangeError with both figures, and the engine works on", async () => {
  const small = await createEngine({ maxMemory: 512 * 1024 });
  const many = new Float32Array(4 * 60000);
  throws(
    () => small.sync.nms(many, new Float32Array(60000), { iouThreshold: 0.5 }),
    RangeError,
    "nms",
    "524288",
    "needs",
  );
  const pair = Float32Array.of(0, 0, 10, 10, 0, 0, 10, 9);
  same(small.sync.nms(pair, Float32Array.of(1, 0.5), { iouThreshold: 0.5 }), [0]);
});

test.run();
