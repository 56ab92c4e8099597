/**
 * The training loss of raw outputs against the truth.
 */
import type { CriterionResult, Detections, GroundTruth } from "densehead";
import { detect } from "./detect.ts";
import { engine } from "./engine.ts";
import { mapsOf } from "./maps.ts";
import type { RawOutputs } from "./outputs.ts";
import type { Network, Scoring } from "./params.ts";
import { badRequest, refusing } from "./problem.ts";

export interface Score extends Pick<CriterionResult, "total" | "parts" | "numPos"> {
  readonly criterion: "gfl" | "vfnet";
}

/** Scores one image; the assignment of anchors to objects is ATSS. */
export function score(raw: RawOutputs, gt: GroundTruth, network: Network, { anchorScale, normalizer }: Scoring): Score {
  checkScorable(raw, network);
  const { head, imageSize } = network;
  const { strides, anchorOffset } = head;
  const { cls, boxes, initial } = mapsOf(raw, network);
  return refusing(() => {
    const { sync } = engine;
    const { gtIndex } = sync.atssAssign({ imageSize, strides, anchorOffset, anchorScale }, gt);
    const input = { cls, head, imageSize, gt: [gt], gtIndex: [gtIndex] };
    const { total, parts, numPos } = initial === undefined
      ? sync.gflCriterion({ ...input, dist: boxes }, { normalizer })
      : sync.vfnetCriterion({ ...input, distances: initial, refined: boxes }, { normalizer });
    return { criterion: initial === undefined ? "gfl" : "vfnet", total, parts, numPos };
  });
}

function checkScorable(raw: RawOutputs, network: Network): void {
  const { name, scores, objectness = "none", boxes, refined = false } = network.head;
  const refining = boxes === "distances" && refined;
  if (scores !== "logits" || objectness !== "none" || (boxes !== "distribution" && !refining)) {
    const wanted = "one with logits, and a distribution or distances that it refines";
    throw badRequest("head", `head ${name} cannot be scored; wanted ${wanted}`);
  }
  const found = checkShapes(raw, network);
  if (found.length !== 1) throw badRequest("body", `the body has ${found.length} images; wanted one`);
  if (refining) checkInitial(raw, network);
}

/** `detect` checks them; nothing has a score over 1. */
function checkShapes(raw: RawOutputs, network: Network): Detections[] {
  return detect(raw, network, { scoreThreshold: 1 });
}

/** The boxes before they were refined are laid out as those after. */
function checkInitial({ outputs, initial }: RawOutputs, network: Network): void {
  if (!("classes" in outputs) || initial.length === 0) {
    const wanted = "initial and refined distances, named box_s8 … and box_refined_s8 …";
    throw badRequest("body", `head ${network.head.name} is scored from ${wanted}`);
  }
  checkShapes({ outputs: { ...outputs, boxes: initial }, initial: [] }, network);
}
