/** x − x1, y − y1, x2 − x, y2 − y, in float64. */
export function bbox2distance(points: Float32Array, boxes: Float32Array, limit = Infinity): number[] {
  return Array.from(boxes, (edge, i) => {
    const side = i % 4;
    const point = points[2 * Math.floor(i / 4) + side % 2];
    const value = side < 2 ? point - edge : edge - point;
    return limit === Infinity ? value : Math.min(Math.max(value, 0), limit);
  });
}
