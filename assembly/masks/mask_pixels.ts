// Pixels of a mask: where the bilinear interpolation of the logits is over 0.
//
// Pixels between the same four samples are a cell. Between four that are over 0 all pixels are, and between four that are not, none is,
// because weights are not negative. So only cells of both kinds are interpolated.

import { farOffset, firstSpan, nearWeights, spanCount } from "./mask_axis";

/**
 * Writes 1 for each pixel over 0 into rows of zeros, `pitch` bytes apart, and returns how many there are. A pixel's sum is the same, bit
 * for bit, where rows and columns change places.
 */
export function mask_pixels(logits: usize, columns: usize, rows: usize, dst: usize, pitch: usize): i32 {
  const firstColumn = firstSpan(columns);
  const endColumn = firstColumn + (<usize> spanCount(columns) << 4);
  const endRow = firstSpan(rows) + (<usize> spanCount(rows) << 4);
  let count = 0;
  for (let row = firstSpan(rows); row < endRow; row += 16) {
    const above = logits + load<i32>(row);
    const below = logits + load<i32>(row, 4);
    const first = load<i32>(row, 8);
    const end = load<i32>(row, 12);
    // A cell begins where the one before ends, unless pixels are farther apart than samples.
    let before = -1;
    let farOver = 0;
    for (let column = firstColumn; column < endColumn; column += 16) {
      const near = load<i32>(column);
      const nearOver = near == before ? farOver : samplesOver(above, below, near);
      before = load<i32>(column, 4);
      farOver = samplesOver(above, below, before);
      const over = nearOver + farOver;
      if (over == 0) continue;
      const start = load<i32>(column, 8);
      if (over < 4) {
        count += mixedCell(above, below, column, columns, rows, first, end, dst, pitch);
        continue;
      }
      // As long as there are more cells of this kind.
      while (column + 16 < endColumn && load<i32>(column, 16) == before) {
        const next = load<i32>(column, 20);
        const nextOver = samplesOver(above, below, next);
        if (nextOver < 2) break;
        before = next;
        farOver = nextOver;
        column += 16;
      }
      const length = load<i32>(column, 12) - start;
      for (let y = first; y < end; y++) ones(dst + y * pitch + start, length);
      count += length * (end - first);
    }
  }
  return count;
}

/** How many of the two samples of a column are over 0. */
// @ts-ignore: decorator
@inline
function samplesOver(above: usize, below: usize, sample: i32): i32 {
  return i32(load<f32>(above + sample) > 0) + i32(load<f32>(below + sample) > 0);
}

function mixedCell(
  above: usize, below: usize, column: usize, columns: usize, rows: usize, first: i32, end: i32, dst: usize, pitch: usize,
): i32 {
  const near = load<i32>(column);
  const far = load<i32>(column, 4);
  const start = load<i32>(column, 8);
  const stop = load<i32>(column, 12);
  const nearAbove = v128.load32_splat(above + near);
  const farAbove = v128.load32_splat(above + far);
  const nearBelow = v128.load32_splat(below + near);
  const farBelow = v128.load32_splat(below + far);
  const acrossOffset = farOffset(columns);
  const downOffset = farOffset(rows);
  let count = 0;
  for (let y = first; y < end; y++) {
    const down = nearWeights(rows) + (<usize> y << 2);
    const aboveWeight = v128.load32_splat(down);
    const belowWeight = v128.load32_splat(down + downOffset);
    for (let x = start; x < stop; x += 4) {
      const across = nearWeights(columns) + (<usize> x << 2);
      const nearWeight = v128.load(across);
      const farWeight = v128.load(across + acrossOffset);
      // The corners that change places with rows and columns are in one sum.
      const fixed = f32x4.add(
        f32x4.mul(f32x4.mul(nearWeight, aboveWeight), nearAbove),
        f32x4.mul(f32x4.mul(farWeight, belowWeight), farBelow),
      );
      const changing = f32x4.add(
        f32x4.mul(f32x4.mul(farWeight, aboveWeight), farAbove),
        f32x4.mul(f32x4.mul(nearWeight, belowWeight), nearBelow),
      );
      let bits = i32x4.bitmask(f32x4.gt(f32x4.add(fixed, changing), f32x4.splat(0)));
      const rest = stop - x;
      const to = dst + y * pitch + x;
      if (rest < 4) {
        bits &= (1 << rest) - 1;
        for (let i = 0; i < rest; i++) store<u8>(to + i, <u8> (bits >> i & 1));
      } else {
        // Each bit to a byte of its own.
        store<i32>(to, (bits * 0x204081) & 0x01010101);
      }
      count += popcnt(bits);
    }
  }
  return count;
}

function ones(dst: usize, length: i32): void {
  const end = dst + length;
  if (length >= 16) {
    const vector = i8x16.splat(1);
    for (; dst + 16 <= end; dst += 16) v128.store(dst, vector);
    v128.store(end - 16, vector);
  } else if (length >= 4) {
    for (; dst + 4 <= end; dst += 4) store<u32>(dst, 0x01010101);
    store<u32>(end - 4, 0x01010101);
  } else {
    for (; dst < end; dst++) store<u8>(dst, 1);
  }
}
