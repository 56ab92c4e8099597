/**
 * √(1 − e^(−Bd)) of rotated boxes and its gradient in float64, by forward differentiation of the value: a linear map makes the first
 * Gaussian round, so that only the map of one box onto the other matters and no terms cancel.
 *
 * Equal boxes have 0 and no gradient; boxes without area 1, or 0 where they are equal, and no gradient. An infinite number is the
 * largest one, a negative side 0. NaN and infinite angles give NaN.
 */
import { floats, random } from "../random.ts";
import { rotatedBoxes } from "./rotated_corners.ts";

type Box = ArrayLike<number>;

/** A number and its derivatives by the predicted box's five. */
interface Dual {
  readonly v: number;
  readonly d: readonly number[];
}

const constant = (v: number): Dual => ({ v, d: [0, 0, 0, 0, 0] });
const variable = (v: number, member: number): Dual => ({ v, d: [0, 1, 2, 3, 4].map((i) => i === member ? 1 : 0) });
const chain = (a: Dual, v: number, slope: number): Dual => ({ v, d: a.d.map((x) => x * slope) });
const add = (...terms: readonly Dual[]): Dual => ({
  v: terms.reduce((sum, { v }) => sum + v, 0),
  d: [0, 1, 2, 3, 4].map((i) => terms.reduce((sum, { d }) => sum + d[i], 0)),
});
const times = (a: Dual, b: Dual): Dual => ({ v: a.v * b.v, d: a.d.map((x, i) => x * b.v + a.v * b.d[i]) });
const scale = (a: Dual, factor: number): Dual => chain(a, a.v * factor, factor);
const over = (a: Dual, b: Dual): Dual => ({ v: a.v / b.v, d: a.d.map((x, i) => (x - a.v / b.v * b.d[i]) / b.v) });
const square = (a: Dual): Dual => times(a, a);
const sine = (a: Dual): Dual => chain(a, Math.sin(a.v), Math.cos(a.v));
const cosine = (a: Dual): Dual => chain(a, Math.cos(a.v), -Math.sin(a.v));

const LARGEST = 2 ** 128 - 2 ** 104;

function held(box: Box): number[] {
  const [x, y, w, h] = Array.from(box, (v) => Math.min(Math.max(v, -LARGEST), LARGEST));
  return [x, y, Math.max(w, 0), Math.max(h, 0), Math.abs(box[4]) === Infinity ? NaN : box[4]];
}

export function probIouLoss(pred: Box, target: Box): { value: number; grad: number[] } {
  const [p, t] = [held(pred), held(target)];
  const without = (value: number) => ({ value, grad: p.map(() => Number.isNaN(value) ? NaN : 0) });
  if ([...p, ...t].some(Number.isNaN)) return without(NaN);
  if (p.every((v, i) => v === t[i])) return without(0);
  if (p[2] * p[3] * t[2] * t[3] === 0) return without(1);
  const [x, y, w, h, angle] = p.map(variable);
  const [cos, sin] = [cosine(angle), sine(angle)];
  const turn = add(constant(t[4]), scale(angle, -1));
  // The target as the predicted box sees it, in units of that one's sides.
  const map = [
    over(scale(cosine(turn), t[2]), w),
    over(scale(sine(turn), -t[3]), w),
    over(scale(sine(turn), t[2]), h),
    over(scale(cosine(turn), t[3]), h),
  ];
  const [dx, dy] = [add(constant(t[0]), scale(x, -1)), add(constant(t[1]), scale(y, -1))];
  const apart = [
    over(add(times(dx, cos), times(dy, sin)), w),
    over(add(times(dy, cos), scale(times(dx, sin), -1)), h),
  ];
  const determinant = over(constant(t[2]), w);
  const areas = times(determinant, over(constant(t[3]), h));
  // |I + MMᵀ| − 4 |M|, of singular values s and t: (1 − st)² + (s − t)².
  const unlike = add(
    square(add(constant(1), scale(areas, -1))),
    square(add(map[0], scale(map[3], -1))),
    square(add(map[1], map[2])),
  );
  const joint = add(unlike, scale(areas, 4));
  const far = add(
    square(apart[0]),
    square(apart[1]),
    square(add(times(map[2], apart[0]), scale(times(map[0], apart[1]), -1))),
    square(add(times(map[3], apart[0]), scale(times(map[1], apart[1]), -1))),
  );
  const excess = over(unlike, scale(areas, 4));
  const bd = add(scale(over(far, joint), 3), chain(excess, Math.log1p(excess.v) / 2, 0.5 / (1 + excess.v)));
  const value = Math.sqrt(-Math.expm1(-bd.v));
  return value === 0 ? without(0) : { value, grad: chain(bd, value, Math.exp(-bd.v) / (2 * value)).d as number[] };
}

/** Boxes at random, and others near them. */
export const argumentCases = [
  () => {
    const r = random(31);
    const [rows, dims] = [60, [60, 5]];
    const pred = rotatedBoxes(r, rows);
    const target = pred.map((v) => v * (1 + 0.02 * r.normal()));
    const weight = floats(rows, () => r.uniform(0, 2));
    const out = { loss: new Float32Array(rows), grad: new Float32Array(5 * rows) };
    return [{ data: pred, dims }, { data: target, dims }, { reduction: "none", grad: true, weight, out }];
  },
];
