import { createEngine, type Detections, type DetectOptions, heads, type Outputs } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close, same, throws } from "../compare.ts";
import { halfBits } from "../half.ts";
import { random } from "../random.ts";
import { boxChannels, imageOf, inOrder, pack, packings, PRESETS, randomHead } from "../raw_head.ts";
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
  close(
    mapped.std as Float32Array,
    Array.from(plain.std as Float32Array, (v, i) => v / (i % 2 === 0 ? 0.5 : 0.25)),
    1e-4,
  );
  const [clipped] = sync.detect(outputs, { ...settings, transform: { ...transform, clip: [300, 200] } });
  close(clipped.boxes, wanted.map((v, i) => Math.min(Math.max(v, 0), i % 2 === 0 ? 200 : 300)), 1e-3);
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
        const { std = [], saturation = [] } = got;
        assert.is(std[4 * i + side], Math.fround(shape.std[4 * anchor + side] * strides[anchor]));
        assert.is(saturation[4 * i + side], shape.saturation[4 * anchor + side]);
      }
    });
    assert.is(sync.detect(outputs, { ...settings, uncertainty: false })[0].std, undefined);
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
  const gpuBuffer = { size: data.byteLength, usage: 0x80 };
  throws(run({ gpuBuffer, dims: outputs.dims }), TypeError, "detect: outputs", "GpuTensor");
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
