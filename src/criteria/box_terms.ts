/**
 * What the criteria say of boxes: their IoU and loss.
 *
 * Boxes are (P, 4) with the anchor's point as their origin, so that a small one far from the image's corner keeps its digits.
 */
import { giouLoss } from "../ops/giou_loss.ts";
import { mapRows } from "../ops/rows.ts";
import type { LossResult, Reduction } from "../types.ts";
import { matrix } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";

/** A sum of weighted losses, and its gradient where it was asked for. */
export interface Term {
  readonly loss: number;
  readonly grad: Float32Array;
}

/** What a loss with reduction "sum" or "mean" gives. */
export function termOf(result: LossResult<Reduction, boolean>): Term {
  return result as LossResult<"sum", true>;
}

export function scaled(values: Float32Array, factor: number): Float32Array {
  return values.map((value) => value * factor);
}

/** Boxes from distances l, t, r, b. The same turns gradients from boxes to distances. */
export function boxesOf(sides: Float32Array): Float32Array {
  return sides.map((side, i) => i % 4 < 2 ? -side : side);
}

/** (P), the IoU of each box with its target. */
export function alignedIou(backend: WasmBackend, op: string, pred: Float32Array, target: Float32Array): Float32Array {
  const inputs = [pred, target].map((boxes) => ({
    source: matrix({ op, argument: "boxes" }, boxes, 4),
    columns: 4,
  }));
  const [iou] = mapRows(op, backend, pred.length / 4, inputs, [1], ([a, b], [out], rows) => {
    backend.kernels.aligned_iou(a, b, rows, out);
  });
  return iou;
}

/** Generalized IoU loss by weights (P); the gradient is that to the distances. */
export function boxTerm(
  backend: WasmBackend,
  pred: Float32Array,
  target: Float32Array,
  weight: Float32Array,
  grad: boolean,
): Term {
  const term = termOf(giouLoss.run(backend, pred, target, { reduction: "sum", weight, grad }));
  return grad ? { loss: term.loss, grad: boxesOf(term.grad) } : term;
}
