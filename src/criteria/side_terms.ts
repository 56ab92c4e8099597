/**
 * What the criteria say of distributions: their loss, and the way back through the boxes that they make.
 */
import { dflDecodeGradient } from "../ops/dfl_decode_gradient.ts";
import { distributionFocalLoss } from "../ops/distribution_focal_loss.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { type Term, termOf } from "./box_terms.ts";
import type { Positives } from "./positives.ts";

/** (P·4), what the distributions learn: the distances in strides, within the bins, `margin` under the last. */
export function distributionTargets({ sides, strides }: Positives, bins: number, margin: number): Float32Array {
  const last = bins - 1 - margin;
  const targets = new Float32Array(sides.length);
  for (let i = 0; i < sides.length; i++) targets[i] = Math.min(Math.max(sides[i] / strides[i >> 2], 0), last);
  return targets;
}

/** Distribution focal loss of the four sides, each with its positive's weight. */
export function dflTerm(
  backend: WasmBackend,
  logits: Float32Array,
  count: number,
  target: Float32Array,
  weights: Float32Array,
  bins: number,
  grad: boolean,
): Term {
  const weight = new Float32Array(4 * count);
  for (let i = 0; i < weight.length; i++) weight[i] = weights[i >> 2];
  const pred = { data: logits, dims: [4 * count, bins] };
  return termOf(distributionFocalLoss.run(backend, pred, target, { reduction: "sum", weight, grad }));
}

/** (P, 4·bins): through the boxes, which are the stride times the mean of each side's distribution, and of the bins. */
export function distGradient(
  backend: WasmBackend,
  logits: Float32Array,
  { count, strides }: Positives,
  bins: number,
  box: Term,
  dfl: Term,
): Float32Array {
  const slopes = new Float32Array(4 * count);
  for (let i = 0; i < slopes.length; i++) slopes[i] = box.grad[i] * strides[i >> 2];
  const dist = { data: logits, dims: [count, 4 * bins] };
  const grad = dflDecodeGradient.run(backend, dist, { data: slopes, dims: [count, 4] }, { bins });
  for (let i = 0; i < grad.length; i++) grad[i] += dfl.grad[i];
  return grad;
}
