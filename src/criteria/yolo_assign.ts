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
  /** Of each, by its place in the list, the logit of a class; read before anything else is asked for. */
  logits(anchors: Int32Array, label: number): (place: number) => number;
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
  if (rules.topk2 === Infinity) return { gtIndex, scores, sides };
  const isKept = (i: number) => gtIndex[anchors[i]] >= 0;
  return {
    gtIndex,
    scores: scores.filter((_, i) => isKept(i)),
    sides: sides.filter((_, i) => isKept(i >> 2)),
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

/** Who may have which object, for a device that finds out: anchors inside objects. */
export interface YoloCandidates {
  /** (M), their rows in a map of all images, ascending. */
  readonly rows: Int32Array;
  /** (M, 2), their points in pixels. */
  readonly points: Float64Array;
  /** (K, 4) and (K), the objects of all images. */
  readonly boxes: Float32Array;
  readonly labels: Int32Array;
  /** (K), how many candidates are inside each, and all of these, object by object and ascending. */
  readonly counts: Uint32Array;
  readonly inside: Uint32Array;
  /** (B·N): 0 in a crowd region, else 1. */
  readonly weights: Float32Array;
}

/** How many anchors are inside objects, each counted once for every object. */
export function pairsIn(grid: Grid): number {
  const list = new Int32Array(grid.anchors);
  let pairs = 0;
  for (const { boxes, count } of grid.gt) {
    for (let index = 0; index < count; index++) pairs += listInside(grid, boxAt(boxes, index), list);
  }
  return pairs;
}

export function candidatesOf(grid: Grid): YoloCandidates {
  const { anchors, gt } = grid;
  const points = pointsOf(grid);
  const list = new Int32Array(anchors);
  /** 1 for a candidate; then its place among them, from 1. */
  const places = new Int32Array(grid.rows);
  const weights = new Float32Array(grid.rows).fill(1);
  const counts = gt.flatMap(({ boxes, count, ignore }, image) => {
    const mark = (values: Int32Array | Float32Array, value: number, box: Box) => {
      const found = listInside(grid, box, list);
      for (let i = 0; i < found; i++) values[image * anchors + list[i]] = value;
      return found;
    };
    for (let region = 0; region < ignore.length / 4; region++) mark(weights, 0, boxAt(ignore, region));
    return Array.from({ length: count }, (_, index) => mark(places, 1, boxAt(boxes, index)));
  });
  const rows = placesWhere(places, 1);
  const at = new Float64Array(2 * rows.length);
  rows.forEach((row, i) => {
    places[row] = i + 1;
    at[2 * i] = points.x[row % anchors];
    at[2 * i + 1] = points.y[row % anchors];
  });
  const inside = new Uint32Array(counts.reduce((sum, count) => sum + count, 0));
  let next = 0;
  gt.forEach(({ boxes, count }, image) => {
    for (let index = 0; index < count; index++) {
      const found = listInside(grid, boxAt(boxes, index), list);
      for (let i = 0; i < found; i++) inside[next++] = places[image * anchors + list[i]] - 1;
    }
  });
  return {
    rows,
    points: at,
    boxes: Float32Array.from(gt.flatMap(({ boxes }) => Array.from(boxes))),
    labels: Int32Array.from(gt.flatMap(({ labels }) => Array.from(labels))),
    counts: Uint32Array.from(counts),
    inside,
    weights,
  };
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
  const boxes = new PredictedBoxes(points, rules.eps);
  for (let index = 0; index < gt.count; index++) boxes.mark(inside(index));
  boxes.read(predictions);
  const gtIndex = new Int32Array(anchors).fill(NEGATIVE);
  const contested = new Uint8Array(anchors);
  for (let index = 0; index < gt.count; index++) {
    const own = inside(index);
    const logitOf = predictions.logits(own, gt.labels[index]);
    for (const { anchor } of bestOf(own, logitOf, boxes, new Shape(boxAt(gt.boxes, index)), rules)) {
      if (gtIndex[anchor] !== NEGATIVE) contested[anchor] = 1;
      gtIndex[anchor] = index;
    }
  }
  if (!contested.includes(1)) return gtIndex;
  // An anchor that several chose goes to the one around its point that it overlaps most.
  const most = new Float64Array(anchors).fill(-Infinity);
  for (let index = 0; index < gt.count; index++) {
    const object = new Shape(boxAt(gt.boxes, index));
    const own = inside(index);
    for (let i = 0; i < own.length; i++) {
      const anchor = own[i];
      if (contested[anchor] === 0) continue;
      const iou = boxes.overlap(anchor, object);
      if (!(iou > most[anchor])) continue;
      most[anchor] = iou;
      gtIndex[anchor] = index;
    }
  }
  return gtIndex;
}

/** The `topk` that suit an object best, of the anchors inside. */
function bestOf(
  inside: Int32Array,
  logitOf: (place: number) => number,
  boxes: PredictedBoxes,
  object: Shape,
  { topk, alpha, beta }: YoloRules,
): Candidate[] {
  const best: Candidate[] = [];
  let least = -Infinity;
  for (let i = 0; i < inside.length; i++) {
    const iou = boxes.overlap(inside[i], object, least);
    if (iou < least || Number.isNaN(iou)) continue;
    const logit = logitOf(i);
    if (Number.isNaN(logit)) continue;
    const alignment = raised(sigmoid(logit), alpha) * raised(Math.max(iou, 0), beta);
    if (!(alignment > 0)) continue;
    keep(best, { anchor: inside[i], alignment, iou }, topk);
    // A score is at most 1; the margin is for the rounding of powers.
    if (best.length === topk && beta > 0) least = best[0].alignment ** (1 / beta) * (1 - 1e-9);
  }
  return best;
}

/** `base ** exponent` for a base of at least 0, and for the usual exponents in a fraction of its time. */
function raised(base: number, exponent: number): number {
  if (exponent === 0.5) return Math.sqrt(base);
  if (exponent !== 6) return base ** exponent;
  const cube = base * base * base;
  return cube * cube;
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
  for (let i = 0; i < anchors.length; i++) groups[gtIndex[anchors[i]]].push(i);
  for (let index = 0; index < gt.count; index++) {
    const group = groups[index];
    if (group.length === 0) continue;
    const object = new Shape(boxAt(gt.boxes, index));
    const logitOf = predictions.logits(new Int32Array(group.map((i) => anchors[i])), gt.labels[index]);
    const own = group.map((i, place): Candidate => {
      const iou = Math.max(completeIou(sides, 4 * i, points.x[anchors[i]], points.y[anchors[i]], object, eps), 0);
      // A contested anchor may have come to an object of whose class it says nothing.
      const logit = logitOf(place);
      const score = Number.isNaN(logit) ? 0 : raised(sigmoid(logit), alpha);
      return { anchor: i, alignment: score * raised(iou, beta), iou };
    });
    if (own.length > topk2) {
      own.sort((a, b) => isWorse(a, b) ? 1 : -1);
      for (const { anchor } of own.splice(topk2)) gtIndex[anchors[anchor]] = NEGATIVE;
    }
    const highestIou = own.reduce((most, { iou }) => Math.max(most, iou), 0);
    const mostAligned = own.reduce((most, { alignment }) => Math.max(most, alignment), 0);
    for (const { anchor, alignment } of own) scores[anchor] = alignment * highestIou / (mostAligned + EPSILON);
  }
  return scores;
}

/** The boxes of the anchors that are inside an object. */
class PredictedBoxes {
  readonly #points: Points;
  readonly #eps: number;
  /** (anchors): 1 where it is; then its place among those that are, from 1. */
  readonly #places: Int32Array;
  #sides = new Float32Array(0);

  constructor(points: Points, eps: number) {
    this.#points = points;
    this.#eps = eps;
    this.#places = new Int32Array(points.x.length);
  }

  mark(anchors: Int32Array): void {
    for (let i = 0; i < anchors.length; i++) this.#places[anchors[i]] = 1;
  }

  read(predictions: Predictions): void {
    const places = this.#places;
    const marked = placesWhere(places, 1);
    for (let i = 0; i < marked.length; i++) places[marked[i]] = i + 1;
    this.#sides = predictions.sides(marked) as Float32Array<ArrayBuffer>;
  }

  /** The complete IoU of an anchor's box with an object. */
  overlap(anchor: number, object: Shape, least = -Infinity): number {
    const at = 4 * (this.#places[anchor] - 1);
    const { x, y } = this.#points;
    return completeIou(this.#sides, at, x[anchor], y[anchor], object, this.#eps, least);
  }
}

/** An object's box, and the angle of its sides. */
class Shape {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly angle: number;

  constructor({ x1, y1, x2, y2 }: Box) {
    this.x1 = x1;
    this.y1 = y1;
    this.x2 = x2;
    this.y2 = y2;
    this.angle = Math.atan2(x2 - x1, y2 - y1);
  }
}

/**
 * 1 less `ciouLoss` of an object with the box whose distances from the point (x, y) stand at `at`. Where it is under `least`,
 * anything under that: angles take the most time, divisions the next.
 */
function completeIou(
  sides: Float32Array | Float64Array,
  at: number,
  x: number,
  y: number,
  object: Shape,
  eps: number,
  least = -Infinity,
): number {
  // Destructured, they take longer than all the rest.
  const l = sides[at];
  const t = sides[at + 1];
  const r = sides[at + 2];
  const b = sides[at + 3];
  const l2 = x - object.x1;
  const t2 = y - object.y1;
  const r2 = object.x2 - x;
  const b2 = object.y2 - y;
  const overlap = Math.max(Math.min(l, l2) + Math.min(r, r2), 0) * Math.max(Math.min(t, t2) + Math.min(b, b2), 0);
  const w = Math.max(l + r, 0);
  const h = Math.max(t + b, 0);
  const union = w * h + (l2 + r2) * (t2 + b2) - overlap + eps;
  if (overlap < least * union) return -Infinity;
  const iou = overlap / union;
  const width = Math.max(l, l2) + Math.max(r, r2);
  const height = Math.max(t, t2) + Math.max(b, b2);
  const dx = ((r - l) - (r2 - l2)) / 2;
  const dy = ((b - t) - (b2 - t2)) / 2;
  const distanceIou = iou - (dx * dx + dy * dy) / (width * width + height * height + eps);
  if (distanceIou < least) return distanceIou;
  const turn = Math.atan2(w, h) - object.angle;
  const aspect = 4 / Math.PI ** 2 * turn * turn;
  return distanceIou - aspect * aspect / (1 - iou + aspect + eps);
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
