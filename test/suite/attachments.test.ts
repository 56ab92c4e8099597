import { createEngine, type DetectOptions, heads, type HeadSpec, type KeypointSpec, type Outputs } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close, same } from "../compare.ts";
import { random } from "../random.ts";
import { imageOf, packings, randomHead } from "../raw_head.ts";
import { detect } from "../reference/detect.ts";
import { keypoints } from "../reference/keypoints.ts";

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
      for (const [packing, outputs] of packings(head, raw)) {
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

test.run();
