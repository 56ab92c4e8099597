/** The nine points of a box, in float64: centre, left, top, right, bottom, and the corners row by row. */
export function starPoints(points: Float32Array, distances: Float32Array): number[] {
  const stars: number[] = [];
  for (let i = 0; i < points.length / 2; i++) {
    const [x, y] = points.subarray(2 * i);
    const [l, t, r, b] = distances.subarray(4 * i);
    stars.push(x, y);
    stars.push(x - l, y, x, y - t, x + r, y, x, y + b);
    stars.push(x - l, y - t, x + r, y - t, x - l, y + b, x + r, y + b);
  }
  return stars;
}

export { inputs } from "./distance2bbox.ts";
