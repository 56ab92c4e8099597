/** The whole way to rotated boxes, in float64, one value at a time. */
import type { ImageTransform } from "densehead";
import { softmax } from "./dfl_decode.ts";
import { points, type RawHead, type Settings } from "./detect.ts";
import { rotatedNms } from "./rotated_nms.ts";

export interface RotatedSettings extends Settings {
  rotatedOverlap?: "polygon" | "probiou";
  transform?: ImageTransform;
}

export interface FoundRotated {
  /** Centre x, y, width, height, and the angle as the head has it. */
  rotated: number[];
  score: number;
  classId: number;
  anchor: number;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Turns a vector by an angle. */
const turned = ([x, y]: readonly number[], angle: number) => [
  x * Math.cos(angle) - y * Math.sin(angle),
  x * Math.sin(angle) + y * Math.cos(angle),
];

function rotatedBox({ head, imageSize }: RotatedSettings, raw: RawHead, anchor: number): number[] {
  const v = (channel: number) => raw.boxes(anchor, channel);
  const a = raw.attached?.angles(anchor)[0] ?? NaN;
  const angle = head.angle === "sigmoid" ? Math.PI * sigmoid(a) - Math.PI / 4 : a;
  const isListed = (head.selection ?? "dense") !== "dense";
  const nowhere = { column: 0, row: 0, x: 0, y: 0, stride: 1, anchor: [0, 0] };
  const { column, row, x, y, stride, anchor: size } = isListed ? nowhere : points(head, imageSize)[anchor];
  const [unitX, unitY] = { pixel: [1, 1], stride: [stride, stride], image: [imageSize[1], imageSize[0]] }[
    head.boxUnit ?? "pixel"
  ];
  switch (head.boxes) {
    case "xywh":
      return [v(0) * unitX, v(1) * unitY, v(2) * unitX, v(3) * unitY, angle];
    case "log-size":
      return [v(0) * stride + x, v(1) * stride + y, stride * Math.exp(v(2)), stride * Math.exp(v(3)), angle];
    case "anchor-sigmoid": {
      const [cx, cy] = [0, 1].map((i) => 2 * sigmoid(v(i)) - 0.5);
      const [w, h] = [2, 3].map((i) => (2 * sigmoid(v(i))) ** 2);
      return [(cx + column) * stride, (cy + row) * stride, w * size[0], h * size[1], angle];
    }
  }
  const [l, t, r, b] = [0, 1, 2, 3].map((side) => {
    if (head.boxes === "distances") return v(side) * (side % 2 === 0 ? unitX : unitY);
    const p = softmax(Array.from({ length: head.bins }, (_, bin) => v(side * head.bins + bin)));
    return stride * p.reduce((sum, value, bin) => sum + value * bin, 0);
  });
  // The box around the anchor's point as it would be upright, turned around that point.
  const [cx, cy] = turned([(r - l) / 2, (b - t) / 2], angle);
  return [x + cx, y + cy, l + r, t + b, angle];
}

/** Rows over the threshold, suppressed where the head is dense, best first. */
export function detectRotated(raw: RawHead, settings: RotatedSettings): FoundRotated[] {
  const { head, scoreThreshold = 0.25, maxDetections = 300, suppression = "greedy", classAgnostic } = settings;
  const rows = raw.rows ?? 0;
  const probability = (x: number) => head.scores === "logits" ? sigmoid(x) : x;
  const scoreOf = (anchor: number, label: number) => {
    const score = probability(raw.classes(anchor, label));
    return raw.objectness === undefined ? score : score * probability(raw.objectness(anchor));
  };
  let found = Array.from({ length: rows }, (_, anchor) => anchor).flatMap((anchor) => {
    const pairs = head.selection === "selected"
      ? [{ score: scoreOf(anchor, 0), classId: raw.classes(anchor, 1) }]
      : Array.from({ length: head.numClasses }, (_, classId) => ({ score: scoreOf(anchor, classId), classId }));
    const over = pairs.filter(({ score }) => score > (scoreThreshold as number));
    const best = [...over].sort((p, q) => q.score - p.score).slice(0, 1);
    const all = settings.multiLabel || head.selection === "queries";
    return (all ? over : best).map((pair) => ({ ...pair, anchor, rotated: rotatedBox(settings, raw, anchor) }));
  });
  found = found.sort((p, q) => q.score - p.score).slice(0, settings.preNmsTopK);
  if (suppression === "none" || (head.selection ?? "dense") !== "dense") return found.slice(0, maxDetections);
  const kept = rotatedNms(Float32Array.from(found.flatMap((each) => each.rotated)), found.map((each) => each.score), {
    iouThreshold: settings.iouThreshold ?? 0.6,
    overlap: settings.rotatedOverlap,
    suppression,
    maxDetections,
    ...classAgnostic ? {} : { classes: Int32Array.from(found, (each) => each.classId) },
  });
  return kept.map((i) => found[i]);
}

/** Corners c + v1 + v2, c + v1 − v2, c − v1 − v2, c − v1 + v2, as points of the image. */
export function cornerPoints([cx, cy, w, h, angle]: readonly number[], transform?: ImageTransform): number[][] {
  return [[1, 1], [1, -1], [-1, -1], [-1, 1]].map(([i, j]) => {
    const [dx, dy] = turned([i * w / 2, j * h / 2], angle);
    if (transform === undefined) return [cx + dx, cy + dy];
    return [(cx + dx - transform.padX) / transform.scaleX, (cy + dy - transform.padY) / transform.scaleY];
  });
}
