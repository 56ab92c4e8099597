/**
 * From raw head tensors to detections. For each image: filter scores, expand classes, keep the best candidates, decode their
 * boxes, suppress, and only for what is left compute scores in float64. Another device may find the candidates instead.
 */
import { anchorsIn } from "../heads/levels.ts";
import { type Part, partsOnHost } from "../heads/outputs.ts";
import type { Detections, HeadSpec } from "../types.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { decodeBoxes, shapeStatistics } from "./boxes.ts";
import { filterAnchors, joinScore, makeThresholds, probability, type Thresholds } from "./candidates.ts";
import { type Candidates, expandClasses, keepBest, withObjectness } from "./classes.ts";
import { type CheckedDetect, op, type Settings } from "./checked_detect.ts";
import { type DetectionArrays, DetectionList } from "./detections.ts";
import { mapBack } from "./map_back.ts";
import { type FoundImage, type ImageCandidates, stageFound } from "./found.ts";

type Allocate = (bytes: number) => number;

/**
 * One image's detections at each step, of what was found on another device or else of the outputs; stops before an image
 * once the signal is aborted.
 */
export function* detectImages(
  backend: WasmBackend,
  { images, parts, settings, transforms, signal }: CheckedDetect,
  found: readonly FoundImage[] | null = null,
): Generator<Detections, void, void> {
  const onHost = found === null ? partsOnHost(op, parts) : [];
  for (let image = 0; image < images; image++) {
    signal?.throwIfAborted();
    yield backend.memory.frame(op, (allocate) => {
      const own = found === null ? null : found[image];
      const candidates = own === null
        ? findCandidates(backend, allocate, onHost, image, settings)
        : "parts" in own
        ? findCandidates(backend, allocate, own.parts, 0, settings)
        : stageFound(backend, allocate, own, settings);
      const list = detectionsOf(backend, allocate, candidates, settings);
      return new DetectionList(mapBack(transforms[image], list));
    });
  }
}

function findCandidates(
  backend: WasmBackend,
  allocate: Allocate,
  parts: readonly Part[],
  image: number,
  settings: Settings,
): ImageCandidates {
  const { head, levels, scoreThreshold } = settings;
  const anchors = anchorsIn(levels);
  const thresholds = makeThresholds(backend, op, allocate, head, parts, image, anchors, scoreThreshold);
  const survivors = filterAnchors(backend, op, allocate, head, parts, image, anchors, thresholds);
  const list = settings.multiLabel
    ? expandClasses(backend, op, allocate, parts, image, survivors, thresholds, settings)
    : survivors;
  return {
    list,
    thresholds,
    boxesOf: (candidates) => decodeBoxes(backend, op, allocate, parts, image, candidates, settings),
    shapeOf: (kept) => shapeStatistics(backend, op, parts, image, kept, levels),
  };
}

function detectionsOf(
  backend: WasmBackend,
  allocate: Allocate,
  found: ImageCandidates,
  settings: Settings,
): DetectionArrays {
  const ranked = withObjectness(backend, allocate, settings.head, found.list, found.thresholds);
  const candidates = keepBest(backend, allocate, ranked, settings.preNmsTopK);
  const boxes = found.boxesOf(candidates);
  const keep = suppress(backend, allocate, candidates, boxes, settings);
  return collect(backend, settings, candidates, boxes, keep, found);
}

/** Positions of the kept candidates, best first. */
function suppress(
  backend: WasmBackend,
  allocate: Allocate,
  candidates: Candidates,
  boxes: number,
  settings: Settings,
): Int32Array {
  const { kernels, memory } = backend;
  const { count } = candidates;
  const order = allocate(count * 4);
  const keep = allocate(count * 4);
  const scratch = allocate(Math.max(count * 12, kernels.nms_scratch(count)));
  const sorted = kernels.sort_scores(candidates.ranks, count, NaN, order, scratch);
  const labels = settings.classAgnostic ? 0 : candidates.labels;
  const limit = Math.min(settings.maxDetections, count);
  const kept = kernels.nms(boxes, labels, order, sorted, settings.iouThreshold, limit, scratch, keep);
  return memory.ints.slice(keep >> 2, (keep >> 2) + kept);
}

function collect(
  backend: WasmBackend,
  settings: Settings,
  candidates: Candidates,
  boxes: number,
  keep: Int32Array,
  { thresholds, shapeOf }: ImageCandidates,
): DetectionArrays {
  const { floats, ints } = backend.memory;
  const list = {
    boxes: new Float32Array(keep.length * 4),
    scores: new Float32Array(keep.length),
    classes: new Int32Array(keep.length),
    anchors: new Int32Array(keep.length),
  };
  for (let i = 0; i < keep.length; i++) {
    const from = keep[i];
    const anchor = ints[(candidates.anchors >> 2) + from];
    list.anchors[i] = anchor;
    list.classes[i] = ints[(candidates.labels >> 2) + from];
    list.scores[i] = scoreOf(settings.head, floats, (candidates.values >> 2) + from, thresholds, anchor);
    for (let side = 0; side < 4; side++) list.boxes[4 * i + side] = floats[(boxes >> 2) + 4 * from + side];
  }
  return settings.uncertainty ? { ...list, ...shapeOf(list.anchors) } : list;
}

function scoreOf(head: HeadSpec, floats: Float32Array, value: number, thresholds: Thresholds, anchor: number): number {
  const score = probability(head, floats[value]);
  if (thresholds.objectness === 0) return score;
  return joinScore(head, score, probability(head, floats[(thresholds.objectness >> 2) + anchor]));
}
