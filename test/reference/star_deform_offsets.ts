/** dy, dx from the taps of a 3×3 kernel to the nine points of a box, in cells and float64. */
import { floats, type Random } from "../random.ts";

export function starDeformOffsets(distances: Float32Array, { stride = 1 }): number[] {
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

export function inputs(r: Random, rows: number) {
  return [floats(rows * 4, () => r.uniform(-5, 200))];
}

export const settings = [{ stride: 8 }, { stride: 12.3 }];

/** The quotient is rounded too. */
export const unit = (wanted: number) => Math.abs(wanted) + 1;
