/**
 * BCE of Σ coefficient · prototype and the mask, summed over the pixels of the box and over the box's area, in float64, with its
 * gradients: over whole maps, by asking each pixel whether it is in the box.
 */
import { floats, random } from "../random.ts";

export interface MaskScene {
  readonly coefficients: { readonly data: Float32Array<ArrayBuffer>; readonly dims: [number, number] };
  readonly prototypes: { readonly data: Float32Array<ArrayBuffer>; readonly dims: [number, number, number] };
  readonly masks: Uint8Array<ArrayBuffer>;
  readonly boxes: Float32Array<ArrayBuffer>;
}

/** Each object's loss, and the gradients of their sum with these factors. */
export function maskLoss({ coefficients, prototypes, masks, boxes }: MaskScene, factors: readonly number[]) {
  const [channels, height, width] = prototypes.dims;
  const plane = height * width;
  const zeros = (length: number) => new Array<number>(length).fill(0);
  const grad = { coefficients: zeros(coefficients.data.length), prototypes: zeros(prototypes.data.length) };
  const loss = factors.map((factor, i) => {
    const [x1, y1, x2, y2] = boxes.subarray(4 * i, 4 * i + 4);
    const area = (x2 - x1) * (y2 - y1);
    let sum = 0;
    for (let at = 0; at < plane; at++) {
      const [x, y] = [at % width, Math.floor(at / width)];
      if (!(x >= x1 && x < x2 && y >= y1 && y < y2)) continue;
      const coefficient = (c: number) => coefficients.data[i * channels + c];
      let logit = 0;
      for (let c = 0; c < channels; c++) logit += coefficient(c) * prototypes.data[c * plane + at];
      const mask = masks[i * plane + at];
      sum += Math.max(logit, 0) - logit * mask + Math.log1p(Math.exp(-Math.abs(logit)));
      const slope = factor * (1 / (1 + Math.exp(-logit)) - mask) / area;
      for (let c = 0; c < channels; c++) {
        grad.coefficients[i * channels + c] += slope * prototypes.data[c * plane + at];
        grad.prototypes[c * plane + at] += slope * coefficient(c);
      }
    }
    return sum / area;
  });
  return { loss, grad };
}

/** Objects with boxes in and beyond the map. */
export function maskScene(seed: number, objects: number, channels: number, height: number, width: number): MaskScene {
  const r = random(seed);
  const boxes = Array.from({ length: objects }, () => {
    const [x, y] = [r.uniform(-2, width - 1), r.uniform(-2, height - 1)];
    return [x, y, x + r.uniform(1, width / 2), y + r.uniform(1, height / 2)];
  });
  return {
    coefficients: { data: floats(objects * channels, () => r.normal()), dims: [objects, channels] },
    prototypes: { data: floats(channels * height * width, () => r.normal()), dims: [channels, height, width] },
    masks: Uint8Array.from({ length: objects * height * width }, () => r.integer(2)),
    boxes: Float32Array.from(boxes.flat()),
  };
}

export const argumentCases = [
  () => {
    const { coefficients, prototypes, masks } = maskScene(1, 5, 6, 12, 21);
    const weight = Float32Array.of(1, 2, 0, 0.5, 1);
    // Numbers that integers of any width and scale have.
    const corners = { data: floats(20, (i) => i % 4 < 2 ? i % 3 / 4 : 1.5 + i % 5 / 4), dims: [5, 4] };
    return [coefficients, prototypes, masks, corners, { reduction: "none", grad: true, lossWeight: 0.5, weight }];
  },
];
