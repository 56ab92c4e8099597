/**
 * The training loss of raw outputs against the truth.
 */
import { anchorRows, type CriterionResult, type GroundTruth, type HeadSpec } from "densehead";
import { engine } from "./engine.ts";
import { checkBatch, type RawOutputs } from "./outputs.ts";
import type { Network, Scoring } from "./params.ts";
import { badRequest, refusing } from "./problem.ts";

export interface Score extends Pick<CriterionResult, "total" | "parts" | "numPos"> {
  readonly criterion: "gfl" | "vfnet";
}

/** Scores one image; the assignment of anchors to objects is ATSS. */
export function score(raw: RawOutputs, gt: GroundTruth, network: Network, { anchorScale, normalizer }: Scoring): Score {
  checkHead(network);
  checkBatch(raw, network);
  const { head, imageSize } = network;
  const { strides, anchorOffset } = head;
  return refusing(() => {
    const { cls, boxes, initial } = rowsOf(raw, network);
    const { sync } = engine;
    const { gtIndex } = sync.atssAssign({ imageSize, strides, anchorOffset, anchorScale }, gt);
    const input = { cls, head, imageSize, gt: [gt], gtIndex: [gtIndex] };
    const { total, parts, numPos } = initial === undefined
      ? sync.gflCriterion({ ...input, dist: boxes }, { normalizer })
      : sync.vfnetCriterion({ ...input, distances: initial, refined: boxes }, { normalizer });
    return { criterion: initial === undefined ? "gfl" : "vfnet", total, parts, numPos };
  });
}

function checkHead({ head }: Network): void {
  const { name, scores, objectness = "none", boxes } = head;
  if (scores !== "logits" || objectness !== "none" || (boxes !== "distribution" && !isRefining(head))) {
    const wanted = "one with logits, and a distribution or distances that it refines";
    throw badRequest("head", `head ${name} cannot be scored; wanted ${wanted}`);
  }
}

function isRefining({ boxes, refined = false }: HeadSpec): boolean {
  return boxes === "distances" && refined;
}

/** A row for each anchor, of one image. */
function rowsOf({ outputs, initial }: RawOutputs, network: Network) {
  const { classes: cls, boxes } = anchorRows(outputs, network);
  const [images] = cls.dims;
  if (images !== 1) throw badRequest("body", `the body has ${images} images; wanted one`);
  if (!isRefining(network.head)) return { cls, boxes, initial: undefined };
  if (!("classes" in outputs) || initial.length === 0) {
    const wanted = "initial and refined distances, named box_s8 … and box_refined_s8 …";
    throw badRequest("body", `head ${network.head.name} is scored from ${wanted}`);
  }
  return { cls, boxes, initial: anchorRows({ ...outputs, boxes: initial }, network).boxes };
}
