/** A letterbox in plain JavaScript: OpenCV's bilinear bytes, tables for the columns, one pass over the pixels. */

/** RGBA to planes of RGB from 0 to 1, in the middle of a square of grey; into `out` where there is one. */
export function plainLetterbox(
  rgba: Uint8Array,
  width: number,
  height: number,
  size: number,
  out: Float32Array = new Float32Array(3 * size * size),
): Float32Array {
  const ratio = Math.min(size / height, size / width);
  const [newWidth, newHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
  const [left, top] = [(size - newWidth) >> 1, (size - newHeight) >> 1];
  out.fill(114 / 255);
  const columns = neighbours(width, newWidth);
  const rows = neighbours(height, newHeight);
  const plane = size * size;
  for (let y = 0; y < newHeight; y++) {
    const upper = rows.first[y] * width;
    const lower = rows.second[y] * width;
    const [upperWeight, lowerWeight] = [rows.firstWeight[y], rows.secondWeight[y]];
    for (let x = 0; x < newWidth; x++) {
      const [a, b] = [4 * columns.first[x], 4 * columns.second[x]];
      const [aWeight, bWeight] = [columns.firstWeight[x], columns.secondWeight[x]];
      const at = (top + y) * size + left + x;
      for (let c = 0; c < 3; c++) {
        const above = (rgba[4 * upper + a + c] * aWeight + rgba[4 * upper + b + c] * bWeight) >> 4;
        const below = (rgba[4 * lower + a + c] * aWeight + rgba[4 * lower + b + c] * bWeight) >> 4;
        const byte = (((above * upperWeight) >> 16) + ((below * lowerWeight) >> 16) + 2) >> 2;
        out[c * plane + at] = byte / 255;
      }
    }
  }
  return out;
}

/** Two pixels and their weights in 11 bits, for each pixel of an axis. */
function neighbours(from: number, to: number) {
  const [first, second, firstWeight, secondWeight] = [0, 1, 2, 3].map(() => new Int32Array(to));
  for (let i = 0; i < to; i++) {
    const centre = Math.fround((i + 0.5) * (1 / (to / from)) - 0.5);
    const pixel = Math.floor(centre);
    first[i] = Math.max(0, pixel);
    second[i] = Math.min(from - 1, pixel + 1);
    firstWeight[i] = Math.round((1 - (centre - pixel)) * 2048);
    secondWeight[i] = Math.round((centre - pixel) * 2048);
  }
  return { first, second, firstWeight, secondWeight };
}
