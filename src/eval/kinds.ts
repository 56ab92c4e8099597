/**
 * The kinds of evaluation, by name.
 */
import { boxes } from "./boxes.ts";
import { keypoints } from "./keypoints.ts";
import type { Kind } from "./kind.ts";
import { masks } from "./masks.ts";
import { rotatedBoxes } from "./rotated_boxes.ts";
import type { EvalKind } from "./types.ts";

export const KINDS: readonly EvalKind[] = ["bbox", "segm", "keypoints", "rotated"];

/** The kind of that name; `sigmas` are the constants of keypoints. */
export function kindOf(name: EvalKind, sigmas: readonly number[]): Kind<unknown> {
  const kinds: { readonly [Name in EvalKind]: unknown } = {
    bbox: boxes,
    segm: masks,
    keypoints: keypoints(sigmas),
    rotated: rotatedBoxes,
  };
  // Shapes go only from what a kind reads to its own overlaps.
  return kinds[name] as Kind<unknown>;
}
