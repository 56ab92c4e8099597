/** x − x1, y − y1, x2 − x, y2 − y, in float64. */
import { floats, type Random } from "../random.ts";

export function bbox2distance(
  points: Float32Array,
  boxes: Float32Array,
  { maxDistance = Infinity, eps = 0.1 } = {},
): number[] {
  const limit = maxDistance - eps;
  return Array.from(boxes, (edge, i) => {
    const side = i % 4;
    const point = points[2 * Math.floor(i / 4) + side % 2];
    const value = side < 2 ? point - edge : edge - point;
    return limit === Infinity ? value : Math.min(Math.max(value, 0), limit);
  });
}

export function inputs(r: Random, rows: number) {
  return [floats(rows * 2, () => r.uniform(0, 640)), floats(rows * 4, () => r.uniform(-100, 700))];
}

export const settings = [{ maxDistance: 16 }, { maxDistance: 16, eps: 0.5 }, { maxDistance: 16, eps: 0 }];
