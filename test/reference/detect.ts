/** The whole way from raw values to detections, in float64, one value at a time. */
import { heads } from "densehead";
import { ANCHORS, BINS, CLASSES, tensor } from "../argument_values.ts";
import type { HeadSpec } from "densehead";
import { iou } from "./box_iou.ts";
import { softmax } from "./dfl_decode.ts";
import { suppress } from "./nms.ts";

/** How to read a raw output: by anchor of all levels and channel of the role. */
export interface RawHead {
  classes(anchor: number, label: number): number;
  boxes(anchor: number, channel: number): number;
  objectness?(anchor: number): number;
  /** Channels of an attachment. */
  readonly attached?: { readonly [role: string]: (anchor: number) => ArrayLike<number> };
  /** How many rows there are, where no grid says it. */
  readonly rows?: number;
}

export interface Settings {
  head: HeadSpec;
  imageSize: readonly [number, number];
  scoreThreshold?: number | Float32Array;
  classes?: readonly number[];
  suppression?: "greedy" | "fast" | "none";
  iouThreshold?: number;
  maxDetections?: number;
  preNmsTopK?: number;
  multiLabel?: boolean;
  classAgnostic?: boolean;
  clip?: boolean;
}

export interface Found {
  box: number[];
  score: number;
  classId: number;
  anchor: number;
}

interface Point {
  column: number;
  row: number;
  x: number;
  y: number;
  stride: number;
  /** Width and height of the anchor, where the head has anchors. */
  anchor: number[];
}

/** Of every row: level by level, anchor by anchor of a cell, then by row and column. */
export function points(head: HeadSpec, [height, width]: readonly [number, number]): Point[] {
  return head.strides.flatMap((stride, level) => {
    const [rows, columns] = [Math.ceil(height / stride), Math.ceil(width / stride)];
    const sizes = head.anchors?.[level] ?? [];
    return Array.from({ length: head.anchorsPerCell ?? (sizes.length / 2 || 1) }, (_, a) => a).flatMap((a) =>
      Array.from({ length: rows * columns }, (_, i) => ({
        column: i % columns,
        row: Math.floor(i / columns),
        x: (i % columns + head.anchorOffset) * stride,
        y: (Math.floor(i / columns) + head.anchorOffset) * stride,
        stride,
        anchor: [sizes[2 * a], sizes[2 * a + 1]],
      }))
    );
  });
}

const probability = (head: HeadSpec, x: number) => head.scores === "logits" ? sigmoid(x) : x;

function scoreOf(head: HeadSpec, raw: RawHead, anchor: number, label: number): number {
  const logits = () => Array.from({ length: head.numClasses + 1 }, (_, i) => raw.classes(anchor, i));
  const score = head.scores === "softmax" ? softmax(logits())[label] : probability(head, raw.classes(anchor, label));
  if (raw.objectness === undefined) return score;
  const product = score * probability(head, raw.objectness(anchor));
  return head.objectness === "sqrt-multiply" ? Math.sqrt(product) : product;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Centre and size of the codings that have a cell for a frame. */
function gridBox(boxes: HeadSpec["boxes"], v: number[], { column, row, x, y, stride, anchor }: Point): number[] | null {
  switch (boxes) {
    case "log-size":
      return [v[0] * stride + x, v[1] * stride + y, stride * Math.exp(v[2]), stride * Math.exp(v[3])];
    case "anchor-exp": {
      const [cx, cy] = [sigmoid(v[0]) + column, sigmoid(v[1]) + row];
      return [cx * stride, cy * stride, anchor[0] * Math.exp(v[2]), anchor[1] * Math.exp(v[3])];
    }
    case "anchor-sigmoid": {
      const [cx, cy, w, h] = v.map((value) => 2 * sigmoid(value));
      return [(cx + column - 0.5) * stride, (cy + row - 0.5) * stride, w * w * anchor[0], h * h * anchor[1]];
    }
    default:
      return null;
  }
}

function boxOf(settings: Settings, raw: RawHead, anchor: number, point: Point): number[] {
  const { x, y, stride } = point;
  const { head, imageSize: [height, width] } = settings;
  const units = { pixel: [1, 1], stride: [stride, stride], image: [width, height] }[head.boxUnit ?? "pixel"];
  const v = [0, 1, 2, 3].map((side) => {
    if (head.boxes !== "distribution") return raw.boxes(anchor, side) * units[side % 2];
    const p = softmax(Array.from({ length: head.bins }, (_, bin) => raw.boxes(anchor, side * head.bins + bin)));
    return stride * p.reduce((sum, value, bin) => sum + value * (head.binValues?.[bin] ?? bin), 0);
  });
  if (head.boxes === "xyxy") return v;
  const centred = head.boxes === "xywh" ? v : gridBox(head.boxes, v, point);
  if (centred !== null) {
    const [cx, cy, w, h] = centred;
    return [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2];
  }
  return [x - v[0], y - v[1], x + v[2], y + v[3]];
}

/** Is the class listed, and its score over the class's threshold? */
function competes({ scoreThreshold = 0.25, classes }: Settings, label: number, score: number): boolean {
  const threshold = typeof scoreThreshold === "number" ? scoreThreshold : scoreThreshold[label];
  return score > threshold && (classes === undefined || classes.includes(label));
}

/** Indices of boxes that no better one of their class overlaps by the threshold or more, kept or not. */
function fast(boxes: Float32Array, scores: number[], iouThreshold: number, classes: number[] | undefined): number[] {
  const order = scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a]);
  const one = (i: number) => boxes.subarray(4 * i, 4 * i + 4);
  return order.filter((i, place) =>
    order.slice(0, place).every((j) =>
      (classes !== undefined && classes[i] !== classes[j]) || !(iou(one(j), one(i)) >= iouThreshold)
    )
  );
}

/** Rows that are detections, or the best pairs of a query and a class: by score, and else in their order. */
function listed(raw: RawHead, rows: number, settings: Settings): Found[] {
  const { head, maxDetections = 300 } = settings;
  const nowhere = { column: 0, row: 0, x: 0, y: 0, stride: 1, anchor: [] };
  const found = Array.from({ length: rows }, (_, anchor) => {
    const pairs = head.selection === "selected"
      ? [[probability(head, raw.classes(anchor, 0)), raw.classes(anchor, 1)]]
      : Array.from({ length: head.numClasses }, (_, label) => [scoreOf(head, raw, anchor, label), label]);
    const box = clipped(boxOf(settings, raw, anchor, nowhere), settings);
    return pairs.map(([score, classId]) => ({ box, score, classId, anchor }));
  });
  const over = found.flat().filter(({ score, classId }) => competes(settings, classId, score));
  return over.sort((a, b) => b.score - a.score).slice(0, maxDetections);
}

function clipped(box: number[], { clip, imageSize: [height, width] }: Settings): number[] {
  return clip ? box.map((v, i) => Math.min(Math.max(v, 0), i % 2 === 0 ? width : height)) : box;
}

export function detect(raw: RawHead, settings: Settings): Found[] {
  if (settings.head.selection === "selected" || settings.head.selection === "queries") {
    return listed(raw, raw.rows ?? 0, settings);
  }
  const { head, imageSize, iouThreshold = 0.6, maxDetections = 300, suppression = "greedy" } = settings;
  const labels = Array.from({ length: head.numClasses }, (_, label) => label);
  let found = points(head, imageSize).flatMap((point, anchor) => {
    const scores = labels.map((label) => scoreOf(head, raw, anchor, label));
    const valid = labels.filter((label) => competes(settings, label, scores[label]));
    const best = valid.filter((label) => valid.every((other) => scores[label] >= scores[other])).slice(0, 1);
    const chosen = settings.multiLabel ? valid : best;
    const box = chosen.length > 0 ? boxOf(settings, raw, anchor, point) : [];
    return chosen.map((classId) => ({ box, score: scores[classId], classId, anchor }));
  });
  if (found.length > (settings.preNmsTopK ?? 30000)) {
    const best = new Set([...found].sort((a, b) => b.score - a.score).slice(0, settings.preNmsTopK));
    found = found.filter((candidate) => best.has(candidate));
  }
  for (const f of found) f.box = clipped(f.box, settings);
  const boxes = Float32Array.from(found.flatMap((f) => f.box));
  const classes = settings.classAgnostic ? undefined : found.map((f) => f.classId);
  const scores = found.map((f) => f.score);
  const kept = {
    greedy: () => suppress(boxes, scores, { iouThreshold, maxDetections }, classes),
    fast: () => fast(boxes, scores, iouThreshold, classes).slice(0, maxDetections),
    none: () => suppress(boxes, scores, { iouThreshold: 2, maxDetections }),
  }[suppression]();
  return kept.map((i) => found[i]);
}

const head = heads.yolov8({ numClasses: CLASSES, bins: BINS, strides: [8, 16] });

export const argumentCases = [() => [
  tensor([2, 4 * BINS + CLASSES, ANCHORS], 7, -3, 3),
  {
    head,
    imageSize: [32, 32],
    scoreThreshold: 0.5,
    iouThreshold: 0.5,
    transform: { scaleX: 2, scaleY: 2, padX: 1, padY: 1, clip: [16, 16] },
    uncertainty: true,
  },
], () => [
  {
    classes: [tensor([1, CLASSES, 16], 7, -3, 3), tensor([1, CLASSES, 4], 8, -3, 3)],
    boxes: [tensor([1, 4 * BINS, 16], 9, -3, 3), tensor([1, 4 * BINS, 4], 10, -3, 3)],
  },
  { head, imageSize: [32, 32], multiLabel: true },
]];
