/**
 * SIoU (Gevorgyan 2022) with the paper's sign, in float64: 1 − IoU + (Δ + Ω) / 2. Conventions: box_loss.ts.
 *
 *   angle     Λ = 1 − 2 sin²(arcsin(|dy| / σ) − π/4) = 2 |dx| |dy| / (dx² + dy²), 0 where the centres are equal
 *   distance  Δ = Σ (1 − exp(−γρ)), γ = 2 − Λ, ρ = dx² / (cw² + eps) on x, the same on y: never negative
 *   shape     Ω = Σ (1 − exp(−ω))⁴, ω = |w − w′| / (max(w, w′) + eps) on x, the same on y
 *
 * The gradient goes through everything, the angle too.
 */
import { type Axes, axes, type Axis, type BoxLoss, iouTerm, scaleTerm, type Term, total } from "./box_loss.ts";
import { type InnerOptions, innerTerms, settings, withInner } from "./inner_iou.ts";

export { settings };

export function siouLoss(pred: ArrayLike<number>, target: ArrayLike<number>, options: InnerOptions = {}): BoxLoss {
  const boxes = axes(pred, target);
  return withInner(total(boxes, ...termsOf(boxes, options.eps ?? 1e-7)), pred, target, options);
}

/** Its terms one by one. */
export function terms(pred: ArrayLike<number>, target: ArrayLike<number>, options: InnerOptions = {}): BoxLoss[] {
  const boxes = axes(pred, target);
  const own = termsOf(boxes, options.eps ?? 1e-7).map((term) => total(boxes, term));
  return [...own, ...innerTerms(pred, target, options)];
}

function termsOf(boxes: Axes, eps: number): Term[] {
  return [
    iouTerm(boxes, eps),
    scaleTerm(distanceCost(boxes, eps), 1 / 2),
    scaleTerm(shapeCost(boxes, eps), 1 / 2),
  ];
}

/** Λ with ∂Λ/∂dx = 2 (sign(dx) |dy| − Λ dx) / (dx² + dy²), and the same for dy. */
export function angle(dx: number, dy: number): { value: number; slopes: [number, number] } {
  const square = dx ** 2 + dy ** 2;
  if (square === 0) return { value: 0, slopes: [0, 0] };
  const value = 2 * Math.abs(dx) * Math.abs(dy) / square;
  const slope = (along: number, across: number) => 2 * (Math.sign(along) * Math.abs(across) - value * along) / square;
  return { value, slopes: [slope(dx, dy), slope(dy, dx)] };
}

/** ∂Δ/∂dx = Σ exp(−γρ) (γ ∂ρ/∂dx − ρ ∂Λ/∂dx); ∂ρ/∂dx = 2 dx / K, ∂ρ/∂cw = −2 cw ρ / K, K = cw² + eps. */
function distanceCost([x, y]: Axes, eps: number): Term {
  const { value: lambda, slopes } = angle(x.offset.value, y.offset.value);
  const gamma = 2 - lambda;
  const parts = [x, y].map(({ offset, cover }) => {
    const square = cover.value ** 2 + eps;
    const rho = offset.value ** 2 / square;
    const left = Math.exp(-gamma * rho);
    return {
      cost: -Math.expm1(-gamma * rho),
      turned: left * rho,
      offset: left * gamma * 2 * offset.value / square,
      cover: -left * gamma * 2 * cover.value * rho / square,
    };
  });
  const turned = parts[0].turned + parts[1].turned;
  const partials = (k: number) => ({ offset: parts[k].offset - turned * slopes[k], cover: parts[k].cover });
  return { value: parts[0].cost + parts[1].cost, x: partials(0), y: partials(1) };
}

/** ∂Ω/∂w = 4 (1 − exp(−ω))³ exp(−ω) ∂ω/∂w. */
function shapeCost([x, y]: Axes, eps: number): Term {
  const [onX, onY] = [x, y].map((axis) => {
    const { omega, slope } = sizeChange(axis, eps);
    const change = -Math.expm1(-omega);
    return { cost: change ** 4, partials: { size: 4 * change ** 3 * Math.exp(-omega) * slope } };
  });
  return { value: onX.cost + onY.cost, x: onX.partials, y: onY.partials };
}

/** ω with ∂ω/∂w = (1 − ω) / M where w > w′, −1 / M where w < w′, 0 where they are equal; M = max(w, w′) + eps. */
function sizeChange({ size, target }: Axis, eps: number): { omega: number; slope: number } {
  const larger = Math.max(size.value, target) + eps;
  const omega = Math.abs(size.value - target) / larger;
  const slope = size.value > target ? (1 - omega) / larger : size.value < target ? -1 / larger : 0;
  return { omega, slope };
}
