/** Detection as it is copied from project to project: everything through Math.exp, then objects, then a quadratic NMS. */
import { type AnchorGrid, anchorGrid, ANCHORS, BINS, BOX_CHANNELS, CLASSES, KEEP } from "../yolov8.ts";
import { type Box, suppress } from "./plain_boxes.ts";

export function copiedDetect(): (logits: Float32Array) => Box[] {
  const grid = anchorGrid();
  return (logits) => {
    const scores = sigmoidAll(logits);
    const sides = expectAll(logits);
    return suppress(boxesOver(grid, scores, sides));
  };
}

function sigmoidAll(logits: Float32Array): Float32Array {
  const scores = new Float32Array(CLASSES * ANCHORS);
  const first = BOX_CHANNELS * ANCHORS;
  for (let i = 0; i < scores.length; i++) {
    scores[i] = 1 / (1 + Math.exp(-logits[first + i]));
  }
  return scores;
}

/** Expectation of every side of every anchor, (8400, 4). */
function expectAll(logits: Float32Array): Float32Array {
  const sides = new Float32Array(ANCHORS * 4);
  for (let anchor = 0; anchor < ANCHORS; anchor++) {
    for (let side = 0; side < 4; side++) {
      const weights = [];
      let sum = 0;
      for (let i = 0; i < BINS; i++) {
        const weight = Math.exp(logits[(side * BINS + i) * ANCHORS + anchor]);
        weights.push(weight);
        sum += weight;
      }
      sides[4 * anchor + side] = weights.reduce(
        (total, weight, i) => total + i * weight / sum,
        0,
      );
    }
  }
  return sides;
}

function boxesOver(
  grid: AnchorGrid,
  scores: Float32Array,
  sides: Float32Array,
): Box[] {
  const boxes: Box[] = [];
  for (let anchor = 0; anchor < ANCHORS; anchor++) {
    let score = 0;
    let classId = -1;
    for (let c = 0; c < CLASSES; c++) {
      if (scores[c * ANCHORS + anchor] > score) {
        score = scores[c * ANCHORS + anchor];
        classId = c;
      }
    }
    if (score <= KEEP.scoreThreshold) continue;
    const [x, y, stride] = [
      grid.x[anchor],
      grid.y[anchor],
      grid.stride[anchor],
    ];
    const [left, top, right, bottom] = sides.subarray(
      4 * anchor,
      4 * anchor + 4,
    );
    boxes.push({
      x1: x - left * stride,
      y1: y - top * stride,
      x2: x + right * stride,
      y2: y + bottom * stride,
      score,
      classId,
      anchor,
    });
  }
  return boxes;
}
