// Prototypes as the kernel of logits reads them: rows of blocks, each of four pixels; a block has a vector for each channel.

/**
 * One row of blocks of pixels that stand `pixelBytes` apart, and their channels `channelBytes`. Lanes beyond the last pixel mean
 * nothing.
 */
export function pack_prototypes(
  src: usize, pixelBytes: usize, channelBytes: usize, pixels: i32, channels: i32, dst: usize,
): void {
  const last = <usize> (pixels - 1) * pixelBytes;
  for (let at: usize = 0; at <= last; at += 4 * pixelBytes) {
    let from = src + at;
    // Where channels stand side by side, three pixels more may be far outside.
    const second = min(at + pixelBytes, last) - at;
    const third = min(at + 2 * pixelBytes, last) - at;
    const fourth = min(at + 3 * pixelBytes, last) - at;
    for (let channel = 0; channel < channels; channel++) {
      if (pixelBytes == 4) {
        v128.store(dst, v128.load(from));
      } else {
        let pixel = v128.load32_zero(from);
        pixel = v128.load32_lane(from + second, pixel, 1);
        pixel = v128.load32_lane(from + third, pixel, 2);
        v128.store(dst, v128.load32_lane(from + fourth, pixel, 3));
      }
      from += channelBytes;
      dst += 16;
    }
  }
}
