import { createEngine, Detections, type DetectOptions, heads, type HeadSpec } from "densehead";
import { cocoEvaluate } from "densehead/eval";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close, same, throws } from "../compare.ts";
import { random } from "../random.ts";
import { imageOf, packings, randomHead } from "../raw_head.ts";
import { cornerPoints, detectRotated, type RotatedSettings } from "../reference/rotated_boxes.ts";
import { walk } from "./walk.ts";

const test = suite("rotated detections");
const engine = await createEngine();
const { sync } = engine;
const imageSize = [96, 128] as const;

/** The points of a rectangle in an order of their own: whatever it calls its width. */
const inOrder = (points: number[][]) => [...points].sort(([a, b], [c, d]) => a - c || b - d).flat();

/** The same rectangles with the same scores, in the same order, each inside its box. */
function agree(found: Detections, wanted: ReturnType<typeof detectRotated>, settings: RotatedSettings, what: string) {
  const { rotated = new Float32Array(0) } = found;
  assert.is(found.length, wanted.length, what);
  same(found.anchors, wanted.map(({ anchor }) => anchor), `${what}, anchors`);
  same(found.classes, wanted.map(({ classId }) => classId), `${what}, classes`);
  close(found.scores, wanted.map(({ score }) => score), 1e-6, `${what}, scores`);
  wanted.forEach((each, i) => {
    const points = cornerPoints(each.rotated, settings.transform);
    const own = Array.from(rotated.subarray(5 * i, 5 * i + 5));
    const reach = Math.max(...points.flat().map(Math.abs), 1);
    const corners = cornerPoints(own);
    points.forEach(([x, y]) => {
      const nearest = Math.min(...corners.map(([a, b]) => Math.hypot(a - x, b - y)));
      assert.ok(nearest <= 1e-5 * reach, `${what}, corner ${x}, ${y} of ${i} is ${nearest} off: ${own}`);
    });
    assert.ok(own[4] >= -Math.PI / 4 && own[4] < 3 * Math.PI / 4, `${what}, angle ${own[4]}`);
    const least = [0, 1].map((axis) => Math.min(...points.map((point) => point[axis])));
    const most = [0, 1].map((axis) => Math.max(...points.map((point) => point[axis])));
    const clip = settings.transform?.clip;
    const held = [...least, ...most].map((v, k) => {
      return clip === undefined ? v : Math.min(Math.max(v, 0), clip[k % 2 === 0 ? 1 : 0]);
    });
    close(found.boxes.subarray(4 * i, 4 * i + 4), held, 1e-5 * reach, `${what}, box around ${i}`);
  });
}

type Make = (changes: Partial<HeadSpec>) => HeadSpec;

const HEADS: readonly [string, Make][] = [
  ["decoded", (c) => heads.yolov8Decoded({ angle: "radians", ...c })],
  ["decoded, rows", (c) => heads.yolov8Decoded({ angle: "radians", layout: "rows", ...c })],
  ["decoded, shares of the image", (c) => heads.yolov8Decoded({ angle: "radians", boxUnit: "image", ...c })],
  ["raw", (c) => heads.yolov8({ angle: "sigmoid", ...c })],
  ["raw, radians", (c) => heads.yolov8({ angle: "radians", ...c })],
  ["raw, apart", (c) => heads.yolov8({ angle: "sigmoid", channelOrder: "separate", ...c })],
  ["raw, rows", (c) => heads.nanodet({ angle: "sigmoid", channelOrder: "class-first", ...c })],
  ["distances", (c) => heads.yolo26Raw({ angle: "radians", ...c })],
  ["logarithms of sizes", (c) => heads.yolox({ angle: "radians", ...c })],
  ["anchors", (c) => heads.yolov5({ angle: "sigmoid", ...c })],
  ["selected", (c) => heads.yolo26({ angle: "radians", ...c })],
  ["queries", (c) => heads.rtdetr({ angle: "radians", ...c })],
];

for (const [name, make] of HEADS) {
  test(`${name}: in every packing, as the reference has them`, () => {
    const head = make({ numClasses: 3 });
    const raw = randomHead(random(90), head, imageSize, 2);
    const settings = { head, imageSize, iouThreshold: 0.3 };
    for (const [packing, outputs] of walk([...packings(head, raw)])) {
      sync.detect(outputs, settings).forEach((found, image) => {
        assert.ok(found.length > 3, packing);
        agree(found, detectRotated(imageOf(raw, image), settings), settings, `${packing}, image ${image}`);
      });
    }
  });
}

test("every overlap and suppression, classes or none, every class of an anchor, limits", () => {
  const head = heads.yolov8({ angle: "sigmoid", numClasses: 3, strides: [8, 16] });
  const raw = randomHead(random(91), head, imageSize, 1, 2);
  const [[, outputs]] = packings(head, raw);
  for (const rotatedOverlap of ["polygon", "probiou"] as const) {
    for (const suppression of ["greedy", "fast", "none"] as const) {
      for (const changes of [{}, { classAgnostic: true }, { multiLabel: true }, { preNmsTopK: 50, maxDetections: 9 }]) {
        for (const iouThreshold of [0.1, 0.5]) {
          const settings = { head, imageSize, rotatedOverlap, suppression, iouThreshold, ...changes };
          const [found] = sync.detect(outputs, settings);
          agree(found, detectRotated(imageOf(raw, 0), settings), settings, JSON.stringify({ ...settings, head: "" }));
        }
      }
    }
  }
});

test("a transform scales and mirrors rectangles; clipping is of the boxes around alone", () => {
  for (const make of [HEADS[0][1], HEADS[3][1], HEADS[10][1]]) {
    const head = make({ numClasses: 2 });
    const raw = randomHead(random(92), head, imageSize);
    const [[, outputs]] = packings(head, raw);
    for (const [x, y] of [[2, 2], [0.5, 0.5], [-0.5, 0.5], [2, -2], [-2, -2]]) {
      for (const clip of [undefined, [30, 40]]) {
        const transform = { scaleX: x, scaleY: y, padX: 8, padY: -3, ...clip && { clip } };
        const settings = { head, imageSize, transform };
        agree(
          sync.detect(outputs, settings)[0],
          detectRotated(imageOf(raw, 0), settings),
          settings,
          `${x}, ${y}, ${clip}`,
        );
      }
    }
    const [free] = sync.detect(outputs, { head, imageSize });
    const [clipped] = sync.detect(outputs, { head, imageSize, clip: true });
    same(clipped.rotated ?? [], free.rotated ?? [], "rotated");
    same(clipped.boxes, free.boxes.map((v, i) => Math.min(Math.max(v, 0), i % 2 === 0 ? 128 : 96)), "boxes");
    assert.ok(free.boxes.some((v) => v < 0), "something to clip");
  }
});

/** One row of a decoded head of one class: centre, size, score, angle. */
function oneRow(row: readonly number[], changes: Partial<HeadSpec> = {}) {
  const head = heads.yolov8Decoded({ numClasses: 1, strides: [64], angle: "radians", ...changes });
  return {
    outputs: { data: Float32Array.from(row), dims: [1, 6, 1] },
    options: { head, imageSize: [64, 64] as const },
  };
}

test("by hand: the angle's range, corners, the box around, JSON and COCO's rows", () => {
  const { outputs, options } = oneRow([30, 20, 8, 4, 0.75, Math.PI]);
  const [found] = sync.detect(outputs, options);
  close(found.rotated ?? [], [30, 20, 8, 4, 0], 1e-6, "rotated");
  close(found.corners?.() ?? [], [34, 22, 34, 18, 26, 18, 26, 22], 1e-5, "corners");
  same(found.corners?.() ?? [], sync.rotatedCorners(found.rotated as Float32Array), "as rotatedCorners");
  close(found.boxes, [26, 18, 34, 22], 1e-5, "box around");
  const [{ rotated }] = [...found];
  assert.equal(rotated, Array.from(found.rotated ?? []));
  const again = Detections.from(JSON.parse(JSON.stringify(found)));
  same(again.rotated ?? [], found.rotated ?? [], "json");
  same(again.corners?.() ?? [], found.corners?.() ?? [], "corners of json");
  const [row] = found.toCoco(7);
  assert.equal(row.rotated, rotated);
  close(row.bbox, [26, 18, 8, 4], 1e-5, "bbox");
  for (const [angle, wanted] of [[1.5, 1.5], [2.5, 2.5 - Math.PI], [-1, Math.PI - 1], [7, 7 - 2 * Math.PI]]) {
    const turned = oneRow([30, 20, 8, 4, 0.75, angle]);
    close(sync.detect(turned.outputs, turned.options)[0].rotated ?? [], [30, 20, 8, 4, wanted], 1e-6, `${angle}`);
  }
  const upright = oneRow([30, 20, 8, 4, 0.75, 0], { angle: "none" });
  const plain = sync.detect({ data: new Float32Array(5), dims: [1, 5, 1] }, upright.options)[0];
  assert.is(plain.corners, undefined);
  assert.not("rotated" in plain.toJSON());
});

test("the ends of the sigmoid, angles of 1e6, numbers that are not finite, boxes of no size", () => {
  for (const [value, wanted] of [[-200, -Math.PI / 4], [16, 3 * Math.PI / 4], [200, -Math.PI / 4], [0, Math.PI / 4]]) {
    const { outputs, options } = oneRow([30, 20, 8, 4, 0.75, value], { angle: "sigmoid" });
    const angle = sync.detect(outputs, options)[0].rotated?.[4] as number;
    assert.ok(
      angle >= -Math.PI / 4 && angle < 3 * Math.PI / 4 && Math.abs(angle - wanted) < 1e-6,
      `${value}: ${angle}`,
    );
  }
  const far = oneRow([30, 20, 8, 4, 0.75, 1e6]);
  const settings = { ...far.options, iouThreshold: 0.5 };
  const raw = {
    rows: 1,
    classes: () => 0.75,
    boxes: (_: number, i: number) => [30, 20, 8, 4][i],
    attached: { angles: () => [1e6] },
  };
  agree(sync.detect(far.outputs, settings)[0], detectRotated(raw, settings), settings, "1e6");
  for (const angle of [NaN, Infinity, -Infinity]) {
    const { outputs, options } = oneRow([30, 20, 8, 4, 0.75, angle]);
    const [found] = sync.detect(outputs, options);
    same(found.rotated ?? [], [30, 20, 8, 4, NaN], `${angle}`);
    same(found.boxes, [NaN, NaN, NaN, NaN], `${angle}`);
  }
  const empty = oneRow([30, 20, 0, 0, 0.75, 1]);
  const [point] = sync.detect(empty.outputs, empty.options);
  same(point.rotated ?? [], [30, 20, 0, 0, 1], "no size");
  same(point.boxes, [30, 20, 30, 20], "no size");
});

test("uncertainty stays with the side of the rectangle that it is of", () => {
  const head = heads.yolov8({ angle: "sigmoid", numClasses: 2 });
  const raw = randomHead(random(93), head, imageSize);
  const [[, outputs]] = packings(head, raw);
  const detectWith = (changes: Partial<DetectOptions>) => {
    const [found] = sync.detect(outputs, { head, imageSize, uncertainty: true, suppression: "none", ...changes });
    return found;
  };
  /** The middle of each side with its deviation, in the input. */
  const marks = (
    { rotated, std }: Detections,
    { scaleX, scaleY, padX, padY } = { scaleX: 1, scaleY: 1, padX: 0, padY: 0 },
  ) =>
    Array.from(std as Float32Array, (value, k) => {
      const [cx, cy, w, h, angle] = (rotated as Float32Array).subarray(5 * (k >> 2), 5 * (k >> 2) + 5);
      const [along, across] = [[-w / 2, 0], [0, -h / 2], [w / 2, 0], [0, h / 2]][k & 3];
      const [x, y] = [
        cx + along * Math.cos(angle) - across * Math.sin(angle),
        cy + along * Math.sin(angle) + across * Math.cos(angle),
      ];
      return [x * scaleX + padX, y * scaleY + padY, value * Math.abs(scaleX)];
    });
  const wanted = marks(detectWith({}));
  for (const [scaleX, scaleY] of [[2, 2], [-0.5, 0.5], [0.5, -0.5], [-2, -2]]) {
    const transform = { scaleX, scaleY, padX: 5, padY: 7 };
    const found = marks(detectWith({ transform }), transform);
    for (const row of [0, 1, 2, 3]) {
      // Of each box, the same marks in some order.
      const [a, b] = [found, wanted].map((each) => inOrder(each.slice(4 * row, 4 * row + 4)));
      close(a, b, 1e-3, `${scaleX}, ${scaleY}, detection ${row}`);
    }
  }
  // A half turn more is the same rectangle from its other end.
  const turned = heads.yolov8({ angle: "radians", numClasses: 2 });
  const angles = (by: number) => ({
    ...raw,
    attached: raw.attached.map(([role, values]) => [role, values.map((v) => v + by)] as const),
  });
  const sidesAt = (by: number) => {
    const [[, shifted]] = packings(turned, angles(by));
    const options = { head: turned, imageSize, uncertainty: true, suppression: "none" } as const;
    return sync.detect(shifted, options)[0];
  };
  const [once, twice] = [sidesAt(0), sidesAt(2 * Math.PI)];
  close(twice.std ?? [], once.std ?? [], 1e-6, "a whole turn");
  const [half] = [sidesAt(Math.PI)];
  close(
    half.std ?? [],
    Float32Array.from(once.std ?? [], (_, i) => once.std?.[(i & ~3) + ((i + 2) & 3)] ?? 0),
    1e-6,
    "half",
  );
});

test("COCO's rows go into a rotated evaluation as they are", () => {
  const { outputs, options } = oneRow([30, 20, 8, 4, 0.75, 0.5]);
  const [found] = sync.detect(outputs, options);
  const dataset = {
    images: [{ id: 1 }],
    categories: [{ id: 0 }],
    annotations: [{ image_id: 1, category_id: 0, bbox: [30, 20, 8, 4, 0.5 + Math.PI] }],
  };
  const { stats } = cocoEvaluate(dataset, found.toCoco(1), { kind: "rotated" });
  assert.ok(stats.AP > 0.999999, `AP ${stats.AP}`);
});

test("wrong input", () => {
  const { outputs, options } = oneRow([30, 20, 8, 4, 0.75, 0.5]);
  const call = (changes: object) => () => sync.detect(outputs, { ...options, ...changes });
  const uneven = { scaleX: 2, scaleY: 1, padX: 0, padY: 0 };
  throws(call({ transform: uneven }), TypeError, "detect", "options.transform", "scaleX 2", "scaleY 1");
  throws(call({ transform: { ...uneven, clip: [480, 640] } }), TypeError, "scaleX 2", "scaleY 1");
  throws(call({ transform: { ...uneven, scaleX: 1.001 } }), TypeError, "scaleX 1.001", "scaleY 1");
  throws(call({ rotatedOverlap: "iou" }), TypeError, "options.rotatedOverlap", "iou", "polygon", "probiou");
  const upright = { head: heads.yolov8Decoded({ numClasses: 2, strides: [64] }) };
  throws(call({ ...upright, rotatedOverlap: "probiou" }), TypeError, "options.rotatedOverlap", "probiou", "angle");
  sync.detect(outputs, { ...options, ...upright, rotatedOverlap: "polygon" });
  // An image of 853 × 1280 is resized to 320 × 480 pixels, whole ones.
  const resized = { scaleX: 480 / 1280, scaleY: 320 / 853, padX: 0, padY: 0, clip: [853, 1280] };
  const [{ rotated = [] }] = sync.detect(outputs, { ...options, transform: resized });
  close(rotated, [80, 53.3125, 21.333, 10.663, 0.5], 0.01, "resized");
  throws(() => heads.yolov8Decoded({ angle: "radians", boxes: "xyxy" }), TypeError, "angle", "xyxy");
});

test.run();
