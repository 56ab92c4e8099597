/**
 * Task-aligned assignment as Ultralytics has it, over the anchors of a grid. It differs from `taskAlignedAssign` in this:
 *
 * - The overlap is the complete IoU, cut off at 0.
 * - A point is inside an object from 1e-9 pixels on, not 0.01.
 * - An anchor that several objects chose goes to the best overlap among all objects around its point, also to one that did not
 *   choose it. So an object may keep more than `topk`.
 * - `topk2` then leaves an object its best ones.
 * - 1e-9 in the target's denominator, not 1e-7.
 *
 * Only anchors inside an object can be its own, so that only their predictions are read. The choice is made with boxes that
 * float32 has decoded. What follows from it is computed again in float64, because the power of the overlap multiplies an error.
 */
import { cellsBetween } from "./atss_assign.ts";
import { type Candidate, isWorse, keep } from "./best_candidates.ts";
import type { Grid } from "./criterion_input.ts";
import { type Box, boxAt, type CheckedGroundTruth, IGNORED, NEGATIVE } from "./ground_truth.ts";

/** Pixels. */
const INSIDE_MARGIN = 1e-9;
/** Keeps the target finite where the best alignment is tiny. */
const EPSILON = 1e-9;

export interface YoloRules {
  readonly topk: number;
  /** Infinity where all stay. */
  readonly topk2: number;
  readonly alpha: number;
  readonly beta: number;
  /** `eps` of the complete IoU. */
  readonly eps: number;
}

/** What the network predicts in one image, for a list of its anchors. */
export interface Predictions {
  /** (n, 4), the distances l, t, r, b in pixels. */
  sides(anchors: Int32Array): Float32Array;
  /** The same, with all digits. */
  exactSides(anchors: Int32Array): Float64Array;
  /** (n), the logits of a class. */
  logits(anchors: Int32Array, label: number): Float32Array;
}

export interface YoloAssignment {
  /** (anchors): index of the object, NEGATIVE or IGNORED. */
  readonly gtIndex: Int32Array;
  /** (P), the target scores of the anchors that have an object, in their order. */
  readonly scores: Float64Array;
  /** (P, 4), their distances in pixels. */
  readonly sides: Float64Array;
}

/** Points of the anchors, in pixels. */
export interface Points {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

export function pointsOf({ levels, anchors, head: { anchorOffset } }: Grid): Points {
  const points = { x: new Float64Array(anchors), y: new Float64Array(anchors) };
  for (const { stride, width, height, firstAnchor } of levels) {
    for (let cell = 0; cell < width * height; cell++) {
      points.x[firstAnchor + cell] = (cell % width + anchorOffset) * stride;
      points.y[firstAnchor + cell] = (Math.floor(cell / width) + anchorOffset) * stride;
    }
  }
  return points;
}

export function assignYolo(
  grid: Grid,
  points: Points,
  gt: CheckedGroundTruth,
  predictions: Predictions,
  rules: YoloRules,
): YoloAssignment {
  const gtIndex = chosenObjects(grid, points, gt, predictions, rules);
  const anchors = placesWhere(gtIndex, 0);
  const sides = predictions.exactSides(anchors);
  const scores = targetScores(points, gt, { anchors, sides, gtIndex }, predictions, rules);
  ignoreCrowds(grid, gt.ignore, gtIndex);
  const kept = Array.from(anchors.keys()).filter((i) => gtIndex[anchors[i]] >= 0);
  return {
    gtIndex,
    scores: Float64Array.from(kept, (i) => scores[i]),
    sides: Float64Array.from({ length: 4 * kept.length }, (_, i) => sides[4 * kept[i >> 2] + i % 4]),
  };
}

/** Where the values are at least that; a loop, which takes a fraction of what an iterator of the places does. */
function placesWhere(values: Int32Array, least: number): Int32Array {
  const places = new Int32Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] >= least) places[count++] = i;
  }
  return places.subarray(0, count);
}

/** The object of each anchor before `topk2`. */
function chosenObjects(
  grid: Grid,
  points: Points,
  gt: CheckedGroundTruth,
  predictions: Predictions,
  rules: YoloRules,
): Int32Array {
  const { anchors } = grid;
  const list = new Int32Array(anchors);
  const inside = (index: number) => list.subarray(0, listInside(grid, boxAt(gt.boxes, index), list));
  const boxes = new PredictedBoxes(anchors);
  for (let index = 0; index < gt.count; index++) boxes.mark(inside(index));
  boxes.read(predictions);
  const best: Candidate[][] = [];
  const overlap = new Float64Array(anchors).fill(-Infinity);
  const object = new Int32Array(anchors).fill(NEGATIVE);
  for (let index = 0; index < gt.count; index++) {
    const own = inside(index);
    const logits = predictions.logits(own, gt.labels[index]);
    const box = boxAt(gt.boxes, index);
    const target = shapeAngle(box.x2 - box.x1, box.y2 - box.y1);
    const candidates: Candidate[] = [];
    for (let i = 0; i < own.length; i++) {
      const anchor = own[i];
      const iou = boxes.overlap(anchor, box, target, points.x[anchor], points.y[anchor], rules.eps);
      // NaN is neither the best of an anchor nor a candidate.
      if (iou > overlap[anchor]) {
        overlap[anchor] = iou;
        object[anchor] = index;
      }
      const share = Math.max(iou, 0) ** rules.beta;
      // A score is at most 1.
      if (candidates.length === rules.topk && share < candidates[0].alignment) continue;
      const alignment = sigmoid(logits[i]) ** rules.alpha * share;
      // NaN to the power of 0 is 1.
      if (!(alignment > 0) || Number.isNaN(iou) || Number.isNaN(logits[i])) continue;
      keep(candidates, { anchor, alignment, iou }, rules.topk);
    }
    best.push(candidates);
  }
  return settled(best, object);
}

/** An anchor goes to the one object that chose it; where several did, to the one around its point that it overlaps most. */
function settled(best: readonly (readonly Candidate[])[], nearest: Int32Array): Int32Array {
  const gtIndex = new Int32Array(nearest.length).fill(NEGATIVE);
  best.forEach((candidates, index) => {
    for (const { anchor } of candidates) gtIndex[anchor] = gtIndex[anchor] === NEGATIVE ? index : nearest[anchor];
  });
  return gtIndex;
}

/** Anchors that have an object. */
interface Owned {
  readonly anchors: Int32Array;
  /** (n, 4). */
  readonly sides: Float64Array;
  /** Of all anchors of the image. */
  readonly gtIndex: Int32Array;
}

/** The target score of each; those that `topk2` leaves out lose their object. */
function targetScores(
  points: Points,
  gt: CheckedGroundTruth,
  { anchors, sides, gtIndex }: Owned,
  predictions: Predictions,
  { topk2, alpha, beta, eps }: YoloRules,
): Float64Array {
  const scores = new Float64Array(anchors.length);
  const groups: number[][] = Array.from({ length: gt.count }, () => []);
  anchors.forEach((anchor, i) => groups[gtIndex[anchor]].push(i));
  groups.forEach((group, index) => {
    if (group.length === 0) return;
    const { x1, y1, x2, y2 } = boxAt(gt.boxes, index);
    const target = shapeAngle(x2 - x1, y2 - y1);
    const logits = predictions.logits(Int32Array.from(group, (i) => anchors[i]), gt.labels[index]);
    const own = group.map((i, place): Candidate => {
      const [l, t, r, b] = sides.subarray(4 * i, 4 * i + 4);
      const [x, y] = [points.x[anchors[i]], points.y[anchors[i]]];
      const iou = completeIou(l, t, r, b, boxAngle(l, t, r, b), x - x1, y - y1, x2 - x, y2 - y, target, eps);
      const overlap = Math.max(iou, 0);
      return { anchor: i, alignment: sigmoid(logits[place]) ** alpha * overlap ** beta, iou: overlap };
    });
    if (own.length > topk2) {
      own.sort((a, b) => isWorse(a, b) ? 1 : -1);
      for (const { anchor } of own.splice(topk2)) gtIndex[anchors[anchor]] = NEGATIVE;
    }
    const highestIou = own.reduce((most, { iou }) => Math.max(most, iou), 0);
    const mostAligned = own.reduce((most, { alignment }) => Math.max(most, alignment), 0);
    for (const { anchor, alignment } of own) scores[anchor] = alignment * highestIou / (mostAligned + EPSILON);
  });
  return scores;
}

/** The boxes of the anchors that are inside an object. */
class PredictedBoxes {
  /** (anchors): 1 where it is; then its place among those that are, from 1. */
  readonly #places: Int32Array;
  #sides = new Float32Array(0);
  #angles = new Float64Array(0);

  constructor(anchors: number) {
    this.#places = new Int32Array(anchors);
  }

  mark(anchors: Int32Array): void {
    for (const anchor of anchors) this.#places[anchor] = 1;
  }

  read(predictions: Predictions): void {
    const places = this.#places;
    const marked = placesWhere(places, 1);
    for (let i = 0; i < marked.length; i++) places[marked[i]] = i + 1;
    const sides = predictions.sides(marked);
    this.#sides = sides as Float32Array<ArrayBuffer>;
    this.#angles = new Float64Array(marked.length);
    for (let i = 0; i < marked.length; i++) {
      this.#angles[i] = boxAngle(sides[4 * i], sides[4 * i + 1], sides[4 * i + 2], sides[4 * i + 3]);
    }
  }

  /** The complete IoU of an anchor's box with an object, whose shape has that angle. */
  overlap(anchor: number, { x1, y1, x2, y2 }: Box, angle: number, x: number, y: number, eps: number): number {
    const place = this.#places[anchor] - 1;
    const sides = this.#sides;
    const at = 4 * place;
    const own = this.#angles[place];
    return completeIou(
      sides[at],
      sides[at + 1],
      sides[at + 2],
      sides[at + 3],
      own,
      x - x1,
      y - y1,
      x2 - x,
      y2 - y,
      angle,
      eps,
    );
  }
}

/**
 * 1 less `ciouLoss`, of two boxes by their distances from one point, which is inside the second; `angle` and `angle2` are of
 * their shapes.
 */
function completeIou(
  l: number,
  t: number,
  r: number,
  b: number,
  angle: number,
  l2: number,
  t2: number,
  r2: number,
  b2: number,
  angle2: number,
  eps: number,
): number {
  const overlap = Math.max(Math.min(l, l2) + Math.min(r, r2), 0) * Math.max(Math.min(t, t2) + Math.min(b, b2), 0);
  const area = Math.max(l + r, 0) * Math.max(t + b, 0);
  const iou = overlap / (area + (l2 + r2) * (t2 + b2) - overlap + eps);
  const width = Math.max(l, l2) + Math.max(r, r2);
  const height = Math.max(t, t2) + Math.max(b, b2);
  const dx = ((r - l) - (r2 - l2)) / 2;
  const dy = ((b - t) - (b2 - t2)) / 2;
  const aspect = 4 / Math.PI ** 2 * (angle - angle2) ** 2;
  const distance = (dx * dx + dy * dy) / (width * width + height * height + eps);
  return iou - distance - aspect * aspect / (1 - iou + aspect + eps);
}

function boxAngle(l: number, t: number, r: number, b: number): number {
  return shapeAngle(Math.max(l + r, 0), Math.max(t + b, 0));
}

function shapeAngle(width: number, height: number): number {
  return Math.atan2(width, height);
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Lists the anchors whose points are inside an object and returns how many there are. */
function listInside({ levels, head: { anchorOffset } }: Grid, { x1, y1, x2, y2 }: Box, list: Int32Array): number {
  let count = 0;
  for (const { stride, width, height, firstAnchor } of levels) {
    const [left, right] = cellsInside(x1, x2, stride, anchorOffset, width);
    const [top, bottom] = cellsInside(y1, y2, stride, anchorOffset, height);
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++) list[count++] = firstAnchor + row * width + column;
    }
  }
  return count;
}

/** First and end of the cells whose points are between two places on the axis. */
function cellsInside(
  low: number,
  high: number,
  stride: number,
  offset: number,
  cells: number,
): readonly [number, number] {
  let [first, end] = cellsBetween(low / stride - offset, high / stride - offset, cells);
  const isBetween = (cell: number) => {
    const point = (cell + offset) * stride;
    return Math.min(point - low, high - point) > INSIDE_MARGIN;
  };
  while (first < end && !isBetween(first)) first++;
  while (first < end && !isBetween(end - 1)) end--;
  return [first, end];
}

/** An anchor that has no object and whose point is in a crowd region is no negative. */
function ignoreCrowds(grid: Grid, ignore: Float32Array, gtIndex: Int32Array): void {
  const list = new Int32Array(grid.anchors);
  for (let region = 0; region < ignore.length / 4; region++) {
    const count = listInside(grid, boxAt(ignore, region), list);
    for (const anchor of list.subarray(0, count)) {
      if (gtIndex[anchor] < 0) gtIndex[anchor] = IGNORED;
    }
  }
}
