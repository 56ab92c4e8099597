// Collects what survives the score filter, and finds where on the image it stands.

/** dst (rows, count) = src[row][anchors[i]], rows `rowStride` bytes apart. */
export function gather_channels(
  src: usize,
  rowStride: usize,
  rows: i32,
  anchors: usize,
  count: i32,
  dst: usize,
): void {
  const bytes = <usize> count << 2;
  let row = 0;
  // Four rows at once: their cache misses overlap.
  for (; row + 4 <= rows; row += 4) {
    for (let i: usize = 0; i < bytes; i += 4) {
      const from = src + (<usize> load<i32>(anchors + i) << 2);
      const to = dst + i;
      store<f32>(to, load<f32>(from));
      store<f32>(to + bytes, load<f32>(from + rowStride));
      store<f32>(to + 2 * bytes, load<f32>(from + 2 * rowStride));
      store<f32>(to + 3 * bytes, load<f32>(from + 3 * rowStride));
    }
    src += 4 * rowStride;
    dst += 4 * bytes;
  }
  for (; row < rows; row++) {
    for (let i: usize = 0; i < bytes; i += 4) {
      store<f32>(dst + i, load<f32>(src + (<usize> load<i32>(anchors + i) << 2)));
    }
    src += rowStride;
    dst += bytes;
  }
}

/** dst (count, columns) = src[anchors[i]][0 … columns), rows `rowStride` bytes apart. */
export function gather_rows(
  src: usize,
  rowStride: usize,
  columns: i32,
  anchors: usize,
  count: i32,
  dst: usize,
): void {
  const bytes = <usize> columns << 2;
  for (let i = 0; i < count; i++) {
    const anchor = <usize> load<i32>(anchors + (<usize> i << 2));
    const row = src + anchor * rowStride;
    for (let at: usize = 0; at < bytes; at += 4) store<f32>(dst + at, load<f32>(row + at));
    dst += bytes;
  }
}

/** dst (count, 2) = x, y of each anchor's point on a level of `width` cells a row: (cell + offset) * stride. */
export function anchor_points(
  anchors: usize,
  count: i32,
  firstAnchor: i32,
  width: i32,
  stride: f32,
  offset: f32,
  dst: usize,
): void {
  for (let i = 0; i < count; i++) {
    const cell = load<i32>(anchors + (<usize> i << 2)) - firstAnchor;
    const y = cell / width;
    store<f32>(dst, (<f32> (cell - y * width) + offset) * stride);
    store<f32>(dst, (<f32> y + offset) * stride, 4);
    dst += 8;
  }
}
