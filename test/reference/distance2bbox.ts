/** x − l, y − t, x + r, y + b, in float64. */
import { floats, type Random } from "../random.ts";

export function distance2bbox(
  points: Float32Array,
  distances: Float32Array,
  { maxShape }: { maxShape?: readonly [number, number] } = {},
): number[] {
  return Array.from(distances, (d, i) => {
    const side = i % 4;
    const value = points[2 * Math.floor(i / 4) + side % 2] + (side < 2 ? -d : d);
    return maxShape === undefined ? value : Math.min(Math.max(value, 0), maxShape[1 - side % 2]);
  });
}

export function inputs(r: Random, rows: number) {
  return [floats(rows * 2, () => r.uniform(0, 640)), floats(rows * 4, () => r.uniform(-5, 200))];
}
