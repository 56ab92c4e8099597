// The nine points of a box that VarifocalNet samples, from a point inside it and the distances to the sides.

/**
 * dst (count, 9, 2) = x, y of the point itself, the middles of the left, top, right and bottom side seen from it, and the
 * corners top left, top right, bottom left, bottom right.
 */
export function star_points(points: usize, distances: usize, count: i32, dst: usize): void {
  const signs = f32x4(-1, -1, 1, 1);
  for (let i = 0; i < count; i++) {
    const point = v128.load64_splat(points);
    const box = f32x4.add(point, f32x4.mul(v128.load(distances), signs));
    v128.store(dst, v128.shuffle<f32>(point, box, 0, 1, 4, 1));
    v128.store(dst, v128.shuffle<f32>(point, box, 0, 5, 6, 1), 16);
    v128.store(dst, v128.shuffle<f32>(point, box, 0, 7, 4, 5), 32);
    v128.store(dst, v128.shuffle<f32>(point, box, 6, 5, 4, 7), 48);
    v128.store64_lane(dst, box, 1, 64);
    points += 8;
    distances += 16;
    dst += 72;
  }
}
