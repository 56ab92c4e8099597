/**
 * Masks in float64, pixel by pixel, straight from the definition.
 */

export interface MaskScene {
  /** Prototypes (channels, height, width) of one image. */
  readonly prototypes: ArrayLike<number>;
  readonly channels: number;
  readonly samples: readonly [height: number, width: number];
  readonly imageSize: readonly number[];
  /** [height, width] of the frame, and the way from its pixels to the network's input. */
  readonly frame: readonly number[];
  readonly scale: readonly [x: number, y: number];
  readonly pad: readonly [x: number, y: number];
}

/** (height · width) each: whether a pixel belongs, and whether float32 must see it so. */
export interface MaskPixels {
  readonly bitmap: Uint8Array;
  readonly sure: Uint8Array;
}

export function mask(scene: MaskScene, coefficients: ArrayLike<number>, box: ArrayLike<number>): MaskPixels {
  const { channels, samples: [rows, columns], imageSize, frame: [height, width], scale, pad } = scene;
  const logits = new Float64Array(rows * columns);
  const sizes = new Float64Array(rows * columns);
  for (let i = 0; i < logits.length; i++) {
    for (let c = 0; c < channels; c++) {
      const product = coefficients[c] * scene.prototypes[c * rows * columns + i];
      logits[i] += product;
      sizes[i] += Math.abs(product);
    }
  }
  const bitmap = new Uint8Array(height * width);
  const sure = new Uint8Array(height * width).fill(1);
  const bound = (channels + 6) * 2 ** -24;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!(x >= box[0] && x < box[2] && y >= box[1] && y < box[3])) continue;
      const u = ((x + 0.5) * scale[0] + pad[0]) * (columns / imageSize[1]) - 0.5;
      const v = ((y + 0.5) * scale[1] + pad[1]) * (rows / imageSize[0]) - 0.5;
      const at = (values: Float64Array) => interpolated(values, rows, columns, v, u);
      bitmap[y * width + x] = at(logits) > 0 ? 1 : 0;
      sure[y * width + x] = Math.abs(at(logits)) <= bound * at(sizes) ? 0 : 1;
    }
  }
  return { bitmap, sure };
}

function interpolated(values: Float64Array, rows: number, columns: number, v: number, u: number): number {
  const [y, x] = [v, u].map(Math.floor);
  const [down, across] = [v - y, u - x];
  const sample = (row: number, column: number) => {
    const [r, c] = [Math.min(Math.max(row, 0), rows - 1), Math.min(Math.max(column, 0), columns - 1)];
    return values[r * columns + c];
  };
  const line = (row: number) => sample(row, x) * (1 - across) + sample(row, x + 1) * across;
  return line(y) * (1 - down) + line(y + 1) * down;
}

/** COCO's counts of a bitmap, column by column. */
export function counts(bitmap: ArrayLike<number>, height: number, width: number): number[] {
  const found = [0];
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if (bitmap[y * width + x] !== (found.length + 1) % 2) found.push(0);
      found[found.length - 1]++;
    }
  }
  return found;
}
