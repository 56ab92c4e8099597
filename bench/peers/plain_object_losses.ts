/**
 * Losses of rotated boxes, keypoints and masks in JavaScript as a careful author writes them: loops over typed arrays in float64,
 * what is shared is computed once, no objects. A gradient is also computed where `grad` has arrays for it, which are made once.
 */

/** Of rows of centre, width, height and angle: √(1 − e^(−Bd)) of the boxes' Gaussians. */
export function plainRotatedLoss(pred: Float32Array, target: Float32Array, grad?: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < pred.length; i += 5) {
    const dx = pred[i] - target[i];
    const dy = pred[i + 1] - target[i + 1];
    const w = pred[i + 2];
    const h = pred[i + 3];
    const a = w * w / 12;
    const b = h * h / 12;
    const c = target[i + 2] * target[i + 2] / 12;
    const d = target[i + 3] * target[i + 3] / 12;
    const cos = Math.cos(pred[i + 4]);
    const sin = Math.sin(pred[i + 4]);
    const cosine = Math.cos(target[i + 4]);
    const sine = Math.sin(target[i + 4]);
    const ownXx = a * cos * cos + b * sin * sin;
    const ownYy = a * sin * sin + b * cos * cos;
    const ownXy = (a - b) * sin * cos;
    const xx = ownXx + c * cosine * cosine + d * sine * sine;
    const yy = ownYy + c * sine * sine + d * cosine * cosine;
    const xy = ownXy + (c - d) * sine * cosine;
    const inverse = 1 / (xx * yy - xy * xy);
    const far = (xx * dy * dy + yy * dx * dx - 2 * xy * dx * dy) * inverse / 4;
    const shape = Math.log(1 / (4 * inverse * Math.sqrt(a * b * c * d))) / 2;
    const distance = far + shape;
    const left = distance > 0 ? Math.exp(-distance) : 1;
    const value = Math.sqrt(1 - left);
    sum += value;
    if (grad === undefined) continue;
    const steep = value > 0 ? left / (2 * value) : 0;
    const byXx = (dy * dy / 4 + (0.5 - far) * yy) * inverse;
    const byYy = (dx * dx / 4 + (0.5 - far) * xx) * inverse;
    const byXy = -(dx * dy / 2 + (1 - 2 * far) * xy) * inverse;
    grad[i] = steep * (yy * dx - xy * dy) * inverse / 2;
    grad[i + 1] = steep * (xx * dy - xy * dx) * inverse / 2;
    const turned = byXy * sin * cos;
    grad[i + 2] = steep * ((byXx * cos * cos + byYy * sin * sin + turned) * w / 6 - 0.5 / w);
    grad[i + 3] = steep * ((byXx * sin * sin + byYy * cos * cos - turned) * h / 6 - 0.5 / h);
    grad[i + 4] = steep * (2 * ownXy * (byYy - byXx) + byXy * (ownXx - ownYy));
  }
  return sum;
}

/** Of (rows, keypoints, 2) and (rows, keypoints, 3): 1 − exp(−d² / (8 σ² area)), averaged over a row's visible keypoints. */
export function plainKeypointLoss(
  pred: Float32Array,
  target: Float32Array,
  areas: Float32Array,
  sigmas: Float32Array,
  grad?: Float32Array,
): number {
  const count = sigmas.length;
  const table = Float64Array.from(sigmas, (sigma) => 1 / (8 * sigma * sigma));
  let sum = 0;
  for (let row = 0; row < areas.length; row++) {
    const own = 2 * count * row;
    const other = 3 * count * row;
    let visible = 0;
    for (let k = 0; k < count; k++) if (target[other + 3 * k + 2] > 0) visible++;
    const share = visible > 0 ? 1 / visible : 0;
    const overArea = 1 / areas[row];
    let similar = 0;
    for (let k = 0; k < count; k++) {
      const p = own + 2 * k;
      const t = other + 3 * k;
      if (target[t + 2] > 0) {
        const dx = pred[p] - target[t];
        const dy = pred[p + 1] - target[t + 1];
        const scale = table[k] * overArea;
        const left = Math.exp(-(dx * dx + dy * dy) * scale);
        similar += left;
        if (grad === undefined) continue;
        grad[p] = 2 * share * scale * left * dx;
        grad[p + 1] = 2 * share * scale * left * dy;
      } else if (grad !== undefined) {
        grad[p] = 0;
        grad[p + 1] = 0;
      }
    }
    sum += (visible - similar) * share;
  }
  return sum;
}

/** Coefficients' and prototypes'. */
export type MaskSlopes = readonly [Float32Array, Float32Array];

/** Of the boxes' windows in maps of so many columns: cross-entropy over the boxes' areas. */
export function plainMaskLoss(
  coefficients: Float32Array,
  prototypes: Float32Array,
  masks: Uint8Array,
  boxes: Float32Array,
  width: number,
  grad?: MaskSlopes,
): number {
  const objects = boxes.length / 4;
  const channels = coefficients.length / objects;
  const plane = prototypes.length / channels;
  const height = plane / width;
  const logits = new Float32Array(plane);
  grad?.[1].fill(0);
  let sum = 0;
  for (let i = 0; i < objects; i++) {
    const [x1, y1, x2, y2] = boxes.subarray(4 * i, 4 * i + 4);
    const [left, right] = [Math.max(Math.ceil(x1), 0), Math.min(Math.ceil(x2), width)];
    const [top, bottom] = [Math.max(Math.ceil(y1), 0), Math.min(Math.ceil(y2), height)];
    const overArea = 1 / ((x2 - x1) * (y2 - y1));
    const w = right - left;
    const count = w * (bottom - top);
    logits.fill(0, 0, count);
    for (let c = 0; c < channels; c++) {
      const coefficient = coefficients[i * channels + c];
      for (let y = top, to = 0; y < bottom; y++) {
        const from = c * plane + y * width + left;
        for (let x = 0; x < w; x++) logits[to++] += coefficient * prototypes[from + x];
      }
    }
    let cost = 0;
    for (let y = top, at = 0; y < bottom; y++) {
      const from = i * plane + y * width + left;
      for (let x = 0; x < w; x++, at++) {
        const logit = logits[at];
        const e = Math.exp(-Math.abs(logit));
        cost += (logit > 0 ? logit : 0) - logit * masks[from + x] + Math.log1p(e);
        if (grad !== undefined) logits[at] = ((logit > 0 ? 1 : e) / (1 + e) - masks[from + x]) * overArea;
      }
    }
    sum += cost * overArea;
    if (grad === undefined) continue;
    const [own, slopes] = grad;
    for (let c = 0; c < channels; c++) {
      const coefficient = coefficients[i * channels + c];
      let total = 0;
      for (let y = top, at = 0; y < bottom; y++) {
        const from = c * plane + y * width + left;
        for (let x = 0; x < w; x++) {
          const slope = logits[at++];
          total += slope * prototypes[from + x];
          slopes[from + x] += slope * coefficient;
        }
      }
      own[i * channels + c] = total;
    }
  }
  return sum;
}
