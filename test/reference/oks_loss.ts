/**
 * The mean of 1 − exp(−d² / (2 (2σ)² area)) over the visible keypoints of a row, in float64, with its gradient: as written, K / visible
 * times the mean over all. A row without visible keypoints is 0.
 */
import { floats, random } from "../random.ts";

type Numbers = ArrayLike<number>;

export function oksLoss(
  pred: Numbers,
  target: Numbers,
  area: number,
  sigmas: readonly number[],
): { value: number; grad: number[] } {
  const all = sigmas.length;
  const counts = sigmas.map((_, k) => !(target[3 * k + 2] <= 0));
  const factor = all / Math.max(counts.filter(Boolean).length, 1);
  let value = 0;
  const grad: number[] = [];
  sigmas.forEach((sigma, k) => {
    if (!counts[k]) return grad.push(0, 0);
    const nothing = target[3 * k + 2] * 0;
    const [x, y] = [pred[2 * k] - target[3 * k], pred[2 * k + 1] - target[3 * k + 1]];
    const e = (x * x + y * y) / (2 * (2 * sigma) ** 2 * area) + nothing;
    value += factor * -Math.expm1(-e) / all;
    grad.push(...[x, y].map((d) => factor / all * Math.exp(-e) * d / ((2 * sigma) ** 2 * area)));
  });
  return { value, grad };
}

/** Scenes of so many objects: keypoints within their extents, some of them not visible. */
export function keypointScene(seed: number, rows: number, count: number) {
  const r = random(seed);
  const areas = floats(rows, () => 10 ** r.uniform(2, 5));
  const target = floats(rows * count * 3, (i) => {
    if (i % 3 === 2) return r.integer(3);
    return r.uniform(0, 600);
  });
  const pred = floats(rows * count * 2, (i) => {
    const side = Math.sqrt(areas[Math.floor(i / 2 / count)]);
    return target[3 * (i >> 1) + i % 2] + side * r.normal() * [0.02, 0.1, 0.5][r.integer(3)];
  });
  return {
    pred: { data: pred, dims: [rows, count, 2] },
    target: { data: target, dims: [rows, count, 3] },
    areas,
  };
}

/** With COCO's constants, and with others. */
export const argumentCases = [17, 5].map((count) => () => {
  const rows = 40;
  const { pred, target, areas } = keypointScene(count, rows, count);
  const sigmas = Array.from({ length: count }, (_, k) => 0.02 + 0.01 * k);
  const out = { loss: new Float32Array(rows), grad: new Float32Array(rows * count * 2) };
  const weight = floats(rows, (i) => i % 3);
  const own = count === 17 ? {} : { sigmas };
  return [pred, target, { data: areas, dims: [rows] }, { reduction: "none", grad: true, weight, out, ...own }];
});
