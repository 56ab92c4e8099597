/**
 * IoU of rotated boxes, in float64: the corners of one box inside the other, and the crossings of their edges, in order around
 * their middle, are the corners of the intersection.
 */
import { rotatedPairs } from "./prob_iou.ts";
import { cornersOf, rotatedBoxes } from "./rotated_corners.ts";
import { random } from "../random.ts";

type Point = readonly [number, number];

const cross = ([a, b]: Point, [c, d]: Point) => a * d - b * c;
const minus = ([a, b]: Point, [c, d]: Point): Point => [a - c, b - d];

/** Where two edges cross, if they do and are not parallel. */
function crossing([p, q]: readonly Point[], [r, s]: readonly Point[]): Point[] {
  const [along, other] = [minus(q, p), minus(s, r)];
  const turn = cross(along, other);
  if (turn === 0) return [];
  const t = cross(minus(r, p), other) / turn;
  const u = cross(minus(r, p), along) / turn;
  return t >= 0 && t <= 1 && u >= 0 && u <= 1 ? [[p[0] + t * along[0], p[1] + t * along[1]]] : [];
}

/** Whether a point is in a box whose centre is `at`, edges included. */
function holds([, , width, height, angle]: ArrayLike<number> & Iterable<number>, at: Point, point: Point): boolean {
  const [x, y] = minus(point, at);
  const room = 1 + 1e-12;
  return Math.abs(x * Math.cos(angle) + y * Math.sin(angle)) <= width / 2 * room &&
    Math.abs(y * Math.cos(angle) - x * Math.sin(angle)) <= height / 2 * room;
}

const edges = (corners: readonly Point[]) => corners.map((corner, i) => [corner, corners[(i + 1) % 4]] as const);

/** Of points of a convex polygon in any order. */
function areaAround(points: readonly Point[]): number {
  const mean = [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
  const around = points.map((point) => minus(point, mean as unknown as Point))
    .sort(([a, b], [c, d]) => Math.atan2(b, a) - Math.atan2(d, c));
  return around.reduce((sum, point, i) => sum + cross(point, around[(i + 1) % around.length]) / 2, 0);
}

export function pairIou(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const boxes = [a, b].map((box) => Array.from(box, (v, i) => i === 2 || i === 3 ? Math.max(v, 0) : v));
  if (boxes.flat().some((v) => Number.isNaN(v))) return NaN;
  // From the first centre, so that small boxes far away keep their digits.
  const [at, other]: Point[] = [[0, 0], [b[0] - a[0], b[1] - a[1]]];
  const [p, q] = [at, other].map((centre, i) => cornersOf([...centre, ...boxes[i].slice(2)]));
  const areas = boxes.map(([, , width, height]) => width * height);
  const reach = boxes.reduce((sum, [, , width, height]) => sum + Math.hypot(width, height) / 2, 0);
  // Boxes farther apart than their diagonals reach: most pairs of a scene.
  if (Math.hypot(...other) > reach * (1 + 1e-9)) return 0;
  const inside = [...p.filter((v) => holds(boxes[1], other, v)), ...q.filter((v) => holds(boxes[0], at, v))];
  const points = [...inside, ...edges(p).flatMap((edge) => edges(q).flatMap((each) => crossing(edge, each)))];
  const inner = points.length < 3 ? 0 : Math.min(areaAround(points), ...areas);
  const union = areas[0] + areas[1] - inner;
  return union === 0 ? 0 : inner / union;
}

export function rotatedBoxIou(a: Float32Array, b: Float32Array): number[] {
  return rotatedPairs(a, b, pairIou);
}

export const argumentCases = [() => {
  const r = random(1);
  return [{ data: rotatedBoxes(r, 6), dims: [6, 5] }, { data: rotatedBoxes(r, 4), dims: [4, 5] }];
}];
