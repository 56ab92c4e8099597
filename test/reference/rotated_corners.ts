/** Corners of rotated boxes, in float64: the corners of an upright box about its centre, turned by a rotation matrix. */
import type { Random } from "../random.ts";

/** One corner after the other: right below, right above, left above and left below where the angle is 0 and y points down. */
const SIGNS = [[1, 1], [1, -1], [-1, -1], [-1, 1]] as const;

export function cornersOf([x, y, width, height, angle]: ArrayLike<number> & Iterable<number>): [number, number][] {
  if (![x, y, width, height, angle].every(Number.isFinite)) return SIGNS.map(() => [NaN, NaN]);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return SIGNS.map(([i, k]) => {
    const [u, v] = [i * width / 2, k * height / 2];
    return [x + (u * cos - v * sin), y + (u * sin + v * cos)];
  });
}

export function rotatedCorners(boxes: Float32Array): number[] {
  return Array.from({ length: boxes.length / 5 }, (_, i) => cornersOf(boxes.subarray(5 * i, 5 * i + 5))).flat(2);
}

/** Boxes (count, 5) with sides of 4 to 80 pixels on a square image, turned by any angle. */
export function rotatedBoxes(r: Random, count: number, side = 80, extent = 400): Float32Array<ArrayBuffer> {
  const box = () => {
    return [r.uniform(0, extent), r.uniform(0, extent), r.uniform(4, side), r.uniform(4, side), r.uniform(-4, 4)];
  };
  return Float32Array.from(Array.from({ length: count }, box).flat());
}

export function inputs(r: Random, rows: number) {
  return [rotatedBoxes(r, rows)];
}

/** The centre's coordinate and both sides. */
export function unit(_: number, _options: object, [boxes]: readonly Float32Array[], place: number): number {
  const [x, y, width, height] = boxes.subarray(5 * Math.floor(place / 8));
  return Math.abs(place % 2 === 0 ? x : y) + Math.abs(width) + Math.abs(height);
}
