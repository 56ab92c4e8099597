// Distances l, t, r, b from a point ↔ corners of a box.

/**
 * dst (count, 4) = x - l, y - t, x + r, y + b with distances times `scale`, clamped to [0, maxX] × [0, maxY] unless maxX is
 * negative.
 */
export function distance2bbox(
  points: usize,
  distances: usize,
  scale: f32,
  count: i32,
  maxX: f32,
  maxY: f32,
  dst: usize,
): void {
  const signs = f32x4(-scale, -scale, scale, scale);
  const limit = f32x4(maxX, maxY, maxX, maxY);
  const clamps = maxX >= 0;
  for (let i = 0; i < count; i++) {
    const point = v128.load64_splat(points);
    let box = f32x4.add(point, f32x4.mul(v128.load(distances), signs));
    if (clamps) box = f32x4.min(f32x4.max(box, f32x4.splat(0)), limit);
    v128.store(dst, box);
    points += 8;
    distances += 16;
    dst += 16;
  }
}

/** dst (count, 4) = x - x1, y - y1, x2 - x, y2 - y, clamped to [0, limit] unless limit is negative. */
export function bbox2distance(points: usize, boxes: usize, limit: f32, count: i32, dst: usize): void {
  const top = f32x4.splat(limit);
  const clamps = limit >= 0;
  for (let i = 0; i < count; i++) {
    const point = v128.load64_splat(points);
    const box = v128.load(boxes);
    let distance = v128.shuffle<f64>(f32x4.sub(point, box), f32x4.sub(box, point), 0, 3);
    if (clamps) distance = f32x4.min(f32x4.max(distance, f32x4.splat(0)), top);
    v128.store(dst, distance);
    points += 8;
    boxes += 16;
    dst += 16;
  }
}

/** Centre, width, height → corners, in place. */
export function xywh2xyxy(boxes: usize, count: i32): void {
  const half = f32x4(-0.5, -0.5, 0.5, 0.5);
  for (let i = 0; i < count; i++) {
    const box = v128.load(boxes);
    const centre = v128.shuffle<f64>(box, box, 0, 0);
    const size = v128.shuffle<f64>(box, box, 1, 1);
    v128.store(boxes, f32x4.add(centre, f32x4.mul(size, half)));
    boxes += 16;
  }
}

/** Corners clamped to [0, width] × [0, height], in place. */
export function clip_boxes(boxes: usize, count: i32, width: f32, height: f32): void {
  const limit = f32x4(width, height, width, height);
  for (let i = 0; i < count; i++) {
    v128.store(boxes, f32x4.min(f32x4.max(v128.load(boxes), f32x4.splat(0)), limit));
    boxes += 16;
  }
}
