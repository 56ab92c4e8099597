/**
 * The training loss that scores a head's outputs, and how good the boxes of the positives are.
 */
import { type Engine, heads } from "../entry/embedded.ts";
import { anchorPoint, levelsOf } from "../heads/levels.ts";
import type { CriterionResult, GroundTruth, HeadSpec } from "../types.ts";
import { UsageError } from "./errors.ts";
import type { AnchorMap, Maps } from "./maps.ts";
import type { FileOutputs } from "./outputs.ts";
import { presetNames, presetOf } from "./preset_names.ts";

/** A criterion's result, and the mean IoU of the positives' boxes with their objects; NaN without positives. */
export interface Scored extends CriterionResult {
  readonly quality: number;
}

/** Can the head's outputs be scored? */
export function checkCriterion(head: HeadSpec, { initial }: FileOutputs): void {
  const hindrance = hindranceOf(head);
  if (hindrance !== undefined) throw new UsageError(`head ${head.name} has ${hindrance}; ${whatScores()}`);
  if (head.boxes === "distribution" || initial !== undefined) return;
  throw new UsageError(
    `head ${head.name} is scored from initial and refined distances, which must be named so: box_s8 … and box_refined_s8 …`,
  );
}

/** What keeps a head from being scored. */
function hindranceOf({ scores, objectness = "none", boxes }: HeadSpec): string | undefined {
  if (scores === "probabilities") return "probabilities in place of logits";
  if (objectness !== "none") return "an objectness beside its classes";
  return boxes === "distribution" || boxes === "distances" ? undefined : `boxes as ${boxes}`;
}

function whatScores(): string {
  const names = presetNames().filter((name) => hindranceOf(heads[presetOf(name)]()) === undefined);
  return `wanted one with logits and a distribution, or refined distances: ${names.join(", ")}`;
}

/** Scores one image; the assignment of anchors to objects is ATSS with anchors of that many strides. */
export function scoreImage(
  { sync }: Engine,
  head: HeadSpec,
  imageSize: readonly [number, number],
  { classes: cls, boxes, initial }: Maps,
  gt: GroundTruth,
  anchorScale: number,
): Scored {
  const { strides, anchorOffset } = head;
  const { gtIndex } = sync.atssAssign({ imageSize, strides, anchorOffset, anchorScale }, gt);
  const input = { cls, head, imageSize, gt: [gt], gtIndex: [gtIndex] };
  const result = head.boxes === "distribution" || initial === undefined
    ? sync.gflCriterion({ ...input, dist: boxes })
    : sync.vfnetCriterion({ ...input, distances: initial, refined: boxes });
  return { ...result, quality: meanIou(sync, head, imageSize, boxes, gt, gtIndex) };
}

function meanIou(
  sync: Engine["sync"],
  head: HeadSpec,
  imageSize: readonly [number, number],
  boxes: AnchorMap,
  gt: GroundTruth,
  gtIndex: Int32Array,
): number {
  const anchors = [...gtIndex.keys()].filter((anchor) => gtIndex[anchor] >= 0);
  const levels = levelsOf(head, imageSize);
  const points = anchors.map((anchor) => anchorPoint(levels, anchor, head.anchorOffset));
  const rows = gather(boxes.data, boxes.dims[1], anchors);
  const sides = head.boxes === "distribution"
    ? sync.dflDecode(rows, { bins: head.bins }).map((side, i) => side * points[i >> 2].stride)
    : rows;
  const pred = sync.distance2bbox(Float32Array.from(points.flatMap(({ x, y }) => [x, y])), sides);
  const target = gather(gt.boxes, 4, anchors.map((anchor) => gtIndex[anchor]));
  return anchors.length === 0 ? NaN : 1 - sync.iouLoss(pred, target).loss;
}

function gather(values: Float32Array, columns: number, rows: readonly number[]): Float32Array {
  const gathered = new Float32Array(rows.length * columns);
  rows.forEach((row, i) => gathered.set(values.subarray(row * columns, (row + 1) * columns), i * columns));
  return gathered;
}
