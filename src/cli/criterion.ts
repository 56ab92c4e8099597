/**
 * The training loss that scores a head's outputs, and how good the boxes of the positives are.
 */
import { type Engine, heads } from "../entry/embedded.ts";
import { hasObjectness } from "../heads/channels.ts";
import { anchorPoint, levelsOf } from "../heads/levels.ts";
import type { AnchorMap, CriterionResult, GroundTruth, HeadOptions, HeadSpec } from "../types.ts";
import { UsageError } from "./errors.ts";
import type { Maps } from "./maps.ts";
import type { FileOutputs } from "./outputs.ts";
import { presetNames, presetOf, typedName } from "./preset_names.ts";

/** A criterion's result, and what it takes to sum it up with others. */
export interface Scored extends CriterionResult {
  /** The mean IoU of the positives' boxes with their objects; NaN without positives. */
  readonly quality: number;
  /** What each part is divided by; where it is less than 1, by 1. */
  readonly divisors: Readonly<Partial<Record<keyof CriterionResult["parts"], number>>>;
}

/** Can the head's outputs be scored? */
export function checkCriterion(head: HeadSpec, { initial }: FileOutputs): void {
  const hindrance = hindranceOf(head);
  if (hindrance !== undefined) {
    const mended = MENDS.find(([changes]) => hindranceOf({ ...head, ...changes }) === undefined);
    throw new UsageError(`head ${typedName(head.name)} has ${hindrance}${mended?.[1] ?? ""}; ${whatScores()}`);
  }
  if (head.boxes === "distribution" || initial !== undefined) return;
  throw new UsageError(
    `head ${
      typedName(head.name)
    } is scored from initial and refined distances, which must be named so: box_s8 … and box_refined_s8 …`,
  );
}

/** Changes that may be all that is missing, in flags. */
const MENDS: readonly (readonly [HeadOptions, string])[] = [
  [{ scores: "logits" }, "; say --scores logits where they are"],
  [{ refined: true }, "; say --refined where the file has initial and refined ones"],
];

/** What keeps a head from being scored. */
function hindranceOf(head: HeadSpec): string | undefined {
  const { scores, boxes, refined = false } = head;
  if (scores === "probabilities") return "probabilities in place of logits";
  if (hasObjectness(head)) return "an objectness beside its classes";
  if (boxes === "distances") return refined ? undefined : "distances that it does not refine";
  return boxes === "distribution" ? undefined : `boxes as ${boxes}`;
}

function whatScores(): string {
  const names = presetNames().filter((name) => hindranceOf(heads[presetOf(name)]()) === undefined);
  return `wanted one with logits and a distribution, or refined distances: ${names.join(", ")}`;
}

/** How a head is scored. */
export interface ScoreOptions {
  /** Side of ATSS's anchors, in strides. */
  readonly anchorScale: number;
  readonly normalizer: "paper" | "mmdet";
}

/** Scores one image. */
export function scoreImage(
  { sync }: Engine,
  head: HeadSpec,
  imageSize: readonly [number, number],
  { classes: cls, boxes, initial }: Maps,
  gt: GroundTruth,
  { anchorScale, normalizer }: ScoreOptions,
): Scored {
  const { strides, anchorOffset } = head;
  const { gtIndex } = sync.atssAssign({ imageSize, strides, anchorOffset, anchorScale }, gt);
  const input = { cls, head, imageSize, gt: [gt], gtIndex: [gtIndex] };
  const anchors = [...gtIndex.keys()].filter((anchor) => gtIndex[anchor] >= 0);
  const overlap = (map: AnchorMap) => iousOf(sync, head, imageSize, map, gt, gtIndex, anchors);
  const ious = overlap(boxes);
  const quality = sum(ious) / anchors.length;
  const clsDivisor = normalizer === "paper" ? anchors.length : Math.max(anchors.length, 1);
  if (head.boxes === "distribution" || initial === undefined) {
    const result = sync.gflCriterion({ ...input, dist: boxes }, { normalizer });
    const weight = normalizer === "paper" ? anchors.length : sum(anchors.map((anchor) => confidence(cls, anchor)));
    return { ...result, quality, divisors: { cls: clsDivisor, box: weight, dfl: weight } };
  }
  const result = sync.vfnetCriterion({ ...input, distances: initial, refined: boxes }, { normalizer });
  const [box, boxRefine] = normalizer === "paper"
    ? [anchors.length, anchors.length]
    : [sum(overlap(initial)), sum(ious)];
  return { ...result, quality, divisors: { cls: anchors.length, box, boxRefine } };
}

/** The highest score of any class, by which MMDetection weights an anchor. */
function confidence({ data, dims: [, , numClasses] }: AnchorMap, anchor: number): number {
  const logits = data.subarray(anchor * numClasses, (anchor + 1) * numClasses);
  return 1 / (1 + Math.exp(-logits.reduce((a, b) => Math.max(a, b))));
}

/** Of the anchors' boxes with their objects. */
function iousOf(
  sync: Engine["sync"],
  head: HeadSpec,
  imageSize: readonly [number, number],
  boxes: AnchorMap,
  gt: GroundTruth,
  gtIndex: Int32Array,
  anchors: readonly number[],
): Float32Array {
  const levels = levelsOf(head, imageSize);
  const points = anchors.map((anchor) => anchorPoint(levels, anchor, head.anchorOffset));
  const rows = gather(boxes.data, boxes.dims[2], anchors);
  const sides = head.boxes === "distribution"
    ? sync.dflDecode(rows, { bins: head.bins }).map((side, i) => side * points[i >> 2].stride)
    : rows;
  const pred = sync.distance2bbox(Float32Array.from(points.flatMap(({ x, y }) => [x, y])), sides);
  const target = gather(gt.boxes, 4, anchors.map((anchor) => gtIndex[anchor]));
  return sync.iouLoss(pred, target, { reduction: "none" }).loss.map((loss) => 1 - loss);
}

function sum(values: ArrayLike<number>): number {
  return Array.from(values).reduce((a, b) => a + b, 0);
}

function gather(values: Float32Array, columns: number, rows: readonly number[]): Float32Array {
  const gathered = new Float32Array(rows.length * columns);
  rows.forEach((row, i) => gathered.set(values.subarray(row * columns, (row + 1) * columns), i * columns));
  return gathered;
}
