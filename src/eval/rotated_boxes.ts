/**
 * Rotated boxes: centre x, y, width, height, angle in radians from x towards y.
 */
import { ALL, type Kind, LARGE, MEDIUM, type Shape, SMALL } from "./kind.ts";
import { numbersOf, positiveSides, type Row } from "./rows.ts";

const MEANING = "centre x, y, width, height, angle";

type Rotated = readonly number[];

export const rotatedBoxes: Kind<Rotated> = {
  areas: [ALL, SMALL, MEDIUM, LARGE],
  maxDets: [1, 10, 100],
  truth: (row, { bbox }) => read(row, "bbox", bbox),
  found: (row, { bbox, rotated }) => rotated === undefined ? read(row, "bbox", bbox) : read(row, "rotated", rotated),
  overlaps: (found, truths, crowd) => {
    const ious = new Float64Array(found.length * truths.length);
    found.forEach((a, i) => {
      truths.forEach((b, j) => {
        const both = intersection(a, b);
        const own = a[2] * a[3];
        ious[i * truths.length + j] = both / (crowd[j] ? own : own + b[2] * b[3] - both);
      });
    });
    return ious;
  },
};

function read(row: Row, member: string, value: unknown): Shape<Rotated> {
  const box = numbersOf(row, member, value, 5, MEANING);
  positiveSides(row, box, MEANING, member);
  return { shape: box, area: box[2] * box[3] };
}

/** Area in both, at most that of the smaller. */
function intersection(a: Rotated, b: Rotated): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const reach = (Math.hypot(a[2], a[3]) + Math.hypot(b[2], b[3])) / 2;
  if (dx * dx + dy * dy > reach * reach) return 0;
  const [cosA, sinA] = turn(a[4]);
  // The centre of b in the frame of a, in which a is upright around the origin.
  const [x, y] = [dx * cosA + dy * sinA, dy * cosA - dx * sinA];
  const [cos, sin] = turn(b[4] - a[4]);
  const [width, height] = [a[2] / 2, a[3] / 2];
  const [ux, uy] = [cos * b[2] / 2, sin * b[2] / 2];
  const [vx, vy] = [-sin * b[3] / 2, cos * b[3] / 2];
  let corners = [
    x + ux + vx,
    y + uy + vy,
    x + ux - vx,
    y + uy - vy,
    x - ux - vx,
    y - uy - vy,
    x - ux + vx,
    y - uy + vy,
  ];
  for (const [axis, side, limit] of [[0, 1, width], [0, -1, width], [1, 1, height], [1, -1, height]]) {
    corners = clip(corners, axis, side, limit);
  }
  return Math.min(areaOf(corners), a[2] * a[3], b[2] * b[3]);
}

/** Cosine and sine; quarter turns have exact ones, so that upright boxes overlap as such. */
function turn(angle: number): readonly [number, number] {
  const quarters = angle / (Math.PI / 2);
  const whole = Math.round(quarters);
  if (whole !== quarters) return [Math.cos(angle), Math.sin(angle)];
  return [[1, 0], [0, 1], [-1, 0], [0, -1]][((whole % 4) + 4) % 4] as [number, number];
}

/** What of a polygon has side · coordinate ≤ limit. */
function clip(corners: readonly number[], axis: number, side: number, limit: number): number[] {
  const kept: number[] = [];
  for (let i = 0; i < corners.length; i += 2) {
    const next = (i + 2) % corners.length;
    const [from, to] = [limit - side * corners[i + axis], limit - side * corners[next + axis]];
    if (from >= 0) kept.push(corners[i], corners[i + 1]);
    if ((from > 0 && to < 0) || (from < 0 && to > 0)) {
      const share = from / (from - to);
      const cut = [0, 1].map((n) => corners[i + n] + share * (corners[next + n] - corners[i + n]));
      cut[axis] = side * limit;
      kept.push(cut[0], cut[1]);
    }
  }
  return kept;
}

/** From the first corner on, so that far polygons keep their digits. */
function areaOf(corners: readonly number[]): number {
  let twice = 0;
  for (let i = 2; i + 2 < corners.length; i += 2) {
    const [ax, ay] = [corners[i] - corners[0], corners[i + 1] - corners[1]];
    const [bx, by] = [corners[i + 2] - corners[0], corners[i + 3] - corners[1]];
    twice += ax * by - ay * bx;
  }
  return Math.abs(twice) / 2;
}
