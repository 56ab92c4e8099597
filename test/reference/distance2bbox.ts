/** x − l, y − t, x + r, y + b, in float64. */
export function distance2bbox(
  points: Float32Array,
  distances: Float32Array,
  maxShape?: readonly [number, number],
): number[] {
  return Array.from(distances, (d, i) => {
    const side = i % 4;
    const value = points[2 * Math.floor(i / 4) + side % 2] + (side < 2 ? -d : d);
    return maxShape === undefined ? value : Math.min(Math.max(value, 0), maxShape[1 - side % 2]);
  });
}
