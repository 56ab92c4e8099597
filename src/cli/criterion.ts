/**
 * The training loss that scores a head's outputs, and how good the boxes of the positives are.
 */
import { assignPlainYolo } from "../criteria/yolo_plain.ts";
import { type Engine, heads } from "../entry/embedded.ts";
import { hasObjectness } from "../heads/channels.ts";
import { anchorPoint, levelsOf } from "../heads/levels.ts";
import type { AnchorMap, CriterionResult, GroundTruth, HeadOptions, HeadSpec, YoloCriterionOptions } from "../types.ts";
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

/** The training losses by which heads are scored. */
export const CRITERIA = ["gfl", "vfnet", "yolo"] as const;
export type Criterion = typeof CRITERIA[number];

/** Can the head's outputs be scored, by that criterion or by any that it has by itself? */
export function checkCriterion(head: HeadSpec, { initial }: FileOutputs, criterion: Criterion | undefined): void {
  const hindrance = hindranceOf(head, criterion);
  if (hindrance !== undefined) {
    const ways = MENDS.filter(([changes]) => hindranceOf({ ...head, ...changes }, criterion) === undefined)
      .map(([, way]) => way);
    if (criterion === undefined && hindranceOf(head, "yolo") === undefined) ways.push("--criterion yolo");
    const mended = ways.length === 0 ? "" : `; say ${ways.join(", or ")}`;
    throw new UsageError(`head ${typedName(head.name)} has ${hindrance}${mended}; ${whatScores(criterion)}`);
  }
  if (criterionOf(head, criterion) !== "vfnet" || initial !== undefined) return;
  throw new UsageError(
    `head ${
      typedName(head.name)
    } is scored from initial and refined distances, which must be named so: box_s8 … and box_refined_s8 …`,
  );
}

function criterionOf({ boxes }: HeadSpec, asked: Criterion | undefined): Criterion {
  return asked ?? (boxes === "distribution" ? "gfl" : "vfnet");
}

/** Changes that may be all that is missing, in flags. */
const MENDS: readonly (readonly [HeadOptions, string])[] = [
  [{ scores: "logits" }, "--scores logits where they are"],
  [{ refined: true }, "--refined where the file has initial and refined ones"],
];

/** What keeps a head from being scored. */
function hindranceOf(head: HeadSpec, criterion: Criterion | undefined): string | undefined {
  const { scores, boxes, refined = false } = head;
  if (scores === "probabilities") return "probabilities in place of logits";
  if (hasObjectness(head)) return "an objectness beside its classes";
  if (boxes === "distribution" && criterion !== "vfnet") return undefined;
  if (boxes !== "distances" || criterion === "gfl") return `boxes as ${boxes}`;
  return refined || criterion === "yolo" ? undefined : "distances that it does not refine";
}

function whatScores(criterion: Criterion | undefined): string {
  const names = presetNames().filter((name) => hindranceOf(heads[presetOf(name)](), criterion) === undefined);
  const boxes = {
    gfl: "a distribution",
    vfnet: "refined distances",
    yolo: "a distribution or distances",
    any: "a distribution, or refined distances",
  };
  return `wanted one with logits and ${boxes[criterion ?? "any"]}: ${names.join(", ")}`;
}

/** How a head is scored. */
export interface ScoreOptions {
  /** By which; what fits the head where it is not said. */
  readonly criterion: Criterion | undefined;
  /** Side of ATSS's anchors, in strides. */
  readonly anchorScale: number;
  readonly normalizer: "paper" | "mmdet";
  /** Options of `yoloCriterion`. */
  readonly yolo: YoloCriterionOptions;
}

/** Scores one image. */
export function scoreImage(
  engine: Engine,
  head: HeadSpec,
  imageSize: readonly [number, number],
  maps: Maps,
  gt: GroundTruth,
  options: ScoreOptions,
): Scored {
  const score = criterionOf(head, options.criterion) === "yolo" ? scoreByYolo : scoreByAtss;
  return score(engine.sync, head, imageSize, maps, gt, options);
}

/** By the criterion of YOLO, in which the predictions assign the objects. */
function scoreByYolo(
  sync: Engine["sync"],
  head: HeadSpec,
  imageSize: readonly [number, number],
  { classes: cls, boxes: dist }: Maps,
  gt: GroundTruth,
  { yolo }: ScoreOptions,
): Scored {
  const scene = { head, imageSize, gt: [gt] };
  const result = sync.yoloCriterion({ ...scene, cls, dist }, yolo);
  const { gtIndex, sides, scores } = assignPlainYolo({ ...scene, cls: cls.data, dist: dist.data }, yolo);
  const anchors = [...gtIndex.keys()].filter((anchor) => gtIndex[anchor] >= 0);
  const ious = iousOf(sync, head, imageSize, new Float32Array(sides), gt, gtIndex, anchors);
  const divisor = sum(scores);
  return { ...result, quality: sum(ious) / anchors.length, divisors: { cls: divisor, box: divisor, dfl: divisor } };
}

/** By the criterion of GFL or VarifocalNet, over anchors that ATSS assigns. */
function scoreByAtss(
  sync: Engine["sync"],
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
  const overlap = (map: AnchorMap) => {
    return iousOf(sync, head, imageSize, sidesOf(sync, head, imageSize, map, anchors), gt, gtIndex, anchors);
  };
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

/** The anchors' distances to the sides of their boxes, in pixels. */
function sidesOf(
  sync: Engine["sync"],
  head: HeadSpec,
  imageSize: readonly [number, number],
  boxes: AnchorMap,
  anchors: readonly number[],
): Float32Array {
  const rows = gather(boxes.data, boxes.dims[2], anchors);
  if (head.boxes !== "distribution") return rows;
  const levels = levelsOf(head, imageSize);
  const strides = anchors.map((anchor) => anchorPoint(levels, anchor, head.anchorOffset).stride);
  return sync.dflDecode(rows, { bins: head.bins }).map((side, i) => side * strides[i >> 2]);
}

/** Of the anchors' boxes with their objects. */
function iousOf(
  sync: Engine["sync"],
  head: HeadSpec,
  imageSize: readonly [number, number],
  sides: Float32Array,
  gt: GroundTruth,
  gtIndex: Int32Array,
  anchors: readonly number[],
): Float32Array {
  const levels = levelsOf(head, imageSize);
  const points = anchors.flatMap((anchor) => {
    const { x, y } = anchorPoint(levels, anchor, head.anchorOffset);
    return [x, y];
  });
  const pred = sync.distance2bbox(Float32Array.from(points), sides);
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
