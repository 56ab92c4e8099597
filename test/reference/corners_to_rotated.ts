/** Rotated boxes of rectangles' corners, in float64: by the middles of opposite sides. */
import type { Random } from "../random.ts";
import { rotatedBoxes, rotatedCorners } from "./rotated_corners.ts";

type Point = readonly [number, number];

const middle = ([a, b]: Point, [c, d]: Point): Point => [a / 2 + c / 2, b / 2 + d / 2];
const minus = ([a, b]: Point, [c, d]: Point): Point => [a - c, b - d];

function boxOf(points: readonly Point[]): number[] {
  if (!points.flat().every(Number.isFinite)) return Array(5).fill(NaN);
  const [p, q, r, s] = points;
  const along = minus(middle(p, q), middle(r, s));
  const across = minus(middle(p, s), middle(q, r));
  // A quarter of a turn back, to the side where it is beside the width.
  const back = along[0] * across[1] - along[1] * across[0] < 0 ? [-across[1], across[0]] : [across[1], -across[0]];
  const angle = Math.atan2(along[1] + back[1], along[0] + back[0]);
  return [...middle(middle(p, r), middle(q, s)), Math.hypot(...along), Math.hypot(...across), regular(angle)];
}

/** In [−π/4, 3π/4): a line has no ends. */
function regular(angle: number): number {
  const turned = angle < -Math.PI / 4 ? angle + Math.PI : angle >= 3 * Math.PI / 4 ? angle - Math.PI : angle;
  return turned + 0;
}

export function cornersToRotated(corners: Float32Array): number[] {
  return Array.from({ length: corners.length / 8 }, (_, i) => {
    const at = (k: number): Point => [corners[8 * i + 2 * k], corners[8 * i + 2 * k + 1]];
    return boxOf([at(0), at(1), at(2), at(3)]);
  }).flat();
}

/** Of rectangles from any corner, in either direction. */
export function inputs(r: Random, rows: number) {
  const corners = Float32Array.from(rotatedCorners(rotatedBoxes(r, rows)));
  for (let i = 0; i < corners.length; i += 8) {
    const points = [0, 2, 4, 6].map((k) => corners.slice(i + k, i + k + 2));
    const [start, step] = [r.integer(4), r.integer(2) === 0 ? 1 : 3];
    points.forEach((_, k) => corners.set(points[(start + k * step) % 4], i + 2 * k));
  }
  return [corners];
}

/** The largest coordinate, the longer side, or a radian. */
export function unit(wanted: number, _: object, [corners]: readonly Float32Array[], place: number): number {
  const row = corners.subarray(8 * Math.floor(place / 5), 8 * Math.floor(place / 5) + 8);
  const member = place % 5;
  if (member < 2) return Math.max(...row.map(Math.abs));
  return member < 4 ? Math.max(Math.abs(wanted), ...row.map((v, i) => Math.abs(v - row[(i + 2) % 8]))) : 1;
}
