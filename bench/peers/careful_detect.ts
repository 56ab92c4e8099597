/**
 * Detection as a careful author writes it in JavaScript: typed arrays made once, the threshold as a logit, channels read in
 * the order in which they lie, and distributions decoded only for what is over the threshold.
 */
import type { Found } from "../agreement.ts";
import { anchorGrid, ANCHORS, BINS, BOX_CHANNELS, CLASSES, KEEP } from "../yolov8.ts";

/** Rounded to float32, since logits that stay at it are compared with it. */
const LEAST = Math.fround(
  Math.log(KEEP.scoreThreshold / (1 - KEEP.scoreThreshold)),
);

export function carefulDetect(): (logits: Float32Array) => Found {
  const grid = anchorGrid();
  const best = new Float32Array(ANCHORS);
  const label = new Uint8Array(ANCHORS);
  const survivors = new Int32Array(ANCHORS);
  const boxes = new Float32Array(ANCHORS * 4);
  const areas = new Float64Array(ANCHORS);
  const kept = new Int32Array(KEEP.maxDetections);

  return (logits) => {
    maximise(logits, best, label);
    let count = 0;
    for (let anchor = 0; anchor < ANCHORS; anchor++) {
      if (best[anchor] > LEAST) survivors[count++] = anchor;
    }
    const order = survivors.subarray(0, count).sort((a, b) => best[b] - best[a] || a - b);
    for (let i = 0; i < count; i++) decode(logits, order[i]);
    return collect(suppress(order));
  };

  function decode(logits: Float32Array, anchor: number): void {
    const x = grid.x[anchor];
    const y = grid.y[anchor];
    const stride = grid.stride[anchor];
    const at = 4 * anchor;
    boxes[at] = x - stride * expectation(logits, anchor);
    boxes[at + 1] = y - stride * expectation(logits, anchor + BINS * ANCHORS);
    boxes[at + 2] = x +
      stride * expectation(logits, anchor + 2 * BINS * ANCHORS);
    boxes[at + 3] = y +
      stride * expectation(logits, anchor + 3 * BINS * ANCHORS);
    areas[anchor] = (boxes[at + 2] - boxes[at]) *
      (boxes[at + 3] - boxes[at + 1]);
  }

  function suppress(order: Int32Array): number {
    let count = 0;
    for (let i = 0; i < order.length && count < KEEP.maxDetections; i++) {
      if (!covered(order[i], count)) kept[count++] = order[i];
    }
    return count;
  }

  /** Is the anchor's box over the IoU threshold with one of the kept ones of its class? */
  function covered(anchor: number, count: number): boolean {
    for (let i = 0; i < count; i++) {
      const other = kept[i];
      if (label[other] !== label[anchor]) continue;
      const a = 4 * anchor;
      const b = 4 * other;
      const width = Math.min(boxes[a + 2], boxes[b + 2]) -
        Math.max(boxes[a], boxes[b]);
      const height = Math.min(boxes[a + 3], boxes[b + 3]) -
        Math.max(boxes[a + 1], boxes[b + 1]);
      if (width <= 0 || height <= 0) continue;
      const overlap = width * height;
      if (
        overlap > KEEP.iouThreshold * (areas[anchor] + areas[other] - overlap)
      ) return true;
    }
    return false;
  }

  function collect(count: number): Found {
    const anchors = kept.slice(0, count);
    const found = new Float32Array(count * 4);
    for (let i = 0; i < count; i++) {
      found.set(boxes.subarray(4 * anchors[i], 4 * anchors[i] + 4), 4 * i);
    }
    return {
      length: count,
      boxes: found,
      scores: Float32Array.from(
        anchors,
        (anchor) => 1 / (1 + Math.exp(-best[anchor])),
      ),
      classes: Int32Array.from(anchors, (anchor) => label[anchor]),
      anchors,
    };
  }
}

/** Best logit over the classes and its class; what stays at the threshold has no class over it. */
function maximise(
  logits: Float32Array,
  best: Float32Array,
  label: Uint8Array,
): void {
  best.fill(LEAST);
  for (let c = 0; c < CLASSES; c++) {
    const first = (BOX_CHANNELS + c) * ANCHORS;
    maximiseWith(logits.subarray(first, first + ANCHORS), c, best, label);
  }
}

/** Four at a time: half as long as one at a time. The number of anchors is a multiple of four. */
export function maximiseWith(
  row: Float32Array,
  c: number,
  best: Float32Array,
  label: Uint8Array,
): void {
  for (let anchor = 0; anchor < row.length; anchor += 4) {
    const first = row[anchor];
    const second = row[anchor + 1];
    const third = row[anchor + 2];
    const fourth = row[anchor + 3];
    if (first > best[anchor]) {
      best[anchor] = first;
      label[anchor] = c;
    }
    if (second > best[anchor + 1]) {
      best[anchor + 1] = second;
      label[anchor + 1] = c;
    }
    if (third > best[anchor + 2]) {
      best[anchor + 2] = third;
      label[anchor + 2] = c;
    }
    if (fourth > best[anchor + 3]) {
      best[anchor + 3] = fourth;
      label[anchor + 3] = c;
    }
  }
}

/** Σ i · softmax(x)_i of the bins that begin at `first`, one row apart. */
function expectation(logits: Float32Array, first: number): number {
  let top = -Infinity;
  for (let i = 0; i < BINS; i++) {
    top = Math.max(top, logits[first + i * ANCHORS]);
  }
  let sum = 0;
  let weighted = 0;
  for (let i = 0; i < BINS; i++) {
    const weight = Math.exp(logits[first + i * ANCHORS] - top);
    sum += weight;
    weighted += i * weight;
  }
  return weighted / sum;
}
