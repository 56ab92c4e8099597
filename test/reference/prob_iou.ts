/**
 * ProbIoU, in float64. A linear map makes the first Gaussian round, so that only the singular values of the map of one box onto
 * the other matter: no terms cancel.
 */
import type { Random } from "../random.ts";
import { rotatedBoxes } from "./rotated_corners.ts";

type Box = ArrayLike<number>;

const LARGEST = 2 ** 128 - 2 ** 104;

/** Infinite numbers are the largest ones, negative sizes 0. */
function checked(box: Box): number[] {
  const [x, y, width, height] = Array.from(box, (v) => Math.min(Math.max(v, -LARGEST), LARGEST));
  return [x, y, Math.max(width, 0), Math.max(height, 0), Math.abs(box[4]) === Infinity ? NaN : box[4]];
}

export function pairProbIou(first: Box, second: Box): number {
  const [x, y, w, h, angle] = checked(first);
  const [x2, y2, w2, h2, angle2] = checked(second);
  if ([x, y, w, h, angle, x2, y2, w2, h2, angle2].some(Number.isNaN)) return NaN;
  if (x === x2 && y === y2 && w === w2 && h === h2 && angle === angle2) return 1;
  if (w * h * w2 * h2 === 0) return 0;
  // The second box as the first one sees it, in units of the first one's sides.
  const [cos, sin] = [Math.cos(angle2 - angle), Math.sin(angle2 - angle)];
  const map = [w2 * cos / w, -h2 * sin / w, w2 * sin / h, h2 * cos / h];
  const [dx, dy] = [x2 - x, y2 - y];
  const apart = [(dx * Math.cos(angle) + dy * Math.sin(angle)) / w, (dy * Math.cos(angle) - dx * Math.sin(angle)) / h];
  const determinant = w2 / w * (h2 / h);
  // |I + MMᵀ| − 4 |M|, of singular values s and t: (1 − st)² + (s − t)².
  const unlike = (1 - determinant) ** 2 + (map[0] - map[3]) ** 2 + (map[1] + map[2]) ** 2;
  const joint = unlike + 4 * determinant;
  // dᵀ (I + MMᵀ)⁻¹ d, times the determinant: the adjugate of the sum is the sum of both adjugates.
  const square = apart[0] ** 2 + apart[1] ** 2 + (map[2] * apart[0] - map[0] * apart[1]) ** 2 +
    (map[3] * apart[0] - map[1] * apart[1]) ** 2;
  const distance = 3 * square / joint + Math.log1p(unlike / (4 * determinant)) / 2;
  return 1 - Math.sqrt(-Math.expm1(-distance));
}

export function probIou(a: Float32Array, b: Float32Array): number[] {
  return rotatedPairs(a, b, pairProbIou);
}

/** A measure of every pair of boxes. */
export function rotatedPairs(a: Float32Array, b: Float32Array, measure: (a: Box, b: Box) => number): number[] {
  const rows = (boxes: Float32Array) => {
    return Array.from({ length: boxes.length / 5 }, (_, i) => boxes.subarray(5 * i, 5 * i + 5));
  };
  return rows(a).flatMap((first) => rows(b).map((second) => measure(first, second)));
}

/** Of so many boxes and seven others, two of which are much like the first two. */
export function inputs(r: Random, rows: number) {
  const boxes = rotatedBoxes(r, rows);
  const others = rotatedBoxes(r, 7);
  const alike = boxes.subarray(0, 10).map((v) => v * (1 + 1e-3 * r.normal()));
  others.set(alike);
  return [boxes, others];
}

/** The largest ProbIoU. */
export const unit = () => 1;
