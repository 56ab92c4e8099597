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
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < count; i++) {
      const anchor = <usize> load<i32>(anchors + (<usize> i << 2));
      store<f32>(dst + (<usize> i << 2), load<f32>(src + (anchor << 2)));
    }
    src += rowStride;
    dst += <usize> count << 2;
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
