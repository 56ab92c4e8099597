/**
 * What the criteria take, checked: maps of all anchors, ground truth, and who is assigned to whom.
 */
import { doc } from "../doc.ts";
import { hasObjectness } from "../heads/channels.ts";
import { checkHead } from "../heads/check.ts";
import { anchorsIn, type Level, levelsOf } from "../heads/levels.ts";
import { booleanParam, choiceParam } from "../params.ts";
import type { CriterionInput, GroundTruth, HeadSpec, TensorLike } from "../types.ts";
import {
  type AnySource,
  arrayOf,
  describe,
  describeTensor,
  known,
  listOf,
  namesOf,
  rangeError,
  shapeOf,
  size,
  tensorAnywhere,
  typeError,
} from "../validate.ts";
import { assignAtss, ATSS_DEFAULTS, checkAnchors } from "./atss_assign.ts";
import { type CheckedGroundTruth, checkGroundTruth, IGNORED, NEGATIVE } from "./ground_truth.ts";

/** Anchors and objects. */
export interface Grid {
  readonly head: HeadSpec;
  /** [height, width] of the network's input. */
  readonly imageSize: readonly [number, number];
  readonly levels: readonly Level[];
  /** Anchors of one image, and of all: the rows of a map. */
  readonly anchors: number;
  readonly rows: number;
  /** One for each image. */
  readonly gt: readonly CheckedGroundTruth[];
}

/** And the assignment of the ones to the others. */
export interface Scene extends Grid {
  /** For each image, (anchors): an index of its ground truth, NEGATIVE or IGNORED. */
  readonly assigned: readonly Int32Array[];
}

/** What the parts are divided by. */
export const NORMALIZER = choiceParam(doc`divisors of the parts: as published, or as in mmdet's code`, [
  "paper",
  "mmdet",
], "paper");

/** Parameters of every criterion. */
export const CRITERION_PARAMS = {
  grad: booleanParam(doc`also return gradients`, false),
  placement: choiceParam(doc`"gpu", on WebGPU: gradients stay on the device as \`GpuTensor\``, ["host", "gpu"], "host"),
} as const;

/** What criteria take whose assignment needs only objects. */
export const INPUTS = namesOf<CriterionInput>({ cls: true, head: true, imageSize: true, gt: true, gtIndex: true });

/** What every criterion takes beside its maps. */
type GridInput = Pick<CriterionInput, "head" | "imageSize" | "gt">;

/** An object with no members but these. */
export function checkInput(op: string, input: GridInput, names: readonly string[]): void {
  if (typeof input !== "object" || input === null) {
    throw typeError({ op, argument: "input" }, describe(input), "an object");
  }
  known(op, "input", input, names);
}

/** Checks all but the maps. */
export function readScene(op: string, input: CriterionInput, boxes: HeadSpec["boxes"]): Scene {
  const { gtIndex } = input;
  const grid = readGrid(op, input, [boxes]);
  const { head, levels, anchors, gt } = grid;
  if (head.boxUnit !== undefined && head.boxUnit !== "pixel" && boxes === "distances") {
    const place = { op, argument: "input.head.boxUnit" };
    throw typeError(place, JSON.stringify(head.boxUnit), `"pixel", in which the loss is computed`);
  }
  return { ...grid, assigned: assignment(op, head, gtIndex, levels, anchors, gt) };
}

/** Checks head, size and objects. */
export function readGrid(op: string, input: GridInput, boxes: readonly HeadSpec["boxes"][]): Grid {
  const place = (member: string) => ({ op, argument: `input${member}` });
  const { imageSize, gt: truth } = input;
  const head = checkHead(op, "input.head", input.head);
  if (!boxes.includes(head.boxes)) {
    const wanted = boxes.map((each) => `"${each}"`).join(" or ");
    throw typeError(place(".head"), `${head.name} with boxes "${head.boxes}"`, `a head with boxes ${wanted}`);
  }
  if (head.angle !== undefined && head.angle !== "none") {
    throw typeError(place(".head.angle"), JSON.stringify(head.angle), `"none": the loss is that of upright boxes`);
  }
  if (hasObjectness(head)) {
    const wanted = `"none": the loss is that of classes and boxes alone`;
    throw typeError(place(".head.objectness"), JSON.stringify(head.objectness), wanted);
  }
  if (head.anchorsPerCell !== undefined && head.anchorsPerCell > 1) {
    throw typeError(place(".head.anchorsPerCell"), String(head.anchorsPerCell), "1, for which the loss is computed");
  }
  if (head.binValues !== undefined) {
    throw typeError(place(".head.binValues"), "given", "none: the loss is computed for bins 0, 1, 2 …");
  }
  const extent = size(place(".imageSize"), imageSize);
  const levels = levelsOf(head, extent);
  checkAnchors(place(".imageSize"), extent, levels);
  const anchors = anchorsIn(levels);
  const truths = listOf(truth);
  if (truths === null) throw typeError(place(".gt"), describe(truth), "an array of one for each image");
  const gt = truths.map((each, image) => {
    const argument = `input.gt[${image}]`;
    const found = checkGroundTruth({ op, argument }, each as GroundTruth);
    checkLabels(op, argument, found.labels, head.numClasses);
    return found;
  });
  return { head, imageSize: extent, levels, anchors, rows: gt.length * anchors, gt };
}

function checkLabels(op: string, argument: string, labels: Int32Array, classes: number): void {
  labels.forEach((label, i) => {
    if (label >= 0 && label < classes) return;
    throw rangeError({ op, argument: `${argument}.labels[${i}]` }, label, `a class, 0 to ${classes - 1}`);
  });
}

function assignment(
  op: string,
  head: HeadSpec,
  gtIndex: CriterionInput["gtIndex"],
  levels: readonly Level[],
  anchors: number,
  gt: readonly CheckedGroundTruth[],
): readonly Int32Array[] {
  if (gtIndex === undefined) {
    const settings = { ...ATSS_DEFAULTS, anchorOffset: head.anchorOffset };
    return gt.map((each) => assignAtss(levels, each, settings).gtIndex);
  }
  const place = { op, argument: "input.gtIndex" };
  const lists = listOf(gtIndex);
  if (lists?.length !== gt.length) {
    throw typeError(place, describe(gtIndex), `an array of ${gt.length}, one for each image of gt`);
  }
  return lists.map((indices, image) => checkIndices(op, `input.gtIndex[${image}]`, indices, anchors, gt[image]));
}

/** A copy. */
function checkIndices(
  op: string,
  argument: string,
  list: unknown,
  anchors: number,
  { count }: CheckedGroundTruth,
): Int32Array {
  const indices = arrayOf({ op, argument }, "Int32Array", list, anchors, ", one for each anchor").data.slice();
  for (let anchor = 0; anchor < anchors; anchor++) {
    const index = indices[anchor];
    if (index >= IGNORED && index < count) continue;
    const wanted = `an index below ${count}, ${NEGATIVE} (negative) or ${IGNORED} (ignored)`;
    throw rangeError({ op, argument: `${argument}[${anchor}]` }, index, wanted);
  }
  return indices;
}

/** A map (B, N, columns) of all images; the batch axis may be left out for one. */
export function anchorMap(
  op: string,
  argument: string,
  value: TensorLike,
  { gt, anchors, rows }: Grid,
  columns: number,
): AnySource {
  const place = { op, argument: `input.${argument}` };
  const one = [anchors, columns];
  const wanted = [gt.length, ...one];
  const found = tensorAnywhere(place, value, (length) => length === rows * columns ? wanted : [length]);
  const shape = shapeOf(found.dims);
  if (shape !== shapeOf(wanted) && (gt.length !== 1 || shape !== shapeOf(one))) {
    const images = `${gt.length} image${gt.length === 1 ? "" : "s"}`;
    throw typeError(place, describeTensor(value, found), `shape ${shapeOf(wanted)}: ${images} of gt`);
  }
  return found;
}

/** A checked map as operations take it. */
export function tensorOf(map: AnySource): TensorLike {
  if (map.kind !== "gpu") return map as unknown as TensorLike;
  const { gpuBuffer, dims, half } = map;
  return { gpuBuffer, dims, dataType: half ? "float16" : "float32" };
}
