/**
 * What the criteria say of boxes: their loss.
 *
 * Boxes are (P, 4) with the anchor's point as their origin, so that a small one far from the image's corner keeps its digits.
 */
import type { ciouLoss } from "../ops/ciou_loss.ts";
import type { giouLoss } from "../ops/giou_loss.ts";
import type { LossResult, Reduction } from "../types.ts";
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
  // A loop: `map` takes six times as long.
  const boxes = new Float32Array(sides);
  for (let i = 0; i < boxes.length; i += 4) {
    boxes[i] = -boxes[i];
    boxes[i + 1] = -boxes[i + 1];
  }
  return boxes;
}

/** A loss of boxes by weights (P); the gradient is that to the distances. */
export function boxTerm(
  backend: WasmBackend,
  loss: typeof ciouLoss | typeof giouLoss,
  pred: Float32Array,
  target: Float32Array,
  weight: Float32Array,
  grad: boolean,
): Term {
  const term = termOf(loss.run(backend, pred, target, { reduction: "sum", weight, grad }));
  return grad ? { loss: term.loss, grad: boxesOf(term.grad) } : term;
}
