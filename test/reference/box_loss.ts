/**
 * What the box losses share, in float64. A loss is a function of four quantities on each axis: the prediction's size,
 * the overlap with the target, the cover (enclosing extent) and the offset of the centres. A loss's file gives the
 * partial derivatives to those; here stand their derivatives to the prediction's two edges.
 *
 *                          value                               d/d low             d/d high
 *   size     w      max(high − low, 0)                         −1                  1
 *   overlap  o      max(min(high, high') − max(low, low'), 0)  −above(low, low')   above(high', high)
 *   cover    c      max(max(high, high') − min(low, low'), 0)  −above(low', low)   above(high, high')
 *   offset   d      ((low + high) − (low' + high')) / 2        1/2                 1/2
 *
 * Conventions, the same for all losses:
 *  - above(a, b) is 1 where a > b, 1/2 where a = b, else 0: at equal edges max and min give half to the prediction.
 *  - An extent whose difference is ≤ 0 is 0 and has zero slope: touching, disjoint, empty and inverted boxes have no
 *    gradient through it. An inverted box has size 0; its centre stays the mean of its edges.
 *  - Every denominator but those of angles has eps > 0 added once: union + eps, enclosing area + eps, cw² + ch² + eps,
 *    cw² + eps, max(w, w′) + eps. Numerators have none.
 *  - sign(0) = 0: |d| has slope 0 at d = 0. An angle whose denominator (w² + h² or dx² + dy²) is 0 is 0, with slope 0.
 *  - NaN in any coordinate gives NaN as value and in all four gradients.
 */

export interface BoxLoss {
  value: number;
  /** Derivative with respect to the prediction's x1, y1, x2, y2. */
  grad: number[];
}

type Quantity = "size" | "overlap" | "cover" | "offset";

/** A value with its derivatives to the prediction's two edges. */
interface Measure {
  value: number;
  low: number;
  high: number;
}

export interface Axis extends Record<Quantity, Measure> {
  /** The target's extent. */
  target: number;
}

/** x, y. */
export type Axes = readonly [Axis, Axis];

/** Derivatives to the quantities of one axis; absent ones are 0. */
export type Partials = Partial<Record<Quantity, number>>;

/** A summand of a loss, with its partial derivatives on x and y. */
export interface Term {
  value: number;
  x: Partials;
  y: Partials;
}

export function axes(pred: ArrayLike<number>, target: ArrayLike<number>): Axes {
  return [axis(pred[0], pred[2], target[0], target[2]), axis(pred[1], pred[3], target[1], target[3])];
}

/** The sum of the terms and its gradient. */
export function total([x, y]: Axes, ...terms: Term[]): BoxLoss {
  const sum = (part: (term: Term) => number) => terms.reduce((result, term) => result + part(term), 0);
  return {
    value: sum((term) => term.value),
    grad: [
      sum((term) => slope(x, term.x, "low")),
      sum((term) => slope(y, term.y, "low")),
      sum((term) => slope(x, term.x, "high")),
      sum((term) => slope(y, term.y, "high")),
    ],
  };
}

export function scaleTerm({ value, x, y }: Term, factor: number): Term {
  const scale = (partials: Partials): Partials =>
    Object.fromEntries(Object.entries(partials).map(([name, partial]) => [name, factor * partial]));
  return { value: factor * value, x: scale(x), y: scale(y) };
}

/** Area of the overlap, and of the union. */
export function areas([x, y]: Axes): { overlap: number; union: number } {
  const overlap = x.overlap.value * y.overlap.value;
  return { overlap, union: x.size.value * y.size.value + x.target * y.target - overlap };
}

/** I / (U + eps). */
export function iou(boxes: Axes, eps: number): number {
  const { overlap, union } = areas(boxes);
  return overlap / (union + eps);
}

/** 1 − IoU. ∂IoU/∂o_x = o_y (1 + IoU) / (U + eps); ∂IoU/∂w = −IoU h / (U + eps). */
export function iouTerm(boxes: Axes, eps: number): Term {
  const ratio = iou(boxes, eps);
  const whole = areas(boxes).union + eps;
  const partials = (other: Axis): Partials => ({
    overlap: -other.overlap.value * (1 + ratio) / whole,
    size: ratio * other.size.value / whole,
  });
  return { value: 1 - ratio, x: partials(boxes[1]), y: partials(boxes[0]) };
}

/** Q = (dx² + dy²) / K, K = cw² + ch² + eps. ∂Q/∂dx = 2 dx / K; ∂Q/∂cw = −2 cw Q / K. */
export function distanceTerm([x, y]: Axes, eps: number): Term {
  const diagonal = x.cover.value ** 2 + y.cover.value ** 2 + eps;
  const value = (x.offset.value ** 2 + y.offset.value ** 2) / diagonal;
  const partials = ({ offset, cover }: Axis): Partials => ({
    offset: 2 * offset.value / diagonal,
    cover: -2 * cover.value * value / diagonal,
  });
  return { value, x: partials(x), y: partials(y) };
}

function axis(low: number, high: number, targetLow: number, targetHigh: number): Axis {
  return {
    size: extent(high - low, 1, 1),
    overlap: extent(
      Math.min(high, targetHigh) - Math.max(low, targetLow),
      above(low, targetLow),
      above(targetHigh, high),
    ),
    cover: extent(
      Math.max(high, targetHigh) - Math.min(low, targetLow),
      above(targetLow, low),
      above(high, targetHigh),
    ),
    offset: { value: ((low + high) - (targetLow + targetHigh)) / 2, low: 1 / 2, high: 1 / 2 },
    target: Math.max(targetHigh - targetLow, 0),
  };
}

/** max(difference, 0), where its low edge lies with weight `low` on the prediction's, its high edge with `high`. */
function extent(difference: number, low: number, high: number): Measure {
  return difference <= 0 ? { value: 0, low: 0, high: 0 } : { value: difference, low: -low, high };
}

function above(a: number, b: number): number {
  return a > b ? 1 : a === b ? 1 / 2 : 0;
}

function slope(along: Axis, partials: Partials, edge: "low" | "high"): number {
  const names = Object.keys(partials) as Quantity[];
  return names.reduce((sum, name) => sum + (partials[name] ?? 0) * along[name][edge], 0);
}
