/** The losses of a scene's raw outputs against its truth: those that the network was trained with. */
import { readFileSync } from "node:fs";

const STRIDES = [8, 16];
const BINS = 8;
const CLASSES = 4;
const SIDE = 160;
const ENOUGH_OVERLAP = 0.5;

/**
 * How many positives, then quality focal, distribution focal and GIoU loss. An object's positive anchor is the one of the
 * detection of its class that covers it best, where that is enough; objects have a box as corners and a class from 0.
 */
export function sceneLosses({ sync }, heads, path, objects) {
  const tensors = readSafetensors(path);
  const [classes, boxes] = ["cls", "reg"].map((role) => STRIDES.map((stride) => tensors[`${role}_s${stride}`]));
  const head = heads.gfl({ numClasses: CLASSES, bins: BINS, strides: STRIDES });
  const [found] = sync.detect({ classes, boxes }, { head, imageSize: [SIDE, SIDE] });
  const positives = positivesOf(sync, objects, found);
  const truth = Float32Array.from(positives.flatMap(({ box }) => box));
  const predicted = Float32Array.from(positives.flatMap(({ predicted }) => predicted));
  return [
    positives.length,
    qualityLoss(sync, rowsOf(classes), positives),
    distributionLoss(sync, rowsOf(boxes), positives, truth),
    sync.giouLoss(predicted, truth).loss,
  ];
}

/** Objects with the anchor of their best detection, its box and its overlap. */
function positivesOf(sync, objects, found) {
  const detections = [...found];
  const overlaps = sync.boxIou(Float32Array.from(objects.flatMap(({ box }) => box)), found.boxes);
  return objects.flatMap(({ box, classId }, row) => {
    const [best] = detections
      .map((detection, i) => ({ ...detection, overlap: overlaps[row * detections.length + i] }))
      .filter((detection) => detection.classId === classId && detection.overlap >= ENOUGH_OVERLAP)
      .sort((a, b) => b.overlap - a.overlap);
    return best === undefined
      ? []
      : [{ box, classId, anchor: best.anchor, predicted: best.box, overlap: best.overlap }];
  });
}

/** Over all anchors: a positive's target is its overlap in its class, all others are background. */
function qualityLoss(sync, rows, positives) {
  const labels = new Int32Array(rows.length).fill(-1);
  const scores = new Float32Array(rows.length);
  for (const { anchor, classId, overlap } of positives) {
    labels[anchor] = classId;
    scores[anchor] = overlap;
  }
  const logits = { data: Float32Array.from(rows.flat()), dims: [rows.length, CLASSES] };
  return sync.qualityFocalLoss(logits, { labels, scores }, { avgFactor: Math.max(1, positives.length) }).loss;
}

/** Over the four sides of the positives: how far the true side is from the anchor's point, in strides. */
function distributionLoss(sync, rows, positives, truth) {
  const all = anchors();
  const points = Float32Array.from(positives.flatMap(({ anchor }) => all[anchor].cell));
  const boxes = truth.map((side, i) => side / all[positives[i >> 2].anchor].stride);
  // No further than the last bin, less a tenth.
  const distances = sync.bbox2distance(points, boxes, { maxDistance: BINS - 1, eps: 0.1 });
  const logits = Float32Array.from(positives.flatMap(({ anchor }) => rows[anchor]));
  return sync.distributionFocalLoss({ data: logits, dims: [distances.length, BINS] }, distances).loss;
}

/** Every anchor in the order of the rows, its point in strides. */
function anchors() {
  return STRIDES.flatMap((stride) => {
    const cells = SIDE / stride;
    return Array.from({ length: cells * cells }, (_, i) => ({ stride, cell: [i % cells, Math.floor(i / cells)] }));
  });
}

/** Levels (1, channels, height, width) as one row of channels per anchor. */
function rowsOf(levels) {
  return levels.flatMap(({ data, dims: [, channels, height, width] }) => {
    const cells = height * width;
    return Array.from({ length: cells }, (_, i) => Array.from({ length: channels }, (_, c) => data[c * cells + i]));
  });
}

/** The float32 tensors of a file. */
function readSafetensors(path) {
  const bytes = readFileSync(path);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const { __metadata__: _, ...entries } = JSON.parse(bytes.toString("utf8", 8, start));
  const tensors = Object.entries(entries).map(([name, { shape, data_offsets: [from, to] }]) => {
    const { buffer } = Uint8Array.from(bytes.subarray(start + from, start + to));
    return [name, { data: new Float32Array(buffer), dims: shape }];
  });
  return Object.fromEntries(tensors);
}
