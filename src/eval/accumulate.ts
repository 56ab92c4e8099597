/**
 * Precision and recall of a class, as COCO samples them.
 */
import type { ClassFound } from "./class_rows.ts";
import { RIGHT, WRONG } from "./match.ts";
import { RECALLS } from "./settings.ts";

/** Of all classes. */
export interface Curves {
  /** [T, R, K, A, M]. */
  readonly counts: readonly [number, number, number, number, number];
  /** (T, R, K, A, M). */
  readonly precision: Float64Array;
  /** (T, K, A, M). */
  readonly recall: Float64Array;
}

export function noCurves(thresholds: number, classes: number, areas: number, maxDets: number): Curves {
  const recalls = RECALLS.length;
  return {
    counts: [thresholds, recalls, classes, areas, maxDets],
    precision: new Float64Array(thresholds * recalls * classes * areas * maxDets).fill(-1),
    recall: new Float64Array(thresholds * classes * areas * maxDets).fill(-1),
  };
}

/** What a precision of nothing is divided by: the spacing of float64 at 1. */
const EPSILON = 2 ** -52;

/** Writes those of class k; they stay −1 where it has no object. */
export function accumulate(
  { counts, precision, recall }: Curves,
  k: number,
  found: ClassFound,
  maxDets: readonly number[],
) {
  const [T, R, K, A, M] = counts;
  const { ranks, states, objects } = found;
  const precisions: number[] = [];
  for (let a = 0; a < A; a++) {
    if (objects[a] === 0) continue;
    for (let m = 0; m < M; m++) {
      for (let t = 0; t < T; t++) {
        // Only where a detection is right do recall and the envelope change.
        precisions.length = 0;
        let wrong = 0;
        const first = (a * T + t) * ranks.length;
        for (let i = 0; i < ranks.length; i++) {
          if (ranks[i] >= maxDets[m]) continue;
          const state = states[first + i];
          if (state === WRONG) wrong++;
          if (state === RIGHT) {
            const right = precisions.length + 1;
            precisions.push(right / (wrong + right + EPSILON));
          }
        }
        for (let i = precisions.length - 1; i > 0; i--) {
          if (precisions[i] > precisions[i - 1]) precisions[i - 1] = precisions[i];
        }
        const place = (k * A + a) * M + m;
        recall[t * K * A * M + place] = precisions.length / objects[a];
        let next = 0;
        RECALLS.forEach((least, r) => {
          while (next < precisions.length && (next + 1) / objects[a] < least) next++;
          precision[(t * R + r) * K * A * M + place] = precisions[next] ?? 0;
        });
      }
    }
  }
}
