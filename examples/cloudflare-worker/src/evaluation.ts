/**
 * How good the detections are, by COCO's protocol, of heads with ground truth beside them: a state of each head, which merge in
 * any order.
 */
import type { Detections, GroundTruth, ImageTransform } from "densehead";
import { type CocoEvaluation, CocoEvaluator } from "densehead/eval";
import { refusing } from "./problem.ts";

/** Of all heads; AP and its kin are −1 where there is nothing to take a mean of. */
export type Evaluation = Pick<CocoEvaluation, "stats" | "lrp" | "calibration">;

/** The state of one head: its key is the image, and the classes are their places. */
export function stateOf(
  key: string,
  found: Detections,
  { boxes, labels }: GroundTruth,
  numClasses: number,
  transform: ImageTransform | undefined,
): object {
  const evaluator = new CocoEvaluator(Array.from({ length: numClasses }, (_, id) => ({ id })));
  const annotations = Array.from(labels, (category_id, i) => {
    return { image_id: key, category_id, bbox: inImage(boxes.subarray(4 * i, 4 * i + 4), transform) };
  });
  // Clipping may have left nothing of a box.
  const results = found.toCoco(key).filter(({ bbox: [, , width, height] }) => width > 0 && height > 0);
  refusing(() => evaluator.add(key, annotations, results));
  return evaluator.toJSON();
}

/** Ground truth is in pixels of the network's input, detections are in those of the image. */
function inImage([x1, y1, x2, y2]: Float32Array, transform: ImageTransform | undefined): number[] {
  const { scaleX, scaleY, padX, padY } = transform ?? { scaleX: 1, scaleY: 1, padX: 0, padY: 0 };
  const [a, b, c, d] = [(x1 - padX) / scaleX, (y1 - padY) / scaleY, (x2 - padX) / scaleX, (y2 - padY) / scaleY];
  return [Math.min(a, c), Math.min(b, d), Math.abs(c - a), Math.abs(d - b)];
}

/** Gathers states of different heads. */
export class Evaluations {
  #all: CocoEvaluator | undefined;
  #error: string | undefined;

  add(state: object): void {
    try {
      if (this.#all === undefined) this.#all = CocoEvaluator.fromJSON(state);
      else this.#all.merge(state);
    } catch (error) {
      // Of another network, say: its numbers and those of the others have no common meaning.
      this.#error ??= `${error}`;
    }
  }

  result(): Evaluation | { readonly error: string } | undefined {
    if (this.#error !== undefined) return { error: this.#error };
    if (this.#all === undefined) return undefined;
    const { stats, lrp, calibration } = this.#all.evaluate();
    return { stats, lrp, calibration };
  }
}
