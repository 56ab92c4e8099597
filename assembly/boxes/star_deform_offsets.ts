// The same nine points as offsets of a 3×3 deformable convolution.

/**
 * dst (count, 18) = dy, dx of each tap of the kernel, row by row: from the tap's place in the grid of cells to the corner,
 * side or centre of the box that it is to sample. Distances are in the unit of `stride`.
 */
export function star_deform_offsets(distances: usize, stride: f32, count: i32, dst: usize): void {
  const grid = f32x4(-1, -1, 1, 1);
  const cells = f32x4.mul(grid, f32x4.splat(stride));
  const zero = f32x4.splat(0);
  for (let i = 0; i < count; i++) {
    const side = f32x4.sub(f32x4.div(v128.load(distances), cells), grid);
    v128.store(dst, v128.shuffle<f32>(side, zero, 1, 0, 1, 4));
    v128.store(dst, v128.shuffle<f32>(side, zero, 1, 2, 4, 0), 16);
    v128.store(dst, v128.shuffle<f32>(side, zero, 4, 4, 4, 2), 32);
    v128.store(dst, v128.shuffle<f32>(side, zero, 3, 0, 3, 4), 48);
    v128.store64_lane(dst, v128.shuffle<f32>(side, zero, 3, 2, 4, 4), 0, 64);
    distances += 16;
    dst += 72;
  }
}
