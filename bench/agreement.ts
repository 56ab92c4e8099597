/** How results are compared before a peer's time counts. Each function says what is different, or null. */

import type { LossOutcome } from "./loss_task.ts";

/** Detections of one image; ours are of this shape as they are. */
export interface Found {
  readonly length: number;
  readonly boxes: ArrayLike<number>;
  readonly scores: ArrayLike<number>;
  readonly classes: ArrayLike<number>;
  readonly anchors: ArrayLike<number>;
}

const BOX_TOLERANCE = 0.01;
const SCORE_TOLERANCE = 1e-4;

/** The same detections in whatever order: scores that agree to 1e-4 may change places. */
export function differentDetections(ours: Found, theirs: Found): string | null {
  if (ours.length !== theirs.length) {
    return `${theirs.length} detections instead of ${ours.length}`;
  }
  const places = new Map(
    Array.from(ours.anchors, (anchor, place) => [anchor, place]),
  );
  for (let i = 0; i < theirs.length; i++) {
    const anchor = theirs.anchors[i];
    const place = places.get(anchor);
    if (place === undefined) return `anchor ${anchor} is not among ours`;
    if (theirs.classes[i] !== ours.classes[place]) {
      return `class of anchor ${anchor}`;
    }
    if (!near(theirs.scores[i], ours.scores[place], SCORE_TOLERANCE)) {
      return `score of anchor ${anchor}`;
    }
    for (let side = 0; side < 4; side++) {
      const [their, our] = [
        theirs.boxes[4 * i + side],
        ours.boxes[4 * place + side],
      ];
      if (!near(their, our, BOX_TOLERANCE)) {
        return `box of anchor ${anchor}: ${their} instead of ${our}`;
      }
    }
  }
  return null;
}

/** The same indices in the same order. */
export function differentIndices(
  ours: ArrayLike<number>,
  theirs: ArrayLike<number>,
): string | null {
  if (ours.length !== theirs.length) {
    return `${theirs.length} boxes kept instead of ${ours.length}`;
  }
  for (let i = 0; i < ours.length; i++) {
    if (ours[i] !== theirs[i]) {
      return `box ${theirs[i]} at place ${i} instead of ${ours[i]}`;
    }
  }
  return null;
}

/** The same values to within a tolerance. */
export function differentValues(tolerance: number) {
  return (
    ours: ArrayLike<number>,
    theirs: ArrayLike<number>,
  ): string | null => {
    if (ours.length !== theirs.length) {
      return `${theirs.length} values instead of ${ours.length}`;
    }
    for (let i = 0; i < ours.length; i++) {
      if (!near(ours[i], theirs[i], tolerance)) {
        return `value ${i}: ${theirs[i]} instead of ${ours[i]}`;
      }
    }
    return null;
  };
}

/** A sum to within a share of it, and a gradient to within a share of its largest member. */
export function differentLosses(sum: number, share: number) {
  return (ours: LossOutcome, theirs: LossOutcome): string | null => {
    if (!near(ours.loss, theirs.loss, sum * Math.abs(ours.loss))) {
      return `loss ${theirs.loss} instead of ${ours.loss}`;
    }
    if (ours.grad === undefined || theirs.grad === undefined) return null;
    const largest = ours.grad.reduce(
      (most, value) => Math.max(most, Math.abs(value)),
      0,
    );
    const different = differentValues(share * largest)(ours.grad, theirs.grad);
    return different === null ? null : `gradient, ${different}`;
  };
}

/** False for NaN. */
function near(a: number, b: number, tolerance: number): boolean {
  return Math.abs(a - b) <= tolerance;
}
