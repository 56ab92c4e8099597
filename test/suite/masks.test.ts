/** Masks of detections against a float64 reference, in every frame, layout and kind of tensor. */
import {
  createEngine,
  Detections,
  type DetectOptions,
  heads,
  type HeadSpec,
  type HostTensor,
  type ImageTransform,
  type Masks,
} from "densehead";
import { rle } from "densehead/eval";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { same, throws } from "../compare.ts";
import fixture from "../fixtures/masks.json" with { type: "json" };
import { halfBits } from "../half.ts";
import { checkMasks, type Given, givenOf, headOf, outputsOf, prototypesOf, transformsOf } from "../mask_scenes.ts";
import { floats, random } from "../random.ts";
import { imageOf, packings, randomHead, withPrototypes } from "../raw_head.ts";
import { samples, walk } from "./walk.ts";

const test = suite("masks");
const engine = await createEngine();
const { sync } = engine;

function detect(given: Given, transform?: ImageTransform): Detections {
  const options = { head: headOf(given.channels), imageSize: given.imageSize, ...transform && { transform } };
  return sync.detect(outputsOf(given), options)[0];
}

function masksOf(given: Given, transform?: ImageTransform): Masks {
  const { masks } = detect(given, transform);
  if (masks === undefined) throw new Error("no masks");
  return masks;
}

test("masks are those of the reference, over sizes and transforms", () => {
  const r = random(90);
  for (let scene = 0; scene < samples(30); scene++) {
    const given = givenOf(r);
    transformsOf(r, given.imageSize).forEach((transform, k) => {
      checkMasks(masksOf(given, transform), given, transform, `scene ${scene}, transform ${k}, mask`);
    });
  }
});

test("masks are those of PyTorch, where the frame is the network's", () => {
  for (const { channels, samples, imageSize, prototypes, coefficients, boxes, counts } of fixture.torch) {
    const given = { channels, samples, imageSize, prototypes: Float32Array.from(prototypes), coefficients, boxes };
    const masks = masksOf(given as unknown as Given);
    counts.forEach((wanted, i) => {
      assert.equal(masks.rle(i).counts, textOf(wanted, imageSize), `mask ${i} of ${imageSize}`);
    });
  }
});

/** COCO's text of counts. */
function textOf(wanted: readonly number[], size: readonly number[]): string {
  const pair = [size[0], size[1]] as const;
  return rle.encode(rle.decode({ size: pair, counts: wanted }), pair).counts;
}

test("masks by hand: half a box, and its edge between two samples", () => {
  // From left to right −1, −1, 1, 1: 0 at the middle of the frame.
  const given = {
    imageSize: [8, 16] as const,
    boxes: [[5, 1.5, 11, 6.5]],
    coefficients: [[2, 1]],
    channels: 2,
    samples: [2, 4] as const,
    prototypes: Float32Array.of(-1, -1, 1, 1, -1, -1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0),
  };
  const masks = masksOf(given);
  // Columns 8, 9 and 10 of rows 2 to 6.
  assert.is(masks.area(0), 15);
  assert.equal(masks.crop(0), {
    x: 5,
    y: 2,
    width: 6,
    height: 5,
    data: Uint8Array.from({ length: 30 }, (_, i) => i % 6 > 2 ? 1 : 0),
  });
  assert.equal(masks.polygons(0), [[8, 2, 8, 6, 10, 6, 10, 2]]);
  assert.equal(rle.decode(masks.rle(0)), masks.bitmap(0));
});

/** Detections whose masks are these bitmaps. */
function stored(height: number, width: number, codes: readonly (readonly number[])[]): Detections {
  const each = (values: readonly number[]) => codes.flatMap(() => values);
  return Detections.from({
    length: codes.length,
    boxes: each([0, 0, 1, 1]),
    scores: each([0.5]),
    classes: each([0]),
    anchors: each([0]),
    masks: codes.map((counts) => ({ size: [height, width], counts })),
  });
}

test("outlines are those of OpenCV", () => {
  fixture.outlines.forEach(({ size: [height, width], counts, polygons }, i) => {
    assert.equal(stored(height, width, [counts]).masks?.polygons(0), polygons, `bitmap ${i}`);
  });
});

test("outlines stand where the mask does", () => {
  const r = random(91);
  for (let k = 0; k < 5; k++) {
    const given = givenOf(r, { imageSize: [60, 50] });
    const masks = masksOf(given);
    for (let i = 0; i < given.boxes.length; i++) {
      const { counts } = masks.rle(i);
      const whole = Detections.from({
        ...stored(60, 50, [[3000]]).toJSON(),
        masks: [{ size: [60, 50], counts }],
        maskFrame: undefined,
      });
      assert.equal(masks.polygons(i), whole.masks?.polygons(0));
    }
  }
});

/** The same values in every kind of tensor that holds them, and in both layouts. */
function tensorsOf(
  { channels, samples: [h, w], prototypes }: Given,
): [string, HostTensor | ReturnType<typeof engine.tensor>][] {
  const last = Float32Array.from(prototypes, (_, i) => prototypes[(i % channels) * h * w + Math.floor(i / channels)]);
  return ([["channels first", prototypes, [1, channels, h, w]], ["channels last", last, [1, h, w, channels]]] as const)
    .flatMap(([layout, values, dims]) => {
      const resident = engine.tensor(dims);
      resident.data.set(values);
      const bytes = (zero: number) => (value: number) => Math.round(value / 0.25) + zero;
      const tensors: [string, HostTensor | typeof resident][] = [
        ["float32", { data: values, dims }],
        ["float64", { data: Float64Array.from(values), dims }],
        ["half bits", { data: Uint16Array.from(values, halfBits), dims }],
        ["uint8", { data: Uint8Array.from(values, bytes(100)), dims, scale: 0.25, zeroPoint: 100 }],
        ["int8", { data: Int8Array.from(values, bytes(-3)), dims, scale: 0.25, zeroPoint: -3 }],
        ["in memory", resident],
        ["no batch", { data: values, dims: dims.slice(1) }],
      ];
      return tensors.map(([kind, tensor]) => [`${kind}, ${layout}`, tensor] as [string, typeof tensor]);
    });
}

test("prototypes of every kind and layout give the same masks", () => {
  const r = random(92);
  for (const samples of [[7, 5], [3, 13]] as const) {
    const channels = 6;
    const prototypes = floats(channels * samples[0] * samples[1], () => (r.integer(16) - 8) / 4);
    const given = givenOf(r, { channels, samples, prototypes, imageSize: [40, 36] });
    checkMasks(masksOf(given), given);
    const wanted = masksOf(given).labelMap();
    for (const [kind, tensor] of tensorsOf(given)) {
      const outputs = { ...outputsOf(given), prototypes: tensor };
      const [found] = sync.detect(outputs, { head: headOf(channels), imageSize: given.imageSize });
      same(found.masks?.labelMap() ?? [], wanted, kind);
    }
  }
});

test("dense heads and queries, in every packing: the coefficients of the rows that are found", () => {
  const imageSize = [96, 128] as const;
  const samples = [24, 32] as const;
  const HEADS: readonly HeadSpec[] = [
    heads.yolov8Decoded({ numClasses: 3, maskCoefficients: 4 }),
    heads.yolov8({ numClasses: 3, maskCoefficients: 4 }),
    heads.yolov5Decoded({ numClasses: 3, maskCoefficients: 4 }),
    heads.rtdetr({ numClasses: 3, maskCoefficients: 4 }),
    heads.yolo26({ numClasses: 3, maskCoefficients: 4 }),
  ];
  for (const head of HEADS) {
    const r = random(93);
    const raw = randomHead(r, head, imageSize);
    const values = imageOf(raw, 0);
    const prototypes = prototypesOf(r, 4, samples);
    for (const [packing, outputs] of walk([...packings(head, raw)])) {
      const given = withPrototypes(outputs, { data: prototypes, dims: [1, 4, ...samples] });
      const [found] = sync.detect(given, { head, imageSize, maxDetections: 8 });
      assert.ok(found.length > 3, packing);
      const scene: Given = {
        imageSize,
        channels: 4,
        samples,
        prototypes,
        boxes: [...found].map(({ box }) => box),
        coefficients: [...found.anchors].map((anchor) => [...values.attached?.maskCoefficients(anchor) ?? []]),
      };
      checkMasks(found.masks as Masks, scene, undefined, `${head.name}, ${packing}: mask`);
    }
  }
});

test("a batch: each image has its prototypes and its transform, and keeps them", async () => {
  const r = random(94);
  const images = 3;
  const givens = Array.from(
    { length: images },
    () => givenOf(r, { channels: 5, samples: [9, 11], imageSize: [44, 52] }),
  );
  const join = (of: (given: Given) => Float32Array) => Float32Array.from(givens.flatMap((given) => [...of(given)]));
  const rows = join((given) => outputsOf(given).rows.data);
  const prototypes = join((given) => given.prototypes);
  const outputs = {
    rows: { data: rows, dims: [images, 4, 11] },
    prototypes: { data: prototypes, dims: [images, 5, 9, 11] },
  };
  const transform = [0, 1, 2].map((k) => ({ scaleX: 1, scaleY: 1, padX: k, padY: 0, clip: [44 - k, 30 + 8 * k] }));
  const options: DetectOptions = { head: headOf(5), imageSize: [44, 52], transform };
  const runs = [
    sync.detect(outputs, options),
    await engine.detect(outputs, options),
    await engine.detect(outputs, { ...options, signal: new AbortController().signal }),
  ];
  rows.fill(0);
  prototypes.fill(-1);
  for (const found of runs) {
    found.forEach((each, image) =>
      checkMasks(each.masks as Masks, givens[image], transform[image], `image ${image}, mask`)
    );
  }
});

test("masks are there and back: COCO's rows, JSON and what is asked afterwards", () => {
  const r = random(95);
  const given = givenOf(r, { imageSize: [40, 50] });
  for (const transform of transformsOf(r, given.imageSize)) {
    const found = detect(given, transform);
    const masks = found.masks as Masks;
    const back = Detections.from(JSON.parse(JSON.stringify(found)));
    const again = back.masks as Masks;
    assert.equal([again.width, again.height], [masks.width, masks.height]);
    found.toCoco("a").forEach((row, i) => {
      assert.equal(row.segmentation, masks.rle(i));
      assert.equal(back.toJSON().masks?.[i], masks.rle(i));
      assert.equal(again.rle(i), masks.rle(i));
      assert.equal(again.crop(i), masks.crop(i));
      assert.equal(again.area(i), masks.area(i));
      assert.equal(again.polygons(i), masks.polygons(i));
      same(again.bitmap(i), masks.bitmap(i));
    });
    same(again.labelMap(), masks.labelMap());
  }
});

test("nothing detected: masks of nothing, there and back", () => {
  const given = givenOf(random(96), { imageSize: [20, 30] });
  const [none] = sync.detect(outputsOf(given), {
    head: headOf(given.channels),
    imageSize: [20, 30],
    scoreThreshold: 0.95,
  });
  for (const { masks } of [none, Detections.from(JSON.parse(JSON.stringify(none)))]) {
    assert.equal([masks?.width, masks?.height], [30, 20]);
    same(masks?.labelMap() ?? [], new Int32Array(600));
    throws(() => masks?.rle(0), RangeError, "masks.rle", "i is 0", "nothing was detected");
  }
});

test("hard values: NaN, nothing in the box, boxes outside and of no size", () => {
  const r = random(97);
  const given = givenOf(r, { channels: 3, samples: [6, 6], imageSize: [24, 24] });
  const boxes = [[0, 0, 24, 24], [30, 30, 40, 40], [-9, -9, 0, 0], [5, 5, 5, 20], [5.2, 5.2, 5.8, 5.8], [
    -50,
    -50,
    90,
    90,
  ]];
  const positive = {
    ...given,
    boxes,
    coefficients: boxes.map(() => [1, 0, 0]),
    prototypes: new Float32Array(108).fill(1),
  };
  const masks = masksOf(positive);
  checkMasks(masks, positive);
  assert.equal(boxes.map((_, i) => masks.area(i)), [576, 0, 0, 0, 0, 576]);
  for (const i of [1, 2, 3, 4]) {
    assert.equal(masks.polygons(i), []);
    assert.equal(masks.rle(i), { size: [24, 24], counts: rle.encode(new Uint8Array(576), [24, 24]).counts });
  }
  const nanCoefficient = masksOf({ ...positive, coefficients: boxes.map(() => [1, NaN, 0]) });
  assert.is(nanCoefficient.area(0), 0);
  const prototypes = positive.prototypes.slice();
  prototypes[0] = NaN;
  // The upper left sample has part in the pixels left of and above the second one, whose centre is at 6.
  assert.is(masksOf({ ...positive, prototypes }).area(0), 576 - 36);
  const zero = masksOf({ ...positive, coefficients: boxes.map(() => [0, 0, 0]) });
  assert.is(zero.area(0), 0);
});

test("masks: false keeps nothing, and other heads have none", () => {
  const given = givenOf(random(98), { channels: 2 });
  const { rows } = outputsOf(given);
  const options = { head: headOf(2), imageSize: given.imageSize };
  const [found] = sync.detect(rows, { ...options, masks: false });
  assert.is(found.length, 4);
  assert.is(found.masks, undefined);
  assert.not.ok("segmentation" in found.toCoco(1)[0]);
  throws(
    () => sync.detect(rows, options),
    TypeError,
    "detect: outputs.prototypes is undefined",
    "(B, 2, height, width)",
  );
  const plain = { head: heads.yolo26({ numClasses: 1 }), imageSize: given.imageSize, masks: true };
  throws(() => sync.detect(new Float32Array(12), plain), TypeError, "options.masks", "maskCoefficients");
});

test("prototypes that do not fit are refused", () => {
  const given = givenOf(random(99), { channels: 4, samples: [5, 6] });
  const options = { head: headOf(4), imageSize: given.imageSize };
  const call = (dims: number[]) => () => {
    const data = new Float32Array(dims.reduce((a, b) => a * b, 1));
    return sync.detect({ ...outputsOf(given), prototypes: { data, dims } }, options);
  };
  throws(call([1, 3, 5, 6]), TypeError, "outputs.prototypes", "(1, 3, 5, 6)", "(B, 4, height, width)");
  throws(call([2, 4, 5, 6]), TypeError, "outputs.prototypes", "a batch of 2", "1");
  throws(call([4, 30]), TypeError, "outputs.prototypes", "(4, 30)");
  throws(call([1, 4, 0, 6]), TypeError, "outputs.prototypes", "0 × 6");
  const huge = { scaleX: 1, scaleY: 1, padX: 0, padY: 0, clip: [1e6, 1e6] };
  throws(() => sync.detect(outputsOf(given), { ...options, transform: huge }), RangeError, "options.transform.clip");
  assert.is(sync.detect(outputsOf(given), options)[0].length, 4);
});

test("indices and arrays for bitmaps are checked, by the names of the members", () => {
  const masks = masksOf(givenOf(random(100), { imageSize: [9, 8] }));
  for (const member of ["area", "bitmap", "crop", "rle", "polygons"] as const) {
    for (const i of [-1, 4, 0.5, NaN, Infinity]) {
      throws(() => masks[member](i), RangeError, `masks.${member}`, `i is ${i}`, "from 0 to 3");
    }
    for (const i of ["0", null, undefined]) {
      throws(() => masks[member](i as never), TypeError, `masks.${member}`, "i is");
    }
  }
  for (const out of [new Uint8Array(71), new Int8Array(72), new Uint8ClampedArray(72), [], null]) {
    throws(() => masks.bitmap(0, out as never), TypeError, "masks.bitmap: out", "Uint8Array(72)");
  }
});

test("plain data of masks are checked", () => {
  const json = detect(givenOf(random(101), { imageSize: [9, 8] })).toJSON();
  const { masks = [], maskFrame } = json;
  const from = (changes: object) => () => Detections.from({ ...json, ...changes });
  throws(from({ masks: masks.slice(1) }), TypeError, "json.masks", "4 run lengths");
  throws(from({ masks: undefined }), TypeError, "json.masks");
  throws(from({ masks: { width: 8, height: 9 } }), TypeError, "json.masks", "toJSON");
  throws(from({ masks: masks.with(1, { size: [9, 8], counts: "?" }) }), RangeError, "json.masks[1].counts");
  throws(from({ masks: masks.with(1, rle.encode(new Uint8Array(72), [8, 9])) }), RangeError, "json.masks[1].size");
  throws(from({ maskFrame: { size: [9, 8] } }), TypeError, "json.maskFrame.crops");
  throws(from({ maskFrame: { ...maskFrame, crop: [] } }), TypeError, "json.maskFrame.crop is unknown");
  throws(from({ maskFrame: { size: [9, 8], crops: new Array(16).fill(0) } }), RangeError, "json.maskFrame.crops");
});

test("after the engine is disposed masks say so, and an error leaves all as it was", async () => {
  const own = await createEngine();
  const given = givenOf(random(102), { boxes: [[0, 0, 8, 8]], coefficients: [[1]], channels: 1, imageSize: [8, 8] });
  const [{ masks }] = own.sync.detect(outputsOf(given), { head: headOf(1), imageSize: [8, 8] });
  const { used } = own.memory;
  assert.type(masks?.area(0), "number");
  assert.is(own.memory.used, used);
  own[Symbol.dispose]();
  throws(() => masks?.bitmap(0), Error, "masks.bitmap", "disposed");
  throws(() => masks?.rle(0), Error, "masks.rle", "disposed");
});

test("little memory: the same masks, in more bands", async () => {
  const given = givenOf(random(103), { imageSize: [90, 110], samples: [40, 50], channels: 8 });
  const transform = { scaleX: 0.25, scaleY: 0.25, padX: 0, padY: 0, clip: [360, 440] };
  const wide = masksOf(given, transform);
  const least = await createEngine({ maxMemory: 2 ** 20 });
  const options = { head: headOf(8), imageSize: given.imageSize, transform };
  const masks = least.sync.detect(outputsOf(given), options)[0].masks as Masks;
  for (let i = 0; i < 4; i++) {
    same(masks.bitmap(i), wide.bitmap(i), "bitmap");
    assert.equal(masks.rle(i), wide.rle(i));
    assert.is(masks.area(i), wide.area(i));
  }
});

test("ten thousand masks one by one: memory stays as it is", () => {
  const r = random(104);
  const count = 10_000;
  const boxes = Array.from({ length: count }, () => {
    const [x, y] = [r.uniform(0, 600), r.uniform(0, 440)];
    return [x, y, x + r.uniform(2, 40), y + r.uniform(2, 40)];
  });
  const channels = 4;
  const samples = [30, 40] as const;
  const given: Given = {
    imageSize: [480, 640],
    boxes,
    coefficients: boxes.map(() => [1, -1, 0.5, 0.25]),
    channels,
    samples,
    prototypes: prototypesOf(r, channels, samples),
  };
  const options = { head: headOf(channels), imageSize: given.imageSize, maxDetections: count, scoreThreshold: -1 };
  const rows = outputsOf({ ...given, boxes, coefficients: given.coefficients });
  for (let i = 0; i < count; i++) rows.rows.data[i * 10 + 4] = 0.5;
  const [{ masks, length }] = sync.detect(rows, { ...options, scoreThreshold: 0.25 });
  assert.is(length, count);
  const out = new Uint8Array(480 * 640);
  let [area, pixels] = [0, 0];
  masks?.rle(0);
  masks?.bitmap(0, out);
  const { reserved, used } = engine.memory;
  for (let i = 0; i < count; i++) {
    area += masks?.area(i) ?? 0;
    pixels += rle.area(masks?.rle(i) ?? { size: [1, 1], counts: [1] });
    if (i % 100 === 0) masks?.bitmap(i, out);
  }
  assert.ok(area > 1e5);
  assert.is(pixels, area);
  assert.equal([engine.memory.reserved, engine.memory.used], [reserved, used]);
});

test.run();
