/** Masks in plain JavaScript: of a detection's window only, and as programs have them that go over the whole map. */

/** A picture that was stretched to the network's input. */
export interface MaskScene {
  readonly channels: number;
  /** Rows and columns of the prototypes. */
  readonly samples: number;
  readonly width: number;
  readonly height: number;
  readonly prototypes: Float32Array;
  /** (N, channels). */
  readonly coefficients: Float32Array;
  /** (N, 4) in the picture. */
  readonly boxes: Float32Array;
}

/** The bitmap (height · width) of one detection. */
export function byWindow(scene: MaskScene, i: number, out: Uint8Array): Uint8Array {
  const { channels, samples, width, height, prototypes, coefficients, boxes } = scene;
  out.fill(0);
  const [x1, y1, x2, y2] = boxes.subarray(4 * i, 4 * i + 4);
  const [left, right] = [Math.max(0, Math.ceil(x1)), Math.min(width, Math.ceil(x2))];
  const [top, bottom] = [Math.max(0, Math.ceil(y1)), Math.min(height, Math.ceil(y2))];
  const columns = neighbours(scene, left, right, width);
  const rows = neighbours(scene, top, bottom, height);
  const [firstColumn, firstRow] = [columns.first[0], rows.first[0]];
  const w = columns.second[right - left - 1] - firstColumn + 1;
  const h = rows.second[bottom - top - 1] - firstRow + 1;
  const logits = new Float32Array(w * h);
  for (let c = 0; c < channels; c++) {
    const coefficient = coefficients[i * channels + c];
    for (let y = 0; y < h; y++) {
      let from = (c * samples + firstRow + y) * samples + firstColumn;
      for (let x = 0; x < w; x++) logits[y * w + x] += coefficient * prototypes[from++];
    }
  }
  for (let y = top; y < bottom; y++) {
    const above = (rows.first[y - top] - firstRow) * w - firstColumn;
    const below = (rows.second[y - top] - firstRow) * w - firstColumn;
    const down = rows.share[y - top];
    for (let x = left; x < right; x++) {
      const [a, b, across] = [columns.first[x - left], columns.second[x - left], columns.share[x - left]];
      const upper = logits[above + a] + (logits[above + b] - logits[above + a]) * across;
      const lower = logits[below + a] + (logits[below + b] - logits[below + a]) * across;
      if (upper + (lower - upper) * down > 0) out[y * width + x] = 1;
    }
  }
  return out;
}

/** Two samples and the share of the second, for pixels of an axis. */
function neighbours({ samples }: MaskScene, from: number, to: number, pixels: number) {
  const [first, second] = [new Int32Array(to - from), new Int32Array(to - from)];
  const share = new Float32Array(to - from);
  for (let p = from; p < to; p++) {
    const at = Math.min(Math.max((p + 0.5) * (samples / pixels) - 0.5, 0), samples - 1);
    first[p - from] = Math.floor(at);
    second[p - from] = Math.min(first[p - from] + 1, samples - 1);
    share[p - from] = at - first[p - from];
  }
  return { first, second, share };
}

/** Likewise by logits of all samples and all pixels of the picture, cut to the box at the end. */
export function byWholeMap(scene: MaskScene, i: number, out: Uint8Array): Uint8Array {
  const { channels, samples, width, height, prototypes, coefficients, boxes } = scene;
  const logits = new Float32Array(samples * samples);
  for (let p = 0; p < logits.length; p++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += coefficients[i * channels + c] * prototypes[c * logits.length + p];
    logits[p] = sum;
  }
  const resized = resize(scene, logits);
  const [x1, y1, x2, y2] = boxes.subarray(4 * i, 4 * i + 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const isInside = x >= x1 && x < x2 && y >= y1 && y < y2;
      out[y * width + x] = isInside && resized[y * width + x] > 0 ? 1 : 0;
    }
  }
  return out;
}

function resize(scene: MaskScene, logits: Float32Array): Float32Array {
  const { samples, width, height } = scene;
  const resized = new Float32Array(width * height);
  const clamp = (at: number) => Math.min(Math.max(at, 0), samples - 1);
  for (let y = 0; y < height; y++) {
    const v = clamp((y + 0.5) * (samples / height) - 0.5);
    const y0 = Math.floor(v);
    const y1 = Math.min(y0 + 1, samples - 1);
    for (let x = 0; x < width; x++) {
      const u = clamp((x + 0.5) * (samples / width) - 0.5);
      const x0 = Math.floor(u);
      const x1 = Math.min(x0 + 1, samples - 1);
      const upper = logits[y0 * samples + x0] * (1 - (u - x0)) + logits[y0 * samples + x1] * (u - x0);
      const lower = logits[y1 * samples + x0] * (1 - (u - x0)) + logits[y1 * samples + x1] * (u - x0);
      resized[y * width + x] = upper * (1 - (v - y0)) + lower * (v - y0);
    }
  }
  return resized;
}

/** COCO's text of a bitmap. */
export function runLengths(bitmap: Uint8Array, width: number, height: number): string {
  const counts: number[] = [];
  let [run, value] = [0, 0];
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if (bitmap[y * width + x] !== value) {
        counts.push(run);
        run = 0;
        value = 1 - value;
      }
      run++;
    }
  }
  counts.push(run);
  let text = "";
  counts.forEach((count, k) => {
    let rest = k > 2 ? count - counts[k - 2] : count;
    let more = true;
    while (more) {
      let bits = rest & 31;
      rest >>= 5;
      more = (bits & 16) === 0 ? rest !== 0 : rest !== -1;
      if (more) bits |= 32;
      text += String.fromCharCode(bits + 48);
    }
  });
  return text;
}
