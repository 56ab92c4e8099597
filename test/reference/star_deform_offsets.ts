/** dy, dx from the taps of a 3×3 kernel to the nine points of a box, in cells and float64. */
export function starDeformOffsets(distances: Float32Array, stride: number): number[] {
  const offsets: number[] = [];
  for (let i = 0; i < distances.length; i += 4) {
    const [l, t, r, b] = distances.subarray(i);
    const rows = [-t, 0, b];
    const columns = [-l, 0, r];
    for (const [ky, y] of rows.entries()) {
      for (const [kx, x] of columns.entries()) offsets.push(y / stride - (ky - 1), x / stride - (kx - 1));
    }
  }
  return offsets;
}
