// Sums of coefficient · prototype over the channels, for a window of the prototypes.

import { madd } from "../lanes";

/**
 * f32 logits of `rows` rows of blocks (see pack_prototypes.ts), from one pixel to the next `pixelBytes`, from row to row `rowBytes`:
 * so that they may stand column by column. Every sum is one of the even and one of the odd channels, each in order.
 */
export function mask_logits(
  src: usize, rows: i32, blocks: i32, channels: i32, coefficients: usize, dst: usize, rowBytes: usize, pixelBytes: usize,
): void {
  const blockBytes = <usize> channels << 4;
  for (let row = 0; row < rows; row++) {
    let to = dst;
    let block = 0;
    for (; block + 4 <= blocks; block += 4) {
      let even0 = f32x4.splat(0), even1 = even0, even2 = even0, even3 = even0;
      let odd0 = even0, odd1 = even0, odd2 = even0, odd3 = even0;
      let coefficient = coefficients;
      let from = src;
      let channel = 0;
      for (; channel + 2 <= channels; channel += 2) {
        const first = v128.load32_splat(coefficient);
        const second = v128.load32_splat(coefficient, 4);
        const from2 = from + 2 * blockBytes;
        even0 = madd(first, v128.load(from), even0);
        odd0 = madd(second, v128.load(from, 16), odd0);
        even1 = madd(first, v128.load(from + blockBytes), even1);
        odd1 = madd(second, v128.load(from + blockBytes, 16), odd1);
        even2 = madd(first, v128.load(from2), even2);
        odd2 = madd(second, v128.load(from2, 16), odd2);
        even3 = madd(first, v128.load(from2 + blockBytes), even3);
        odd3 = madd(second, v128.load(from2 + blockBytes, 16), odd3);
        coefficient += 8;
        from += 32;
      }
      if (channel < channels) {
        const first = v128.load32_splat(coefficient);
        even0 = madd(first, v128.load(from), even0);
        even1 = madd(first, v128.load(from + blockBytes), even1);
        even2 = madd(first, v128.load(from + 2 * blockBytes), even2);
        even3 = madd(first, v128.load(from + 3 * blockBytes), even3);
      }
      storePixels(to, f32x4.add(even0, odd0), pixelBytes);
      storePixels(to + 4 * pixelBytes, f32x4.add(even1, odd1), pixelBytes);
      storePixels(to + 8 * pixelBytes, f32x4.add(even2, odd2), pixelBytes);
      storePixels(to + 12 * pixelBytes, f32x4.add(even3, odd3), pixelBytes);
      src += 4 * blockBytes;
      to += 16 * pixelBytes;
    }
    for (; block < blocks; block++) {
      let even = f32x4.splat(0), odd = even;
      let coefficient = coefficients;
      let channel = 0;
      for (; channel + 2 <= channels; channel += 2) {
        even = madd(v128.load32_splat(coefficient), v128.load(src), even);
        odd = madd(v128.load32_splat(coefficient, 4), v128.load(src, 16), odd);
        coefficient += 8;
        src += 32;
      }
      if (channel < channels) {
        even = madd(v128.load32_splat(coefficient), v128.load(src), even);
        src += 16;
      }
      storePixels(to, f32x4.add(even, odd), pixelBytes);
      to += 4 * pixelBytes;
    }
    dst += rowBytes;
  }
}

// @ts-ignore: decorator
@inline
function storePixels(dst: usize, pixels: v128, pixelBytes: usize): void {
  if (pixelBytes == 4) {
    v128.store(dst, pixels);
    return;
  }
  v128.store32_lane(dst, pixels, 0);
  v128.store32_lane(dst + pixelBytes, pixels, 1);
  v128.store32_lane(dst + 2 * pixelBytes, pixels, 2);
  v128.store32_lane(dst + 3 * pixelBytes, pixels, 3);
}
